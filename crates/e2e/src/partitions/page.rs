//! The app in a browser: what is typed there, and what it keeps of the book.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use tidebook_book::{BookId, Seq, UserId};
use tidebook_client::new_replica;
use tidebook_ledger::Ledger;
use tidebook_replica::{Keeps, Lacking, Replica, ReplicaConfig, Stored};

use super::Truth;
use crate::{Account, Browser, Dice, Front, Tab, Typed};

/// Once in so many edits somebody new comes into the book.
const PERSON_EVERY: usize = 4;

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
    name: String,
    tab: Tab,
    user: UserId,
    book: BookId,
    /// How much was typed.
    pub(super) typed: usize,
}

impl Page {
    /// Opens the app in a tab that can be seen: what a browser does to hidden ones is not what is tried here.
    pub(super) async fn open(
        name: String,
        browser: &Browser,
        front: &Front,
        account: &Account,
        book: BookId,
    ) -> Result<Self> {
        let mut tab = browser.tab(&front.origin()).await?;
        tab.show().await?;
        tab.wait_for_book().await?;
        Ok(Self { name, tab, user: account.user, book, typed: 0 })
    }

    pub(super) async fn write(&mut self, dice: &mut Dice) -> Result<()> {
        let typed = Typed { text: self.text(self.typed), is_line: !dice.once_in(PERSON_EVERY) };
        self.typed += 1;
        self.tab.type_all(&[typed]).await
    }

    /// Waits until the page says that everything is in the book, without a word to it: it has to come back by itself.
    pub(super) async fn catch_up(&mut self, within: Duration) -> Result<()> {
        let syncing = self.tab.wait_until_it_synced_by_itself(within).await;
        syncing.with_context(|| format!("stuck after {within:?} more"))
    }

    /// Where the book is in what the browser keeps, once that is no earlier than `seq`.
    pub(super) async fn reached(&mut self, seq: Seq, within: Duration) -> Result<Truth> {
        let begun = Instant::now();
        loop {
            let (here, waits) = self.kept().await?;
            if here.seq >= seq && waits == 0 {
                return Ok(here);
            }
            ensure!(begun.elapsed() < within, "stuck at {} of {seq} after {within:?} more, {waits} wait", here.seq);
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
            user: self.user,
            client: String::new(),
            token: None,
            seed: 0,
            keeps: Keeps::InStore,
        };
        let mut reader = Replica::<Ledger>::new(config);
        reader.open_stored_book(self.book, &stored)?;
        let copy = reader.book(self.book).context("the book was opened")?;
        // The chip would tell of one whatever else is not done.
        ensure!(copy.rejections().is_empty(), "the browser has a rejection: {:?}", copy.rejections());
        let here = Truth { seq: copy.seq(), hash: copy.hash(), state_hash: copy.view().hash() };
        Ok((here, copy.pending().count()))
    }

    /// Everything that was typed here.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        (0..self.typed).map(|nth| self.text(nth))
    }

    fn text(&self, nth: usize) -> String {
        format!("{}, {nth}", self.name)
    }

    pub(super) async fn close(self) -> Result<()> {
        self.tab.close().await
    }
}
