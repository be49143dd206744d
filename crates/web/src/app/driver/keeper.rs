//! One account's store on this device: a database that all tabs share, and the channel on which they tell each other.

use serde::de::DeserializeOwned;
use tidebook_book::{BookId, MutationId, ReplicaId, Seq, UserId};
use tidebook_replica::{Forget, Lacking, StoreWrite, Stored, Unsent};
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use super::clock::new_id;
use super::database::{Database, Fault, Mode, Rows, Transaction, pair, pairs_of};

const REPLICA: &str = "replica";
/// The name of the list of books as it was last known.
pub(crate) const BOOKS: &str = "books";
/// The name of the book that the person was removed from last.
pub(crate) const LOST: &str = "lost";

pub(crate) struct Keeper {
    database: Database,
    channel: Option<BroadcastChannel>,
    /// Whose numbers are in the store when it was opened.
    pub(super) replica: ReplicaId,
}

/// The database of what the device remembers beside its accounts. (What a page's local storage takes is on the disk some
/// seconds later, or never.)
const DEVICE: &str = "tidebook";
/// The name of who was here last.
pub(crate) const PERSON: &str = "person";
/// The name of the book that is on this device alone.
pub(crate) const ALONE: &str = "alone";

/// What the device remembers under a name.
pub(crate) async fn device_fact<T: DeserializeOwned>(name: &str) -> Option<T> {
    let database = Database::open(DEVICE).await.ok()?;
    let transaction = database.transaction(Mode::Read).ok()?;
    serde_json::from_str(&transaction.get(Rows::Facts, &name.into()).await.ok()??).ok()
}

/// All of them at once, or none.
pub(crate) async fn keep_device_facts(facts: &[(&str, String)]) -> Result<(), Fault> {
    let database = Database::open(DEVICE).await?;
    let transaction = database.transaction(Mode::WriteForGood)?;
    for (name, fact) in facts {
        transaction.put(Rows::Facts, &(*name).into(), fact)?;
    }
    transaction.done().await
}

impl Keeper {
    /// Opens the account's store, or makes it.
    pub(crate) async fn open(user: UserId) -> Result<Self, Fault> {
        let name = name_of(user);
        let database = Database::open(&name).await?;
        let transaction = database.transaction(Mode::WriteForGood)?;
        let replica = replica_or(&transaction, None).await?;
        transaction.done().await?;
        // A browser without it shows what other tabs wrote when it hears of it from the server.
        let channel = BroadcastChannel::new(&name).ok();
        Ok(Self { database, channel, replica })
    }

    /// The account's store goes, with everything in it, in every tab.
    pub(crate) async fn delete(user: UserId) {
        // What the browser does not delete now it deletes when the last tab lets go of it.
        let _ = Database::delete(&name_of(user)).await;
    }

    /// Calls back when another tab wrote something of a book.
    pub(super) fn listen(&self, heard: impl Fn(BookId) + 'static) {
        let Some(channel) = &self.channel else { return };
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            event.data().as_string().and_then(|book| book.parse().ok()).into_iter().for_each(&heard);
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        // As long as the page.
        heard.forget();
    }

    pub(super) fn tell_others(&self, book: BookId) {
        if let Some(channel) = &self.channel {
            // Fails only where it was closed.
            let _ = channel.post_message(&book.to_string().into());
        }
    }

    pub(super) fn transaction(&self, mode: Mode) -> Result<Transaction, Fault> {
        self.database.transaction(mode)
    }

    /// Gives the store another replica id, unless another tab has done so.
    pub(super) async fn renew_replica(&self, old: ReplicaId) -> Result<ReplicaId, Fault> {
        let transaction = self.transaction(Mode::WriteForGood)?;
        let replica = replica_or(&transaction, Some(old)).await?;
        transaction.done().await?;
        Ok(replica)
    }

    /// What was kept under a name.
    pub(crate) async fn fact<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let transaction = self.transaction(Mode::Read).ok()?;
        serde_json::from_str(&transaction.get(Rows::Facts, &name.into()).await.ok()??).ok()
    }

    pub(super) async fn keep_fact(&self, name: &str, text: &str) -> Result<(), Fault> {
        let transaction = self.transaction(Mode::WriteForGood)?;
        transaction.put(Rows::Facts, &name.into(), text)?;
        transaction.done().await
    }

    /// What is kept of a book and is not in it.
    pub(crate) async fn unsent(&self, book: BookId) -> Result<Unsent, Fault> {
        // Nobody asks for the book itself: of that, nothing is lacking.
        let lacking = Lacking::EntriesAfter(Seq(u64::MAX));
        let stored = self.transaction(Mode::Read)?.read(book, String::new(), lacking).await?;
        Ok(Unsent::of_rows(stored.outbox, stored.rejections))
    }

    /// Forgets all of a book.
    pub(super) async fn forget(&self, book: BookId) -> Result<(), Fault> {
        let transaction = self.transaction(Mode::WriteForGood)?;
        let key = book.to_string();
        for rows in [Rows::Heads, Rows::States] {
            transaction.delete(rows, &key.as_str().into())?;
        }
        for rows in [Rows::Entries, Rows::Outbox, Rows::Rejections, Rows::Confirmed] {
            transaction.delete(rows, &pairs_of(&key, None, None)?)?;
        }
        transaction.done().await
    }
}

