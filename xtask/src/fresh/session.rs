//! A command in a fresh root: everything it prints is kept, and its silences are measured.

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SendError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::root::Root;
use crate::children;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A server told to stop finishes what it was doing first.
const STOP_WITHIN: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Printed {
    at: Instant,
    last_line: String,
}

/// How long nothing was printed, and what had been printed before.
#[derive(Clone, Default)]
pub(super) struct Silence {
    pub(super) duration: Duration,
    pub(super) after: String,
}

pub(super) struct Session {
    child: Child,
    printed: Receiver<Printed>,
    started: Instant,
    last_printed: Printed,
    longest_silence: Silence,
    ended_after: Option<Duration>,
}

impl Session {
    pub(super) fn start(root: &Root, name: &str, words: &[&str]) -> Result<Self> {
        println!("in the fresh Debian: {}", words.join(" "));
        let log = File::create(root.logs().join(format!("{name}.log"))).context("creating a log")?;
        let mut command = root.command(words);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting `{}`", children::line_of(&command)))?;
        let (sender, printed) = mpsc::channel();
        let streams = [child.stdout.take().map(into_read), child.stderr.take().map(into_read)];
        for stream in streams.into_iter().flatten() {
            let (log, sender) = (log.try_clone()?, sender.clone());
            thread::spawn(move || keep(stream, log, &sender));
        }
        let started = Instant::now();
        let last_printed = Printed { at: started, last_line: "the start".to_owned() };
        Ok(Self { child, printed, started, last_printed, longest_silence: Silence::default(), ended_after: None })
    }

    /// Until `is_reached`; an end before that is a failure.
    pub(super) fn wait_until(&mut self, limit: Duration, is_reached: impl Fn() -> bool) -> Result<()> {
        while !is_reached() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended ({status}) before it was up");
            }
            self.listen(limit)?;
        }
        self.ended_after = Some(self.started.elapsed());
        Ok(())
    }

    /// Until the command ends, well.
    pub(super) fn wait_for_end(&mut self, limit: Duration) -> Result<()> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                self.ended_after = Some(self.started.elapsed());
                if !status.success() {
                    bail!("it failed ({status})");
                }
                return Ok(());
            }
            self.listen(limit)?;
        }
    }

    pub(super) fn longest_silence(&self) -> Silence {
        self.longest_silence.clone()
    }

    /// Until what was waited for came.
    pub(super) fn elapsed(&self) -> Duration {
        self.ended_after.unwrap_or_else(|| self.started.elapsed())
    }

    fn listen(&mut self, limit: Duration) -> Result<()> {
        match self.printed.recv_timeout(LOOK_EVERY) {
            Ok(printed) => self.note(printed),
            Err(RecvTimeoutError::Timeout) => self.note_silence(Instant::now()),
            Err(RecvTimeoutError::Disconnected) => thread::sleep(LOOK_EVERY),
        }
        while let Ok(printed) = self.printed.try_recv() {
            self.note(printed);
        }
        if self.started.elapsed() > limit {
            self.child.kill()?;
            self.child.wait()?;
            bail!("not done after {} s", limit.as_secs());
        }
        Ok(())
    }

    fn note(&mut self, printed: Printed) {
        self.note_silence(printed.at);
        // The two streams may be heard in another order than they spoke.
        if printed.at > self.last_printed.at {
            self.last_printed = printed;
        }
    }

    fn note_silence(&mut self, until: Instant) {
        let duration = until.saturating_duration_since(self.last_printed.at);
        if duration > self.longest_silence.duration {
            self.longest_silence = Silence { duration, after: self.last_printed.last_line.clone() };
        }
    }
}

/// Stops the server by its process id, as a person's shell would.
pub(super) fn stop(mut session: Session) -> Result<()> {
    children::output_of(Command::new("kill").arg(session.child.id().to_string()))?;
    let told = Instant::now();
    while session.child.try_wait()?.is_none() {
        if told.elapsed() > STOP_WITHIN {
            session.child.kill()?;
            session.child.wait()?;
            bail!("the server did not stop within {} s of being told to", STOP_WITHIN.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

fn into_read(stream: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(stream)
}

fn keep(mut stream: Box<dyn Read + Send>, mut log: File, printed: &Sender<Printed>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length) = stream.read(&mut buffer) {
        let text = &buffer[..length];
        if length == 0 || log.write_all(text).is_err() || io::stderr().write_all(text).is_err() {
            return;
        }
        let last_line = String::from_utf8_lossy(text).trim_end().lines().last().unwrap_or_default().trim().to_owned();
        // Nobody measures once the server is up, but what is printed must go somewhere.
        let _: Result<(), SendError<Printed>> = printed.send(Printed { at: Instant::now(), last_line });
    }
}
