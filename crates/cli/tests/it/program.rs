//! Running the program: as a server with a folder of its own, and as a client of it with a home of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::person::{PASSWORD, Person};
use crate::raw::PATIENCE;

/// How far apart the searches for lasting ports begin.
const PORTS_PER_CALL: u16 = 20;

/// The program with nothing of the tester's own environment that it would listen to.
pub(crate) fn tidebook(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidebook"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDEBOOK_") {
            command.env_remove(name);
        }
    }
    command.env("HOME", home).env("XDG_CONFIG_HOME", home.join("config")).env("XDG_DATA_HOME", home.join("data"));
    command.env_remove("RUST_LOG").kill_on_drop(true).stdin(Stdio::null());
    command
}

/// How a run of the program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) async fn run(command: &mut Command, input: &str) -> Ran {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).await.expect("the program reads or ends");
    drop(stdin);
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("the program ends").expect("its output");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A server that runs as a process.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Serving {
    /// Starts it on this port (0: any) and waits until it says that it listens.
    pub(crate) async fn start(data: &Path, port: u16) -> Self {
        let mut command = tidebook(data);
        command.args(["serve", "--signup", "open", "--listen", &format!("127.0.0.1:{port}"), "--data"]).arg(data);
        command.env("RUST_LOG", "error");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = timeout(PATIENCE, lines.next_line()).await.expect("it says something").expect("text");
        let first = first.expect("it listens and does not just end");
        let address = first.strip_prefix("listening on http://").expect(&first).parse().expect("an address");
        Self { address, child, lines }
    }

    /// SIGTERM or SIGINT, by the process's own id.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await.expect("`kill` runs");
        assert!(sent.success());
    }

    /// Waits for its end; what else it printed comes with it.
    pub(crate) async fn ended(mut self) -> (ExitStatus, Vec<String>) {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("a status");
        let mut rest = Vec::new();
        while let Some(line) = self.lines.next_line().await.expect("text") {
            rest.push(line);
        }
        (status, rest)
    }

    /// SIGKILL: it has no say in it.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("it runs");
    }
}

/// A server, a person with an account there, and the folder that is the person's home.
pub(crate) struct Place {
    pub(crate) serving: Serving,
    pub(crate) mira: Person,
    pub(crate) home: TempDir,
    _data: TempDir,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let (home, data) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let serving = Serving::start(data.path(), 0).await;
        let mira = Person::sign_up(serving.address, "Mira").await;
        Self { serving, mira, home, _data: data }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.serving.address)
    }

    /// The program, signed in by what the environment says.
    pub(crate) fn signed(&self, arguments: &[&str]) -> Command {
        let mut command = tidebook(self.home.path());
        command.env("TIDEBOOK_SERVER", self.url()).env("TIDEBOOK_TOKEN", &self.mira.token).args(arguments);
        command
    }

    /// `tidebook login` with the right password.
    pub(crate) async fn log_in(&self) -> Ran {
        let mut login = tidebook(self.home.path());
        login.args(["login", "--server", &self.url(), "--email", &self.mira.email]);
        run(login.env("TIDEBOOK_PASSWORD", PASSWORD), "").await
    }
}

/// A port that is free now and that the system gives to nobody by itself, so that it can be had again after a kill.
pub(crate) fn lasting_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Each test of one process begins elsewhere: what is free for one is free for the next as well.
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).expect("below 10,000");
    let first = first + NEXT.fetch_add(PORTS_PER_CALL, Ordering::Relaxed);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (first..32_000).find(free).expect("a free port")
}
