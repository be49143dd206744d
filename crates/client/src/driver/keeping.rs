//! Keeps what the replica holds in the store, and takes in what other programs put there.

use tidebook_book::{BookId, ReplicaId};
use tidebook_ledger::Ledger;
use tidebook_replica::{BookCopy, Monotonic, Replica};
use uuid::Uuid;

use super::Driver;
use crate::StoreError;
use crate::store::Rows;

impl Driver {
    /// Follows a book from now on, beginning with what the store has of it.
    pub fn open_book(&mut self, book: BookId) -> Result<(), StoreError> {
        if !self.books.insert(book) {
            return Ok(());
        }
        match self.store.read(|rows| rows.all_of(book))? {
            Some(stored) => self.replica.open_stored_book(book, &stored)?,
            None => self.replica.open_book(book),
        }
        Ok(())
    }

    /// Forgets a book on this device, unless something that was written in it here is not in its log, perhaps by another
    /// program meanwhile. Returns how many such changes there are.
    pub fn forget_book(&mut self, book: BookId) -> Result<usize, StoreError> {
        let unsent = self.store.forget(book)?;
        if unsent > 0 {
            return Ok(unsent);
        }
        self.books.remove(&book);
        if let Some(copy) = self.replica.book(book) {
            // Another program has heard what became of it.
            let pending: Vec<_> = copy.pending().map(|pending| pending.mutation.id).collect();
            let rejected: Vec<_> = copy.rejections().iter().map(|rejection| rejection.mutation.id).collect();
            pending.into_iter().for_each(|id| drop(self.replica.withdraw(book, id)));
            rejected.into_iter().for_each(|id| drop(self.replica.discard_rejection(book, id)));
            self.replica.close_book(book);
        }
        Ok(0)
    }

    /// Writes whatever is to be written.
    pub(super) fn keep(&mut self) -> Result<(), StoreError> {
        while let Some(book) = self.replica.to_write().first().copied() {
            self.write_book(book)?;
        }
        Ok(())
    }

    /// Reads what others wrote, then writes what is new here, in one transaction.
    fn write_book(&mut self, book: BookId) -> Result<(), StoreError> {
        let (replica, now) = (&mut self.replica, self.clock.now());
        let written = self.store.write(|rows| {
            take_in(rows, replica, book, now)?;
            if replica.wants_confirmed(book) {
                replica.handle_confirmed(book, rows.confirmed(book)?)?;
            }
            replica.take_write(book).map_or(Ok(()), |write| rows.put(book, &write))
        });
        match written {
            Ok(()) => self.replica.handle_written(book),
            Err(_) => self.replica.handle_write_failed(book),
        }
        written
    }

    /// Takes in what other programs wrote, where one did.
    pub(super) fn look_into_the_store(&mut self) -> Result<(), StoreError> {
        let version = self.store.version()?;
        if version == self.store_version {
            return Ok(());
        }
        self.store_version = version;
        let (replica, now) = (&mut self.replica, self.clock.now());
        self.store.read(|rows| self.books.iter().try_for_each(|book| take_in(rows, replica, *book, now)))
    }

    /// This store's numbers are another's too: it goes on under a new id, the same in all programs.
    pub(super) fn renew_replica(&mut self) -> Result<(), StoreError> {
        let renewed = self.store.renew_replica(self.replica.id(), ReplicaId(Uuid::now_v7()))?;
        self.replica.handle_new_replica(self.clock.now(), renewed);
        Ok(())
    }

    /// The books that were opened.
    pub fn open_books(&self) -> impl Iterator<Item = BookId> {
        self.books.iter().copied()
    }

    /// How many changes, in whatever open book, are not in its log yet.
    #[must_use]
    pub fn unsent(&self) -> usize {
        let copies = self.books.iter().filter_map(|book| self.replica.book(*book));
        copies.flat_map(BookCopy::pending).filter(|pending| !pending.is_withdrawn()).count()
    }
}

/// Takes in what the store has of a book and this program has not.
fn take_in(rows: &Rows<'_>, replica: &mut Replica<Ledger>, book: BookId, now: Monotonic) -> Result<(), StoreError> {
    let stored = rows.replica()?;
    if stored != replica.id() {
        replica.handle_new_replica(now, stored);
    }
    let Some(head) = rows.head(book)? else { return Ok(()) };
    if let Some(lacking) = replica.lacking(book, &head)? {
        let stored = rows.stored(book, head, lacking)?;
        replica.handle_stored(book, &stored)?;
    }
    Ok(())
}
