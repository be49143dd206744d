//! The store as its callers see it: cheap to clone, and every call safe to abandon. Here is what concerns the log.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tidebook_book::{
    Author, BookId, ChainHash, EncodedEntry, MutationId, MutationNumber, ReplicaId, Seq, UnixMillis, UserId,
};
use tokio::sync::{mpsc, watch};

use crate::sqlite::{self, Message, ReadPool, SqlError};
use crate::{AnswerRow, Append, Created, EntryLimit, FormerEpoch, NewBook, OpenError, Place, ReplicaRow, StoreError};

mod accounts;
mod books;
mod invites;

/// More keys than these are looked up on a thread that may take its time.
const LOOKED_UP_HERE_MAX: usize = 64;

/// Owners of replicas that are remembered: 4 MiB, and more replicas than write within minutes.
const OWNERS_REMEMBERED_MAX: usize = 65_536;

/// How many answers one write forgets: all other writes wait for it, so it ends after a few milliseconds.
const FORGOTTEN_AT_ONCE_MAX: u32 = 1_000;

/// Appends to the book that is being brought.
pub type AppendOne<'a> = dyn FnMut(&Append) -> Result<(), StoreError> + 'a;

/// An open store. Clones share it; it closes when the last one is dropped, or by [`Store::close`].
///
/// A write that was abandoned while it waited for its turn was not done; one that was abandoned later is done or failed
/// as a whole, as if somebody had waited for it.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Message>,
    readers: Arc<ReadPool>,
    /// Its other end goes when the writer has ended.
    writer_ended: watch::Receiver<()>,
    /// A replica's owner stays its owner.
    owners: Arc<Mutex<HashMap<ReplicaId, UserId>>>,
}