fn name_of(user: UserId) -> String {
    format!("tidebook-{user}")
}

/// The store's replica id: a new one where there is none, or where it is still `outworn`.
async fn replica_or(transaction: &Transaction, outworn: Option<ReplicaId>) -> Result<ReplicaId, Fault> {
    let stored = transaction.get(Rows::Facts, &REPLICA.into()).await?;
    let stored = stored.and_then(|id| id.parse().ok()).filter(|id| Some(*id) != outworn);
    if let Some(replica) = stored {
        return Ok(replica);
    }
    let replica = ReplicaId(new_id());
    transaction.put(Rows::Facts, &REPLICA.into(), &replica.to_string())?;
    Ok(replica)
}

impl Transaction {
    /// A store without one is closed for good: what was in it is on its way into another.
    pub(super) async fn replica(&self) -> Result<ReplicaId, Fault> {
        self.get(Rows::Facts, &REPLICA.into()).await?.and_then(|id| id.parse().ok()).ok_or(Fault::Moved)
    }

    pub(super) fn close_for_good(&self) -> Result<(), Fault> {
        self.delete(Rows::Facts, &REPLICA.into())
    }

    pub(super) async fn head(&self, book: BookId) -> Result<Option<String>, Fault> {
        self.get(Rows::Heads, &book.to_string().into()).await
    }

    /// What is lacking of a book whose head is this.
    pub(super) async fn read(&self, book: BookId, head: String, lacking: Lacking) -> Result<Stored, Fault> {
        let key = book.to_string();
        let (state, after) = match lacking {
            Lacking::Everything(seq) => (self.get(Rows::States, &key.as_str().into()).await?, seq),
            Lacking::EntriesAfter(seq) => (None, seq),
        };
        let entries = self.all(Rows::Entries, &pairs_of(&key, Some(number(after)), None)?).await?;
        let outbox = self.all_of(Rows::Outbox, book).await?;
        let rejections = self.all_of(Rows::Rejections, book).await?;
        Ok(Stored { lacking, head, state, entries, outbox, rejections })
    }

    /// All rows of one kind that a book has.
    pub(super) async fn all_of(&self, rows: Rows, book: BookId) -> Result<Vec<String>, Fault> {
        self.all(rows, &pairs_of(&book.to_string(), None, None)?).await
    }

    /// Of the entries after a seq, the first that is kept, and those that mention something.
    pub(super) async fn entries_mentioning(
        &self,
        book: BookId,
        after: Seq,
        what: &str,
    ) -> Result<(Option<String>, Vec<String>), Fault> {
        self.mentioning(Rows::Entries, &pairs_of(&book.to_string(), Some(number(after)), None)?, what).await
    }

    pub(super) fn write(&self, book: BookId, write: &StoreWrite) -> Result<(), Fault> {
        let key = book.to_string();
        self.put(Rows::Heads, &key.as_str().into(), &write.head)?;
        if let Some(state) = &write.state {
            self.put(Rows::States, &key.as_str().into(), state)?;
        }
        for (rows, texts) in [(Rows::Entries, &write.entries), (Rows::Confirmed, &write.confirmed)] {
            match write.forget {
                Forget::Nothing => {}
                Forget::UpTo(seq) => self.delete(rows, &pairs_of(&key, None, Some(number(seq)))?)?,
                Forget::All => self.delete(rows, &pairs_of(&key, None, None)?)?,
            }
            for (seq, text) in texts {
                self.put(rows, &pair(&key, number(*seq).into()), text)?;
            }
        }
        self.write_rows(Rows::Outbox, &key, &write.outbox)?;
        self.write_rows(Rows::Rejections, &key, &write.rejections)
    }

    fn write_rows(&self, rows: Rows, book: &str, changes: &[(MutationId, Option<String>)]) -> Result<(), Fault> {
        for (id, text) in changes {
            let key = pair(book, id.to_string().into());
            match text {
                Some(text) => self.put(rows, &key, text)?,
                None => self.delete(rows, &key)?,
            }
        }
        Ok(())
    }
}

/// Seqs stay far below 2^53.
fn number(seq: Seq) -> f64 {
    seq.0 as f64
}
