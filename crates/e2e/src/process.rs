//! Child processes that do not outlive whoever started them, nor do their own children.

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a killed process may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
}

/// What a process says on its standard output, line by line.
pub(crate) type Lines = mpsc::UnboundedReceiver<String>;

impl Process {
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Result<(Self, Lines)> {
        Self::spawn(name, command.stdin(Stdio::null()))
    }

    /// The same for a process that is told what to do on its standard input.
    pub(crate) fn start_listening(name: &'static str, command: &mut Command) -> Result<(Self, ChildStdin, Lines)> {
        let (mut process, lines) = Self::spawn(name, command.stdin(Stdio::piped()))?;
        let input = process.child.stdin.take().context("standard input is piped")?;
        Ok((process, input, lines))
    }

    fn spawn(name: &'static str, command: &mut Command) -> Result<(Self, Lines)> {
        command.stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("starting {name}"))?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let (sender, lines) = mpsc::unbounded_channel();
        // Reads on when nobody listens any more: a full pipe would hold the process up.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _unheard = sender.send(line);
            }
        });
        Ok((Self { name, child }, lines))
    }

    /// Asks it to end, with SIGTERM, and waits until it has.
    pub(crate) async fn stop(mut self, within: Duration) -> Result<ExitStatus> {
        kill_process(self.pid(), Signal::TERM).with_context(|| format!("stopping {}", self.name))?;
        let (name, pid) = (self.name, self.pid());
        let waiting = tokio::task::spawn_blocking(move || self.child.wait());
        match timeout(within, waiting).await {
            Ok(waited) => Ok(waited??),
            Err(_) => {
                kill_process(pid, Signal::KILL)?;
                bail!("{name} did not end within {} s of SIGTERM", within.as_secs())
            }
        }
    }

    /// Ends it at once, with SIGKILL.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// The same, and its children with it; nothing where it has ended already.
    pub(crate) fn end(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        // Held by descriptor, so that none of them is mistaken for a later process of the same number.
        let descendants: Vec<OwnedFd> =
            descendants(self.pid()).into_iter().filter_map(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()).collect();
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
        for process in &descendants {
            let _gone_already = pidfd_send_signal(process, Signal::KILL);
        }
        for process in &descendants {
            let seconds = i64::try_from(GONE_WITHIN.as_secs()).unwrap_or(i64::MAX);
            let limit = Timespec { tv_sec: seconds, tv_nsec: 0 };
            // Whether it is gone by then or not, there is nothing left to do.
            let mut end = [PollFd::new(process, PollFlags::IN)];
            let _ready = poll(&mut end, Some(&limit));
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The first line that `read` makes something of.
pub(crate) async fn first_line<T>(
    lines: &mut Lines,
    what: &str,
    within: Duration,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T> {
    let mut said = String::new();
    let reading = async {
        while let Some(line) = lines.recv().await {
            if let Some(found) = read(&line) {
                return Some(found);
            }
            said += &line;
            said.push('\n');
        }
        None
    };
    match timeout(within, reading).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) => bail!("it ended without {what}; it said:\n{said}"),
        Err(_) => bail!("no {what} within {} s; it said:\n{said}", within.as_secs()),
    }
}

/// The children of a process, and theirs.
fn descendants(root: Pid) -> Vec<Pid> {
    let parents: Vec<(Pid, Pid)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter_map(|pid| Some((pid, parent_of(pid)?)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// From `/proc/PID/stat`, "pid (name) state ppid …", where the name may hold anything.
fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    Pid::from_raw(after_name.split_whitespace().nth(1)?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_process_takes_its_children_along() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & echo $!; wait"]);
        let (process, mut lines) = Process::start("a shell", &mut command).unwrap();
        let within = Duration::from_secs(10);
        let child = first_line(&mut lines, "a number", within, |line| line.parse().ok()).await.unwrap();
        let child = Pid::from_raw(child).unwrap();
        assert_eq!(descendants(process.pid()), [child]);
        drop(process);
        assert!(parent_of(child).is_none() || std::fs::read(format!("/proc/{child}/exe")).is_err());
    }

    #[tokio::test]
    async fn silence_is_told_with_what_was_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo hello"]);
        let (_process, mut lines) = Process::start("a shell", &mut command).unwrap();
        let nothing = |_: &str| None::<()>;
        let error = first_line(&mut lines, "address", Duration::from_secs(10), nothing).await.unwrap_err().to_string();
        assert!(error.contains("without address") && error.contains("hello"), "{error}");
    }
}
