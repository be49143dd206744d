//! Somebody else who writes to the same book, without a browser.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tidebook_book::BookId;
use tidebook_client::{Api, Driver, Happened, Store, new_replica};
use tidebook_ledger::{Checked, ContactId, Direction, LedgerOp, TransactionId};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{Account, Server};

const CLIENT: &str = "tidebook-e2e/1";

/// How long the server may take over what is written.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);

/// Ops a mutation.
const OPS_PER_MUTATION: usize = 100;

/// A replica of a book.
#[derive(Debug)]
pub struct Writer {
    driver: Driver,
    book: BookId,
}

impl Writer {
    /// Opens the book and waits until all of it is here.
    pub async fn open(server: &Server, account: &Account, book: BookId) -> Result<Self> {
        let api = Api::new(&server.origin(), Some(account.token.clone()))?;
        let mut driver = Driver::new(api, Store::in_memory(new_replica())?, account.user, CLIENT)?;
        driver.open_book(book)?;
        let mut writer = Self { driver, book };
        let is_here = |driver: &Driver| driver.replica().book(book).is_some_and(|copy| copy.is_current());
        writer.work_until("the book is here", is_here).await?;
        Ok(writer)
    }

    /// Writes all of it, and waits until the server has it.
    pub async fn write(&mut self, ops: Vec<LedgerOp>) -> Result<()> {
        self.write_by(OPS_PER_MUTATION, ops).await
    }

    /// The same with so many ops a mutation.
    pub async fn write_by(&mut self, ops_per_mutation: usize, ops: Vec<LedgerOp>) -> Result<()> {
        for batch in ops.chunks(ops_per_mutation) {
            self.driver.mutate(self.book, batch.to_vec())?;
        }
        let book = self.book;
        let is_sent = |driver: &Driver| driver.replica().book(book).is_some_and(|copy| copy.pending().next().is_none());
        self.work_until("the server has what was written", is_sent).await
    }

    async fn work_until(&mut self, what: &str, is_done: impl Fn(&Driver) -> bool) -> Result<()> {
        let deadline = Instant::now() + WRITTEN_WITHIN;
        while !is_done(&self.driver) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.driver.next_within(left).await? {
                Some(Happened::Rejected { .. }) => bail!("the server rejected what was written"),
                Some(_) => {}
                None => {
                    let reason = self.driver.last_error().unwrap_or("no reason given").to_owned();
                    bail!("waited {} s until {what}: {reason}", WRITTEN_WITHIN.as_secs());
                }
            }
        }
        Ok(())
    }
}

/// The op that brings somebody into the book, and their id.
pub fn person(name: &str) -> (ContactId, LedgerOp) {
    let id = ContactId(Uuid::now_v7());
    (id, LedgerOp::create_contact(id, name))
}

/// The op "I gave": `amount` in minor units, `date` as `2026-11-22`.
pub fn gave(contact: ContactId, amount: i64, currency: &str, date: &str, note: &str) -> Result<LedgerOp> {
    transaction(contact, Direction::Gave, amount, currency, date, note)
}

/// The op "I got".
pub fn got(contact: ContactId, amount: i64, currency: &str, date: &str, note: &str) -> Result<LedgerOp> {
    transaction(contact, Direction::Got, amount, currency, date, note)
}

fn transaction(
    contact: ContactId,
    direction: Direction,
    amount: i64,
    currency: &str,
    date: &str,
    note: &str,
) -> Result<LedgerOp> {
    Ok(LedgerOp::CreateTransaction {
        id: TransactionId(Uuid::now_v7()),
        contact,
        direction: Checked::Valid(direction),
        amount,
        currency: Checked::Valid(currency.parse().context("a currency")?),
        date: Checked::Valid(date.parse().context("a date")?),
        note: Some(note.into()),
        due: None,
    })
}
