//! The real program, serving a folder of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::places;
use crate::process::{Process, first_line};

const STARTED_WITHIN: Duration = Duration::from_secs(20);
const STOPPED_WITHIN: Duration = Duration::from_secs(15);

/// Ports below those that the system gives to outgoing connections. While the server is away, a browser that tries to
/// reach it could otherwise be given the very port and meet itself there.
const PORTS: std::ops::Range<u16> = 12_000..30_000;

/// What the log's end may take of a failure's report.
const LOG_LINES_SHOWN: usize = 30;

/// `tidebook serve`, which can be stopped and started again with the same data at the same address.
#[derive(Debug)]
pub struct Server {
    port: u16,
    process: Mutex<Option<Process>>,
    folder: TempDir,
}

impl Server {
    /// Starts on a free port with an empty data folder; anybody may sign up.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidebook-e2e-").tempdir()?;
        let server = Self { port: free_port()?, process: Mutex::new(None), folder };
        server.start_again().await?;
        server.check_that_the_app_is_inside().await?;
        Ok(server)
    }

    /// Where the app is.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts after [`Server::stop`] or [`Server::kill`].
    pub async fn start_again(&self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(places::tidebook()?);
        command.args(["serve", "--signup", "open", "--listen"]).arg(format!("127.0.0.1:{}", self.port));
        command.arg("--data").arg(self.folder.path().join("data")).stderr(log);
        let (process, mut lines) = Process::start("tidebook", &mut command)?;
        let address = |line: &str| line.strip_prefix("listening on ").map(str::to_owned);
        let listening = first_line(&mut lines, "line `listening on …`", STARTED_WITHIN, address).await;
        let address =
            listening.with_context(|| format!("tidebook did not start; its log ends:\n{}", self.log_end()))?;
        ensure!(address == self.origin(), "tidebook listens on {address}, not on {}", self.origin());
        *self.process.lock().expect("no panic holds it") = Some(process);
        Ok(())
    }

    /// Ends it as its owner would.
    pub async fn stop(&self) -> Result<()> {
        let status = self.running()?.stop(STOPPED_WITHIN).await?;
        ensure!(status.success(), "tidebook ended with {status}; its log ends:\n{}", self.log_end());
        Ok(())
    }

    /// Ends it as a power cut would.
    pub fn kill(&self) -> Result<()> {
        self.running()?.kill();
        Ok(())
    }

    /// The last it said about itself.
    #[must_use]
    pub fn log_end(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }

    fn running(&self) -> Result<Process> {
        self.process.lock().expect("no panic holds it").take().context("the server does not run")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    async fn check_that_the_app_is_inside(&self) -> Result<()> {
        let page = reqwest::get(self.origin()).await?.text().await?;
        if !page.contains("id=\"app\"") {
            bail!("this tidebook has no app inside ({}): run `cargo xtask test`", page.trim());
        }
        Ok(())
    }
}

fn free_port() -> Result<u16> {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let span = PORTS.end - PORTS.start;
    // Journeys run as processes of their own: each begins to look elsewhere.
    let start = u16::try_from(std::process::id() % u32::from(span))?.wrapping_mul(97) % span;
    for _ in 0..span {
        let port = PORTS.start + (start + TRIED.fetch_add(1, Ordering::Relaxed) % span) % span;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free between {} and {}", PORTS.start, PORTS.end)
}
