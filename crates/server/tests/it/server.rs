//! A server of the test's own, in this process, on a free port and with its own folder.

use std::net::SocketAddr;

use tempfile::TempDir;
use tidebook_server::{Config, ServeError, Server, Signup};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::person::Person;

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ServeError>>,
    data: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_for(Signup::Open).await
    }

    /// One that lets in whom this says.
    pub(crate) async fn start_for(signup: Signup) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), signup).await
    }

    pub(crate) async fn start_in(data: TempDir, signup: Signup) -> Self {
        let config = Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            data: data.path().to_owned(),
            signup,
            public_urls: Vec::new(),
        };
        let server = Server::bind(config).await.expect("the server starts");
        let (stop, stopped) = oneshot::channel();
        let address = server.address();
        let running = tokio::spawn(server.run(async { drop(stopped.await) }));
        Self { address, stop, running, data }
    }

    /// A server, and its first person.
    pub(crate) async fn with_mira() -> (Self, Person) {
        let server = Self::start().await;
        let mira = server.person("Mira").await;
        (server, mira)
    }

    pub(crate) async fn person(&self, name: &str) -> Person {
        Person::sign_up(self.address, name).await
    }

    /// Tells it to stop; the rest is for [`Stopping::finished`].
    pub(crate) fn stop(self) -> Stopping {
        let Self { stop, running, data, .. } = self;
        drop(stop);
        Stopping { running, data }
    }
}

/// A server on its way down.
pub(crate) struct Stopping {
    running: JoinHandle<Result<(), ServeError>>,
    data: TempDir,
}

impl Stopping {
    pub(crate) async fn finished(self) -> TempDir {
        self.running.await.expect("no panic").expect("a clean stop");
        self.data
    }

    /// Another server on the same folder, once this one has ended.
    pub(crate) async fn restarted(self) -> TestServer {
        TestServer::start_in(self.finished().await, Signup::Open).await
    }
}
