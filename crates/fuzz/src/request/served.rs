//! A server in this process, on a port and a data folder of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tidebook_server::{Config, ServeError, Server, Signup};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::answer::{Answer, exchange};
use super::spelled::Spelled;

/// Longer than the slowest answer, which is the one to a password.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Panics of all tasks and threads since the first server was started. A task that panics takes nothing else along, so
/// nobody else would notice.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// All of it but its store runs on the thread of whoever asks, while they wait: so what it takes of memory is counted, and
/// what an input does is the same each time.
pub(crate) struct Served {
    runtime: Runtime,
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ServeError>>,
    data: TempDir,
}

impl Served {
    pub(crate) fn start(data: TempDir) -> Self {
        count_panics();
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: data.path().to_owned(),
            signup: Signup::Invite,
            public_urls: Vec::new(),
        };
        let server = runtime.block_on(Server::bind(config)).expect("the server starts");
        let (stop, stopped) = oneshot::channel();
        let address = server.address();
        let running = runtime.spawn(server.run(async { drop(stopped.await) }));
        Self { runtime, address, stop, running, data }
    }

    pub(crate) fn ask(&self, request: &Spelled) -> Answer {
        let answering = async { timeout(ANSWER_WITHIN, exchange(self.address, request)).await };
        let answer = self.runtime.block_on(answering).expect("an answer in time");
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a task of the server panicked");
        answer
    }

    /// Its folder, once it has ended.
    pub(crate) fn stop(self) -> TempDir {
        let Self { runtime, stop, running, data, .. } = self;
        drop(stop);
        runtime.block_on(running).expect("no panic").expect("a clean stop");
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a task of the server panicked");
        data
    }
}

fn count_panics() {
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            hook(panic);
        }));
    });
}
