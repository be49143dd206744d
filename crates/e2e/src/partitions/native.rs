//! A native client whose line parts and heals while it writes.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use tidebook_book::{BookId, MutationId};
use tidebook_client::{Api, Driver, Store, new_replica};
use tidebook_ledger::{ContactId, Ledger};
use tidebook_replica::BookCopy;
use tokio::time::Instant;

use super::partition::Partition;
use super::{CURRENT_WITHIN, DEAD_LINE_NOTICED_WITHIN, Rounds, Truth};
use crate::{Account, Dice, Front, gave, person};

const CLIENT: &str = "tidebook-e2e/1";

/// Mutations a partition.
const WRITES_MAX: usize = 3;

/// How long after a partition a client goes on before the next, where it does not wait until it is current.
const CALM_MS_MAX: usize = 600;

/// Once in so many mutations somebody new comes into the book.
const PERSON_EVERY: usize = 10;

/// Once in so many mutations all clients' common contact gets another note: most of these are conflicts.
const COMMON_EVERY: usize = 40;

#[derive(Debug)]
pub(super) struct Native {
    pub(super) name: String,
    front: Front,
    driver: Driver,
    book: BookId,
    /// Whom everybody writes about.
    common: ContactId,
    dice: Dice,
    /// Everything that was written here.
    pub(super) written: Vec<MutationId>,
    last: Option<Partition>,
    /// How long it took at most to be current after a partition: where lines were told of their end, and where not.
    pub(super) longest: [Duration; 2],
}

impl Native {
    pub(super) async fn open(
        name: String,
        front: Front,
        account: &Account,
        book: BookId,
        common: ContactId,
        dice: Dice,
    ) -> Result<Self> {
        let api = Api::new(&front.origin(), Some(account.token.clone()))?;
        let mut driver = Driver::new(api, Store::in_memory(new_replica())?, account.user, CLIENT)?;
        driver.open_book(book)?;
        let (written, longest) = (Vec::new(), [Duration::ZERO; 2]);
        let mut native = Self { name, front, driver, book, common, dice, written, last: None, longest };
        native.catch_up().await?;
        Ok(native)
    }

    /// Parts, writes and heals for as long as there are rounds left.
    pub(super) async fn play(&mut self, rounds: &Rounds) -> Result<()> {
        while rounds.take() {
            let partition = Partition::throw(&mut self.dice);
            self.last = Some(partition);
            self.round(partition).await.with_context(|| format!("{} in {partition:?}", self.name))?;
        }
        Ok(())
    }

    async fn round(&mut self, partition: Partition) -> Result<()> {
        partition.begin(&self.front);
        let writes = 1 + self.dice.below(WRITES_MAX);
        for _ in 0..writes {
            self.write()?;
            self.work_for(partition.lasts / u32::try_from(writes)?).await?;
        }
        partition.heal(&self.front);
        if partition.loses_lines() || self.dice.once_in(2) {
            return self.catch_up().await;
        }
        let calm = Duration::from_millis(self.dice.below(CALM_MS_MAX) as u64);
        self.work_for(calm).await
    }

    fn write(&mut self) -> Result<()> {
        let text = format!("{} {}", self.name, self.written.len());
        let op = if self.dice.once_in(COMMON_EVERY) {
            serde_json::from_value(json!({"op": "update_contact", "id": self.common, "set": {"note": text}}))?
        } else if self.dice.once_in(PERSON_EVERY) {
            person(&text).1
        } else {
            gave(self.common, 100, "EUR", "2026-11-22", &text)?
        };
        let id = self.driver.mutate(self.book, vec![op])?;
        self.written.push(id);
        Ok(())
    }

    async fn work_for(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.driver.next_within(end - Instant::now()).await?;
        }
        Ok(())
    }

    /// Works until everything written here is in the log, and the log is here as far as this client knows.
    pub(super) async fn catch_up(&mut self) -> Result<()> {
        self.work_until("current", BookCopy::is_current).await
    }

    /// Works until the log is here up to where it is, and compares.
    pub(super) async fn meet(&mut self, truth: &Truth) -> Result<()> {
        self.work_until("where the log is", |copy| copy.is_current() && copy.seq() >= truth.seq).await?;
        let copy = self.copy()?;
        let here = Truth { seq: copy.seq(), hash: copy.hash(), state_hash: copy.view().hash() };
        ensure!(here == *truth, "diverged: {} has {here:?}, the server {truth:?}", self.name);
        Ok(())
    }

    async fn work_until(&mut self, what: &str, is_so: impl Fn(&BookCopy<Ledger>) -> bool) -> Result<()> {
        let begun = Instant::now();
        let is_lost = self.last.is_some_and(|partition| partition.loses_lines());
        let within = CURRENT_WITHIN + if is_lost { DEAD_LINE_NOTICED_WITHIN } else { Duration::ZERO };
        while !is_so(self.copy()?) {
            let left = within.saturating_sub(begun.elapsed());
            if left.is_zero() {
                bail!("stuck: {} is not {what} after {within:?}: {}", self.name, self.described()?);
            }
            self.driver.next_within(left).await?;
        }
        let longest = &mut self.longest[usize::from(is_lost)];
        *longest = begun.elapsed().max(*longest);
        Ok(())
    }

    fn described(&self) -> Result<String> {
        let copy = self.copy()?;
        let (seq, head, waits, held) = (copy.seq(), copy.head(), copy.pending().count(), copy.held());
        let (status, error) = (self.driver.replica().sync_status(self.book), self.driver.last_error());
        Ok(format!("{status:?} at {seq} of {head}, {waits} wait, held {held:?}, last error {error:?}, {:?}", self.last))
    }

    fn copy(&self) -> Result<&BookCopy<Ledger>> {
        self.driver.replica().book(self.book).context("the book is open")
    }
}
