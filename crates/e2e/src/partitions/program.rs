//! A native client as a process of its own: told what to do line by line on its standard input, it answers on its
//! standard output. In between it does what clients do. It ends with its input.

use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tidebook_book::{BookId, MutationId, Seq, UserId};
use tidebook_client::{Api, Driver, Store, new_replica};
use tidebook_ledger::{Ledger, LedgerOp};
use tidebook_replica::BookCopy;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::Truth;

const CLIENT: &str = "tidebook-e2e/1";

/// How long it works before it looks whether it is told something.
const TURN: Duration = Duration::from_millis(25);

/// Whose client it is, and what it has: the first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) origin: String,
    pub(super) token: String,
    pub(super) user: UserId,
    pub(super) book: BookId,
    pub(super) store: PathBuf,
}

/// What it is told to do: each further line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// Write this.
    Write(Vec<LedgerOp>),
    /// Work until everything written here is in the log, and the log is here up to `seq` and as far as this client knows.
    CatchUp { seq: Seq, within: Duration },
    /// Say where the book is here.
    Look,
}

/// What it says: a line for each of those.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    Opened,
    /// It is on the disk.
    Written(MutationId),
    CaughtUp,
    Here(Truth),
    /// It did not catch up in time; how it stands.
    Stuck(String),
}

/// Is such a client until its input ends.
pub fn partitions_client() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(obey(lines_of_stdin()))
}

fn lines_of_stdin() -> UnboundedReceiver<String> {
    let (sender, lines) = unbounded_channel();
    std::thread::spawn(move || stdin().lock().lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

async fn obey(mut lines: UnboundedReceiver<String>) -> Result<()> {
    let settings = lines.recv().await.context("nobody says whose client this is")?;
    let mut client = Client::open(serde_json::from_str(&settings)?)?;
    say(&Said::Opened)?;
    loop {
        match lines.try_recv() {
            Ok(line) => say(&client.obey(serde_json::from_str(&line)?).await?)?,
            Err(TryRecvError::Empty) => drop(client.driver.next_within(TURN).await?),
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
    }
}

fn say(said: &Said) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{}", serde_json::to_string(said)?)?;
    Ok(out.flush()?)
}

struct Client {
    driver: Driver,
    book: BookId,
}

impl Client {
    fn open(settings: Settings) -> Result<Self> {
        let Settings { origin, token, user, book, store } = settings;
        let store = Store::open(&store, new_replica())?;
        let mut driver = Driver::new(Api::new(&origin, Some(token))?, store, user, CLIENT)?;
        driver.open_book(book)?;
        Ok(Self { driver, book })
    }

    async fn obey(&mut self, told: Told) -> Result<Said> {
        match told {
            Told::Write(ops) => Ok(Said::Written(self.driver.mutate(self.book, ops)?)),
            Told::CatchUp { seq, within } => self.catch_up(seq, within).await,
            Told::Look => {
                let copy = self.copy()?;
                Ok(Said::Here(Truth { seq: copy.seq(), hash: copy.hash(), state_hash: copy.view().hash() }))
            }
        }
    }

    async fn catch_up(&mut self, seq: Seq, within: Duration) -> Result<Said> {
        let ends = Instant::now() + within;
        loop {
            let copy = self.copy()?;
            if copy.is_current() && copy.seq() >= seq {
                return Ok(Said::CaughtUp);
            }
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Said::Stuck(self.described()?));
            }
            self.driver.next_within(left).await?;
        }
    }

    fn described(&self) -> Result<String> {
        let copy = self.copy()?;
        let (seq, head, waits, held) = (copy.seq(), copy.head(), copy.pending().count(), copy.held());
        let (status, error) = (self.driver.replica().sync_status(self.book), self.driver.last_error());
        Ok(format!("{status:?} at {seq} of {head}, {waits} wait, held {held:?}, last error {error:?}"))
    }

    fn copy(&self) -> Result<&BookCopy<Ledger>> {
        self.driver.replica().book(self.book).context("the book is open")
    }
}
