//! A process beside ours: pinned to a core, waited for, and ended.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::thread::{CpuSet, sched_setaffinity};

const START_WITHIN: Duration = Duration::from_secs(20);
const POLL_EVERY: Duration = Duration::from_millis(2);

/// A server beside ours. It ends, by its own pid, when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    child: Child,
}

impl Running {
    /// `command` listens at `address` once it runs. What it says goes to a file `NAME.log` in `folder`.
    pub(crate) fn start(
        name: &str,
        mut command: Command,
        core: usize,
        address: SocketAddr,
        folder: &Path,
    ) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("making {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = spawn_on(core, &mut command).with_context(|| format!("starting {name} ({command:?})"))?;
        let mut running = Self { address, pid: child.id(), child };
        running.wait_until_it_answers().map_err(|error| {
            let said = fs::read_to_string(&log).unwrap_or_default();
            anyhow!("{name}: {error:#}. It said: {}", said.trim())
        })?;
        Ok(running)
    }

    #[expect(clippy::disallowed_methods, reason = "nothing else is to be done meanwhile")]
    fn wait_until_it_answers(&mut self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended at once ({status})");
            }
            if started.elapsed() > START_WITHIN {
                bail!("does not answer after {} s", START_WITHIN.as_secs());
            }
            thread::sleep(POLL_EVERY);
        }
        Ok(())
    }
}

impl Running {
    /// Ends it, and waits until it is gone.
    pub(crate) fn end(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// A child starts with the cores of the thread that starts it. So a runtime that counts its cores at its start finds one,
/// and no thread of it was ever elsewhere.
fn spawn_on(core: usize, command: &mut Command) -> Result<Child> {
    let spawn = || -> Result<Child> {
        let mut cores = CpuSet::new();
        cores.set(core);
        sched_setaffinity(None, &cores).with_context(|| format!("pinning to core {core}"))?;
        Ok(command.spawn()?)
    };
    thread::scope(|scope| scope.spawn(spawn).join()).map_err(|_| anyhow!("the thread that starts it panicked"))?
}

/// An address on this machine at which nothing listens.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr())?)
}
