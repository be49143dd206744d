//! A browser whose line parts and heals while somebody types.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use tidebook_book::BookId;
use tidebook_client::new_replica;
use tidebook_ledger::Ledger;
use tidebook_replica::{Keeps, Lacking, Replica, ReplicaConfig, Stored};

use super::partition::Partition;
use super::{CURRENT_WITHIN, Rounds, Truth};
use crate::{Account, Dice, Front, Tab, Typed};

/// Edits a partition.
const BURST_MAX: usize = 2;

/// What the browser keeps of the book: its rows.
const KEPT: &str = "
    const name = (await indexedDB.databases()).map(it => it.name).find(it => it.startsWith('tidebook-'));
    const done = request => new Promise((go, fail) => {
        request.onsuccess = () => go(request.result);
        request.onerror = () => fail(request.error);
    });
    const database = await done(indexedDB.open(name));
    const transaction = database.transaction(['heads', 'states', 'entries', 'outbox', 'rejections']);
    const all = (rows, range) => done(transaction.objectStore(rows).getAll(range));
    const [[book], [head], [state], outbox, rejections] = await Promise.all([
        done(transaction.objectStore('heads').getAllKeys()), all('heads'), all('states'), all('outbox'), all('rejections')]);
    const after = IDBKeyRange.bound([book, JSON.parse(head).state_seq], [book, []], true);
    const entries = await all('entries', after);
    database.close();
    return { head, state, entries, outbox, rejections };";

#[derive(Deserialize)]
struct Kept {
    head: String,
    state: Option<String>,
    entries: Vec<String>,
    outbox: Vec<String>,
    rejections: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Page {
    front: Front,
    tab: Tab,
    mira: Account,
    book: BookId,
    dice: Dice,
    /// How much was typed.
    pub(super) typed: usize,
}

impl Page {
    pub(super) fn new(front: Front, tab: Tab, mira: Account, book: BookId, dice: Dice) -> Self {
        Self { front, tab, mira, book, dice, typed: 0 }
    }

    pub(super) async fn play(&mut self, rounds: &Rounds) -> Result<()> {
        while rounds.take() {
            let partition = Partition::throw(&mut self.dice);
            self.round(partition).await.with_context(|| format!("the browser in {partition:?}"))?;
        }
        Ok(())
    }

    async fn round(&mut self, partition: Partition) -> Result<()> {
        partition.begin(&self.front);
        let count = 1 + self.dice.below(BURST_MAX);
        let burst: Vec<Typed> =
            (0..count).map(|nth| Typed { text: text(self.typed + nth), is_line: !self.dice.once_in(4) }).collect();
        self.typed += count;
        self.tab.type_all(&burst).await?;
        // How long it lasts is what is random here.
        tokio::time::sleep(partition.lasts).await;
        partition.heal(&self.front);
        if partition.loses_lines() || self.dice.once_in(2) {
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Waits until the page says that everything is in the book. What others wrote raises conflicts.
    pub(super) async fn catch_up(&mut self) -> Result<()> {
        self.tab.wait_until_synced_or_undecided().await.context("stuck")
    }

    /// Waits until what the browser keeps is up to where the log is, and compares.
    pub(super) async fn meet(&mut self, truth: &Truth) -> Result<()> {
        let begun = Instant::now();
        loop {
            let (here, waits) = self.kept().await?;
            if here.seq >= truth.seq && waits == 0 {
                ensure!(here == *truth, "diverged: the browser keeps {here:?}, the server {truth:?}");
                return Ok(());
            }
            let (seq, within) = (here.seq, CURRENT_WITHIN);
            ensure!(
                begun.elapsed() < within,
                "stuck: the browser keeps {seq} of {} after {within:?}, {waits} wait",
                truth.seq
            );
            // Between two looks: what the page has not written yet it writes soon.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What is kept, read as a device reads its own store; and how much of it waits.
    async fn kept(&mut self) -> Result<(Truth, usize)> {
        let Kept { head, state, entries, outbox, rejections } =
            serde_json::from_value(self.tab.run(KEPT, &Value::Null).await?)?;
        let stored = Stored { lacking: Lacking::all_of(&head)?, head, state, entries, outbox, rejections };
        let config = ReplicaConfig {
            replica: new_replica(),
            user: self.mira.user,
            client: String::new(),
            token: None,
            seed: 0,
            keeps: Keeps::InStore,
        };
        let mut reader = Replica::<Ledger>::new(config);
        reader.open_stored_book(self.book, &stored)?;
        let copy = reader.book(self.book).context("the book was opened")?;
        let here = Truth { seq: copy.seq(), hash: copy.hash(), state_hash: copy.view().hash() };
        Ok((here, copy.pending().count()))
    }

    /// Everything that was typed here.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        (0..self.typed).map(text)
    }

    pub(super) async fn close(self) -> Result<()> {
        self.tab.close().await
    }
}

fn text(nth: usize) -> String {
    format!("Browser {nth}")
}
