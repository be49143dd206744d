//! A native client: a process with a store in a file, which is killed now and then and started again on what it left.

use std::io::Write as _;
use std::process::{ChildStdin, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use tempfile::TempDir;
use tidebook_book::{BookId, MutationId, Seq};
use tidebook_ledger::{ContactId, LedgerOp};
use tokio::time::timeout;

use super::Truth;
use super::program::{Said, Settings, Told};
use crate::process::{Lines, Process};
use crate::{Account, Dice, Front, gave, person, places};

/// Once in so many mutations somebody new comes into the book.
const PERSON_EVERY: usize = 10;

/// Once in so many mutations all clients' common contact gets another note: most of these are conflicts.
const COMMON_EVERY: usize = 40;

/// Once in so many mutations the process is killed in the middle of it, or about then.
const KILL_EVERY: usize = 50;

/// How long after it is told of a mutation it is killed.
const KILLED_MS_MAX: usize = 60;

/// How long a process may take to open its store, and over anything that it does not wait for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Native {
    name: String,
    settings: Settings,
    running: Running,
    /// Whom everybody writes about.
    common: ContactId,
    told: usize,
    /// Everything that was called written.
    pub(super) written: Vec<MutationId>,
    pub(super) kills: usize,
    /// Where the store is.
    _folder: TempDir,
}

impl Native {
    pub(super) async fn start(
        name: String,
        front: &Front,
        account: &Account,
        book: BookId,
        common: ContactId,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidebook-client-").tempdir()?;
        let settings = Settings {
            origin: front.origin(),
            token: account.token.clone(),
            user: account.user,
            book,
            store: folder.path().join("store"),
        };
        let running = Running::start(&settings).await?;
        Ok(Self { name, settings, running, common, told: 0, written: Vec::new(), kills: 0, _folder: folder })
    }

    /// Writes something; now and then it is killed meanwhile, and what it did not call written may be lost.
    pub(super) async fn write(&mut self, dice: &mut Dice) -> Result<()> {
        let told = Told::Write(vec![self.op(dice)?]);
        if dice.once_in(KILL_EVERY) {
            self.running.tell(&told)?;
            // The moment is what is random here.
            tokio::time::sleep(Duration::from_millis(dice.below(KILLED_MS_MAX) as u64)).await;
            return self.kill_and_start_again().await;
        }
        let Said::Written(id) = self.running.ask(&told, ANSWERS_WITHIN).await? else { bail!("it writes nothing") };
        self.written.push(id);
        Ok(())
    }

    fn op(&mut self, dice: &mut Dice) -> Result<LedgerOp> {
        let text = format!("{}, {}", self.name, self.told);
        self.told += 1;
        if dice.once_in(COMMON_EVERY) {
            let note = json!({"op": "update_contact", "id": self.common, "set": {"note": text}});
            return Ok(serde_json::from_value(note)?);
        }
        if dice.once_in(PERSON_EVERY) {
            Ok(person(&text).1)
        } else {
            gave(self.common, 100, "EUR", "2026-11-22", &text)
        }
    }

    async fn kill_and_start_again(&mut self) -> Result<()> {
        self.running.process.end();
        self.kills += 1;
        // What it said before its end holds.
        while let Some(line) = self.running.lines.recv().await {
            if let Said::Written(id) = serde_json::from_str(&line)? {
                self.written.push(id);
            }
        }
        self.running = Running::start(&self.settings).await.context("on the store of one that was killed")?;
        Ok(())
    }

    /// Waits until everything written here is in the log, and the log is here as far as this client knows.
    pub(super) async fn catch_up(&mut self, within: Duration) -> Result<()> {
        self.catch_up_to(Seq::ZERO, within).await
    }

    /// Where the book is here, once that is no earlier than `seq`.
    pub(super) async fn reached(&mut self, seq: Seq, within: Duration) -> Result<Truth> {
        self.catch_up_to(seq, within).await?;
        let Said::Here(here) = self.running.ask(&Told::Look, ANSWERS_WITHIN).await? else { bail!("it sees nothing") };
        Ok(here)
    }

    async fn catch_up_to(&mut self, seq: Seq, within: Duration) -> Result<()> {
        match self.running.ask(&Told::CatchUp { seq, within }, within + ANSWERS_WITHIN).await? {
            Said::CaughtUp => Ok(()),
            Said::Stuck(how) => bail!("stuck after {within:?} more: {how}"),
            said => bail!("it says {said:?}"),
        }
    }
}

/// A process, running.
#[derive(Debug)]
struct Running {
    process: Process,
    input: ChildStdin,
    lines: Lines,
}

impl Running {
    async fn start(settings: &Settings) -> Result<Self> {
        let mut command = Command::new(places::tidebook_e2e()?);
        let (process, input, lines) = Process::start_listening("a native client", command.arg("partitions-client"))?;
        let mut running = Self { process, input, lines };
        running.send(&serde_json::to_string(settings)?)?;
        let Said::Opened = running.hear(ANSWERS_WITHIN).await? else { bail!("it opens nothing") };
        Ok(running)
    }

    async fn ask(&mut self, told: &Told, within: Duration) -> Result<Said> {
        self.tell(told)?;
        self.hear(within).await
    }

    fn tell(&mut self, told: &Told) -> Result<()> {
        self.send(&serde_json::to_string(told)?)
    }

    fn send(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}").context("the process of a native client has ended")
    }

    async fn hear(&mut self, within: Duration) -> Result<Said> {
        let line =
            timeout(within, self.lines.recv()).await.context("the process of a native client does not answer")?;
        Ok(serde_json::from_str(&line.context("the process of a native client has ended")?)?)
    }
}
