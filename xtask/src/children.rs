//! Runs a command and passes its output on, with a sign of life when it is silent for long.

use std::io::{self, IsTerminal, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, bail};

/// A person who sees nothing for ten seconds thinks that it hangs.
const SILENCE_MAX: Duration = Duration::from_secs(8);
const POLL_EVERY: Duration = Duration::from_millis(20);
/// How long we go on reading what a finished command's own children may still print.
const LAST_WORDS_MAX: Duration = Duration::from_secs(2);

/// Runs `command` to its end and fails when it fails. `what` completes "still …".
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    finish(what, command, Streams::AsTheyAre, None)
}

/// Like `run`, but everything the command says goes to stdout, where the last lines are looked for.
pub(crate) fn run_to_stdout(what: &str, command: &mut Command) -> Result<()> {
    finish(what, command, Streams::AllToStdout, None)
}

/// Like `run`, but the command is stopped and fails after `limit`.
pub(crate) fn run_within(what: &str, command: &mut Command, limit: Duration) -> Result<()> {
    finish(what, command, Streams::AsTheyAre, Some(limit))
}

/// The output of a command that is quick and quiet.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output = command.output().with_context(|| format!("running `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as a person would type it.
pub(crate) fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[derive(Clone, Copy, PartialEq)]
enum Streams {
    AsTheyAre,
    AllToStdout,
}

fn finish(what: &str, command: &mut Command, streams: Streams, limit: Option<Duration>) -> Result<()> {
    let line = line_of(command);
    if io::stderr().is_terminal() && env::var_os("CARGO_TERM_COLOR").is_none() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{line}`"))?;
    let status = watch(what, child, streams, limit).with_context(|| format!("while {what}: `{line}`"))?;
    if !status.success() {
        bail!("{what} failed ({status}): `{line}`");
    }
    Ok(())
}

fn watch(what: &str, mut child: Child, streams: Streams, limit: Option<Duration>) -> Result<ExitStatus> {
    let started = Instant::now();
    let heard = Arc::new(Mutex::new(started));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (done, all_done) = mpsc::channel();
    if let Some(stdout) = stdout {
        let (done, heard) = (done.clone(), heard.clone());
        thread::spawn(move || pass_on(stdout, io::stdout(), &heard, done));
    }
    if let Some(stderr) = stderr {
        let heard = heard.clone();
        match streams {
            Streams::AsTheyAre => thread::spawn(move || pass_on(stderr, io::stderr(), &heard, done)),
            Streams::AllToStdout => thread::spawn(move || pass_on(stderr, io::stdout(), &heard, done)),
        };
    }
    loop {
        if let Some(status) = child.try_wait()? {
            // Both threads drop their end when their stream closes.
            let _: Result<(), RecvTimeoutError> = all_done.recv_timeout(LAST_WORDS_MAX);
            return Ok(status);
        }
        if limit.is_some_and(|limit| started.elapsed() > limit) {
            child.kill()?;
            child.wait()?;
            bail!("no end after {} s", started.elapsed().as_secs());
        }
        say_that_it_goes_on(what, started, &heard);
        thread::sleep(POLL_EVERY);
    }
}

fn say_that_it_goes_on(what: &str, started: Instant, heard: &Mutex<Instant>) {
    let mut last_output = heard.lock().unwrap_or_else(PoisonError::into_inner);
    if last_output.elapsed() > SILENCE_MAX {
        eprintln!("… still {what} ({} s)", started.elapsed().as_secs());
        *last_output = Instant::now();
    }
}

/// Copies until the stream ends. `_done` is never sent on: the receiver wakes when all of them are dropped.
fn pass_on(mut from: impl Read, mut to: impl Write, heard: &Mutex<Instant>, _done: mpsc::Sender<()>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || to.write_all(&buffer[..length]).and_then(|()| to.flush()).is_err() {
            return;
        }
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failing_command_is_named() {
        let error = run("trying", &mut shell("exit 3")).unwrap_err().to_string();
        assert!(error.contains("trying failed") && error.contains("sh -c exit 3"), "{error}");
        run("trying", &mut shell("exit 0")).unwrap();
    }

    #[test]
    fn a_command_is_stopped_at_its_limit() {
        let started = Instant::now();
        let error = run_within("waiting", &mut shell("exec sleep 60"), Duration::from_millis(100)).unwrap_err();
        assert!(format!("{error:#}").contains("no end after"), "{error:#}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_child_left_behind_does_not_hold_us_up() {
        let started = Instant::now();
        run("leaving", &mut shell("sleep 20 & exit 0")).unwrap();
        assert!(started.elapsed() < Duration::from_secs(15));
    }
}