impl Store {
    /// Opens the store in this file, and creates it where there is none.
    ///
    /// Checks all of it before it says yes, which takes time in proportion to its size, and holds it against every other
    /// process until it is closed.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let opened = sqlite::open(path)?;
        let readers = Arc::new(ReadPool::new(path));
        let (jobs, writer_ended) = sqlite::start_writer(opened, Arc::clone(&readers))
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Self { jobs, readers, writer_ended, owners: Arc::default() })
    }

    /// Finishes the writes that were accepted, refuses all others, also those of clones, and frees the file.
    pub async fn close(mut self) {
        // It fails where a clone's close came first; then this one waits with it.
        let _ = self.jobs.send(Message::Close).await;
        while self.writer_ended.changed().await.is_ok() {}
    }

    /// Creates a book together with the beginning of its log.
    pub async fn create_book(&self, book: NewBook) -> Result<Created, StoreError> {
        self.write(book.first.weight(), move |conn| sqlite::append::create_book(conn, &book)).await
    }

    /// Creates a book together with all of a log that comes from elsewhere: what `log` hands over, append by append. It
    /// is all there afterwards or nothing of it is. Everybody else who writes waits for it.
    pub async fn bring_book(
        &self,
        book: NewBook,
        former: FormerEpoch,
        log: impl FnOnce(&mut AppendOne<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Created, StoreError> {
        let bring = move |conn: &Connection| sqlite::append::bring_book(conn, &book, former, log);
        self.write(sqlite::CHECKPOINT_AFTER_BYTES, bring).await
    }

    /// Appends to a book's log, if its head is still the one this was decided on.
    ///
    /// [`StoreError::Conflict`] where it is not, where there is no such book, or where a mutation's id or number is in
    /// the log or has been answered already, or where the invite it uses is used up or gone.
    pub async fn append(&self, append: Append) -> Result<(), StoreError> {
        self.write(append.weight(), move |conn| sqlite::append::append(conn, &append)).await
    }

    /// The entries right after `after`, in order and without a gap; none where there are none.
    pub async fn entries(&self, book: BookId, after: Seq, limit: EntryLimit) -> Result<Vec<EncodedEntry>, StoreError> {
        self.read(move |conn| sqlite::log::entries(conn, book, after, limit)).await
    }

    /// The entry that this mutation became.
    pub async fn entry_of(&self, book: BookId, mutation: MutationId) -> Result<Option<EncodedEntry>, StoreError> {
        self.look_up(|conn| sqlite::log::entry_of(conn, book, mutation)).await
    }

    /// What the REST write that was this mutation was answered, as far as that is remembered.
    pub async fn answer(&self, book: BookId, mutation: MutationId) -> Result<Option<AnswerRow>, StoreError> {
        self.look_up(|conn| sqlite::answers::answer(conn, book, mutation)).await
    }

    /// Forgets the answers given before this moment, in all books, and tells how many there were. Many of them take
    /// several writes; whoever abandons this has forgotten some.
    pub async fn forget_answers(&self, before: UnixMillis) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let forget = move |conn: &Connection| sqlite::answers::forget_answers(conn, before, FORGOTTEN_AT_ONCE_MAX);
            let count = self.write(0, forget).await?;
            forgotten += count;
            if count < u64::from(FORGOTTEN_AT_ONCE_MAX) {
                return Ok(forgotten);
            }
        }
    }

    /// One replica's own entries with a number of at least `from`, up to the seq `up_to`, in ascending order.
    pub async fn fates(
        &self,
        book: BookId,
        replica: ReplicaId,
        from: MutationNumber,
        up_to: Seq,
        limit: EntryLimit,
    ) -> Result<Vec<EncodedEntry>, StoreError> {
        self.read(move |conn| sqlite::log::fates(conn, book, replica, from, up_to, limit)).await
    }

    /// Where those of these mutations stand that are in the log, by seq. One found by its id and by its number comes once.
    pub async fn places(
        &self,
        book: BookId,
        ids: Vec<MutationId>,
        numbers: Vec<(ReplicaId, MutationNumber)>,
    ) -> Result<Vec<Place>, StoreError> {
        if ids.len() + numbers.len() <= LOOKED_UP_HERE_MAX {
            return self.look_up(|conn| sqlite::log::places(conn, book, &ids, &numbers)).await;
        }
        self.read(move |conn| sqlite::log::places(conn, book, &ids, &numbers)).await
    }

    /// The chain's hash at a seq. At [`Seq::ZERO`] every book has [`ChainHash::ZERO`].
    pub async fn hash_at(&self, book: BookId, seq: Seq) -> Result<Option<ChainHash>, StoreError> {
        self.look_up(|conn| sqlite::log::hash_at(conn, book, seq)).await
    }

    /// Every replica that has a number in this book.
    pub async fn replicas(&self, book: BookId) -> Result<Vec<ReplicaRow>, StoreError> {
        self.read(move |conn| sqlite::log::replicas(conn, book)).await
    }

    /// Who first used this replica, in any book.
    pub async fn replica_owner(&self, replica: ReplicaId) -> Result<Option<UserId>, StoreError> {
        if let Some(owner) = self.owners().get(&replica) {
            return Ok(Some(*owner));
        }
        let owner = self.look_up(|conn| sqlite::log::replica_owner(conn, replica)).await?;
        if let Some(owner) = owner {
            let mut owners = self.owners();
            if owners.len() >= OWNERS_REMEMBERED_MAX {
                owners.clear();
            }
            owners.insert(replica, owner);
        }
        Ok(owner)
    }

    /// Whether somebody may write under this replica id: it belongs to who first used it, and to nobody before.
    pub async fn may_write_as(&self, Author { user, replica }: Author) -> Result<bool, StoreError> {
        Ok(self.replica_owner(replica).await?.is_none_or(|owner| owner == user))
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<ReplicaId, UserId>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the writer do this within its next commit, and waits until that is on disk.
    async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&Connection) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = sqlite::job(bytes, work);
        self.jobs.send(Message::Job(job)).await.map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Finds a few rows by their keys.
    async fn look_up<T>(&self, work: impl FnOnce(&Connection) -> Result<T, SqlError>) -> Result<T, StoreError> {
        self.readers.look_up(work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(work).await
    }
}

impl Append {
    /// About how many bytes it brings into the database.
    fn weight(&self) -> usize {
        let entries: usize = self.entries.iter().map(|new| new.entry.bytes.len()).sum();
        let answers: usize = self.answers.iter().map(|new| new.body.len()).sum();
        entries + answers + self.summary.as_ref().map_or(0, String::len)
    }
}
