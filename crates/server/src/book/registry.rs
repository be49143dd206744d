//! Which books are active, and who may have which.
//!
//! [`Books::access`] is the one place that decides: REST, sockets, feeds, snapshots and exports all come through it, and
//! a book's handle is had from it alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tidebook_book::{BookId, Role, UserId};
use tidebook_event_store::{InviteRow, Store, StoreError};
use tokio::sync::OnceCell;

use crate::book::{BookHandle, Committed, PurgeBy, Purged, Unavailable};

/// Books held in memory without anyone using them. Loading one again costs a replay of its log.
const IDLE_BOOKS_MAX: usize = 1000;

/// Who holds the ring of a book that nobody uses: its handle in here, its actor and its herald.
const RINGS_HELD_IDLE: usize = 3;

/// Why they don't get it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    /// Not a member, or no such book: the two are not told apart.
    #[error("no such book")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The proof that a person may read a book. What they may write is for its authority to say, with their role at that seq.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) handle: BookHandle,
    pub(crate) role: Role,
    user: UserId,
}

impl Access {
    /// Reads the committed state, if the person is still a member in it.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(Committed<'_>) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let user = self.user;
        let read = self.handle.read(move |now| now.authority.state().role_of(user).is_some().then(|| read(now)));
        read.await?.ok_or(ReadError::NotAMember)
    }

    /// What was read beside the state is theirs only if they are a member after it was read.
    pub(crate) fn check_after(&self) -> Result<(), ReadError> {
        self.role_now().map(drop).ok_or(ReadError::NotAMember)
    }

    /// The person's role as of the last commit.
    pub(crate) fn role_now(&self) -> Option<Role> {
        self.handle.ring.role_of(self.user)
    }
}

/// Why there is nothing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("not a member any more")]
    NotAMember,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

type Slot = Arc<OnceCell<BookHandle>>;

/// All active books.
#[derive(Debug)]
pub(crate) struct Books {
    store: Store,
    active: Mutex<HashMap<BookId, Slot>>,
}

impl Books {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, active: Mutex::default() }
    }

    /// The book, for one of its members.
    pub(crate) async fn access(&self, user: UserId, book: BookId) -> Result<Access, Denied> {
        let handle = self.handle_for_member(user, book).await?;
        let role = handle.ring.role_of(user).ok_or(Denied::NotFound)?;
        Ok(Access { handle, role, user })
    }

    /// Removes all of a book, if this person may still ask for it then. Its actor does so, after all it accepted; whoever
    /// follows it is told that it is gone.
    pub(crate) async fn purge(&self, book: BookId, by: PurgeBy) -> Result<Purged, StoreError> {
        while let Some(handle) = self.open(book).await? {
            // One that stopped before it got to it leaves the book as it was.
            if let Ok(purged) = handle.purge(by).await {
                return purged;
            }
        }
        Ok(Purged::Gone)
    }

    /// Somebody is called otherwise now, or nothing any more: those who share or shared a book with them are told.
    pub(crate) async fn person_renamed(&self, user: UserId) -> Result<(), StoreError> {
        for book in self.store.books_that_name(user).await? {
            if let Some(handle) = self.active_handle(book) {
                handle.ring.people_renamed();
            }
        }
        Ok(())
    }

    /// The book, for somebody who is to become a member of it.
    pub(crate) async fn for_invited(&self, invite: &InviteRow) -> Result<BookHandle, Denied> {
        self.open(invite.book).await?.ok_or(Denied::NotFound)
    }

    /// A stranger's request must not make the server load a book: the store is asked first.
    async fn handle_for_member(&self, user: UserId, book: BookId) -> Result<BookHandle, Denied> {
        if let Some(handle) = self.active_handle(book) {
            return Ok(handle);
        }
        let memberships = self.store.books_of(user).await?;
        if memberships.iter().all(|(row, _)| row.id != book) {
            return Err(Denied::NotFound);
        }
        self.open(book).await?.ok_or(Denied::NotFound)
    }

    fn active_handle(&self, book: BookId) -> Option<BookHandle> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active.get(&book)?.get().filter(|handle| handle.is_alive()).cloned()
    }

    async fn open(&self, book: BookId) -> Result<Option<BookHandle>, StoreError> {
        let slot = self.slot(book);
        let loaded = slot
            .get_or_try_init(|| async { BookHandle::load(self.store.clone(), book).await.map_err(Some)?.ok_or(None) })
            .await;
        match loaded {
            Ok(handle) => Ok(Some(handle.clone())),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// The book's place, cleared of a handle whose actor has stopped.
    fn slot(&self, book: BookId) -> Slot {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        if active.len() > IDLE_BOOKS_MAX {
            // Whoever uses a book holds a clone of its handle, and with it of its ring; whoever is about to, of its place.
            active.retain(|_, slot| {
                let is_used = |handle: &BookHandle| Arc::strong_count(&handle.ring) > RINGS_HELD_IDLE;
                Arc::strong_count(slot) > 1 || slot.get().is_none_or(is_used)
            });
        }
        let slot = active.entry(book).or_default();
        if slot.get().is_some_and(|handle| !handle.is_alive()) {
            *slot = Slot::default();
        }
        Arc::clone(slot)
    }
}
