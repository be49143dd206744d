//! The store as its callers see it: cheap to clone, and every call safe to abandon.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tidebook_book::{
    BookId, ChainHash, EncodedEntry, MutationId, MutationNumber, Person, ReplicaId, Role, Seq, UnixMillis, UserId,
};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::sqlite::{self, Message, ReadPool, SqlError};
use crate::{
    AccountCreated, AccountRow, Append, BookRow, Created, EntryLimit, NewAccount, NewBook, NewSession, OpenError,
    Place, ReplicaRow, SessionRow, StoreError,
};

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
        Ok(Self { jobs, readers, writer_ended })
    }

    /// Finishes the writes that were accepted, refuses all others, also those of clones, and frees the file.
    pub async fn close(mut self) {
        // It fails where a clone's close came first; then this one waits with it.
        let _ = self.jobs.send(Message::Close).await;
        while self.writer_ended.changed().await.is_ok() {}
    }

    // The log.

    /// Creates a book together with the beginning of its log.
    pub async fn create_book(&self, book: NewBook) -> Result<Created, StoreError> {
        self.write(book.first.weight(), move |conn| sqlite::append::create_book(conn, &book)).await
    }

    /// Appends to a book's log, if its head is still the one this was decided on.
    ///
    /// [`StoreError::Conflict`] where it is not, where there is no such book, or where a mutation's id or number is in
    /// the log already.
    pub async fn append(&self, append: Append) -> Result<(), StoreError> {
        self.write(append.weight(), move |conn| sqlite::append::append(conn, &append)).await
    }

    pub async fn book(&self, book: BookId) -> Result<Option<BookRow>, StoreError> {
        self.read(move |conn| sqlite::log::book(conn, book)).await
    }

    /// The books this person is a member of, oldest membership first.
    pub async fn books_of(&self, user: UserId) -> Result<Vec<(BookRow, Role)>, StoreError> {
        self.read(move |conn| sqlite::log::books_of(conn, user)).await
    }

    /// The entries right after `after`, in order and without a gap; none where there are none.
    pub async fn entries(&self, book: BookId, after: Seq, limit: EntryLimit) -> Result<Vec<EncodedEntry>, StoreError> {
        self.read(move |conn| sqlite::log::entries(conn, book, after, limit)).await
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
        self.read(move |conn| sqlite::log::places(conn, book, &ids, &numbers)).await
    }

    /// The chain's hash at a seq. At [`Seq::ZERO`] every book has [`ChainHash::ZERO`].
    pub async fn hash_at(&self, book: BookId, seq: Seq) -> Result<Option<ChainHash>, StoreError> {
        self.read(move |conn| sqlite::log::hash_at(conn, book, seq)).await
    }

    /// Every replica that has a number in this book.
    pub async fn replicas(&self, book: BookId) -> Result<Vec<ReplicaRow>, StoreError> {
        self.read(move |conn| sqlite::log::replicas(conn, book)).await
    }

    /// Who first used this replica, in any book.
    pub async fn replica_owner(&self, replica: ReplicaId) -> Result<Option<UserId>, StoreError> {
        self.read(move |conn| sqlite::log::replica_owner(conn, replica)).await
    }

    /// Members and former members, by first membership. Who has no account any more has no name.
    pub async fn people(&self, book: BookId) -> Result<Vec<Person>, StoreError> {
        self.read(move |conn| sqlite::log::people(conn, book)).await
    }

    // Accounts.

    /// Creates an account, unless its e-mail address has one.
    pub async fn create_account(&self, account: NewAccount) -> Result<AccountCreated, StoreError> {
        self.write(0, move |conn| sqlite::accounts::create_account(conn, &account)).await
    }

    pub async fn account_count(&self) -> Result<u64, StoreError> {
        self.read(sqlite::accounts::account_count).await
    }

    /// The account of this e-mail address, compared as it is stored.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<AccountRow>, StoreError> {
        let email = email.to_owned();
        self.read(move |conn| sqlite::accounts::account_by_email(conn, &email)).await
    }

    pub async fn account(&self, user: UserId) -> Result<Option<AccountRow>, StoreError> {
        self.read(move |conn| sqlite::accounts::account(conn, user)).await
    }

    /// Begins a session of an account that exists.
    pub async fn create_session(&self, session: NewSession) -> Result<(), StoreError> {
        self.write(0, move |conn| sqlite::accounts::create_session(conn, &session)).await
    }

    /// The session of the token with this hash, also one that has expired.
    pub async fn session(&self, token_hash: [u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        self.read(move |conn| sqlite::accounts::session(conn, token_hash)).await
    }

    /// A person's sessions, oldest first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<SessionRow>, StoreError> {
        self.read(move |conn| sqlite::accounts::sessions_of(conn, user)).await
    }

    /// Notes that a session was seen. A session that is no more stays that way.
    pub async fn touch_session(&self, id: Uuid, at: UnixMillis) -> Result<(), StoreError> {
        self.write(0, move |conn| sqlite::accounts::touch_session(conn, id, at)).await
    }

    /// Ends a session of this person; false where they have no such session.
    pub async fn end_session(&self, user: UserId, id: Uuid) -> Result<bool, StoreError> {
        self.write(0, move |conn| sqlite::accounts::end_session(conn, user, id)).await
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
        entries + self.summary.as_ref().map_or(0, String::len)
    }
}
