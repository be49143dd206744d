//! All books of a replica and their store on this device.

use std::collections::BTreeSet;

use tidebook_book::{BookId, Domain, ReplicaId};

use super::Replica;
use crate::book_copy::Applied;
use crate::{BookCopy, Event, Keeps, Lacking, Monotonic, StoreWrite, Stored, StoredError};

impl<D: Domain> Replica<D> {
    /// Follows a book from now on, beginning with what is stored of it.
    pub fn open_stored_book(&mut self, book: BookId, stored: &Stored) -> Result<(), StoredError> {
        if !self.books.contains_key(&book) {
            self.make_copy(book);
        }
        self.handle_stored(book, stored)
    }

    /// The books of which something is to be written now.
    #[must_use]
    pub fn to_write(&self) -> Vec<BookId> {
        let due = self.books.iter().filter(|(_, copy)| copy.has_to_be_written());
        due.map(|(book, _)| *book).collect()
    }

    /// What to read from the store of a book with this head; none where this replica has all of it. Of a book without a head
    /// nothing is stored.
    pub fn lacking(&self, book: BookId, head: &str) -> Result<Option<Lacking>, StoredError> {
        self.books.get(&book).map_or(Ok(None), |copy| copy.lacking(head))
    }

    /// Takes in what was lacking, while no write of the book is on its way. What does not read changes nothing.
    pub fn handle_stored(&mut self, book: BookId, stored: &Stored) -> Result<(), StoredError> {
        let Some(copy) = self.books.get_mut(&book) else { return Ok(()) };
        let Applied { touched, news, .. } = copy.handle_stored(stored)?;
        match stored.lacking {
            Lacking::Everything(_) => {
                self.events.extend([Event::Reset { book }, Event::People { book }]);
                self.subscribe(book);
            }
            Lacking::EntriesAfter(_) => self.tell_changed(book, touched, news),
        }
        self.events.push_back(Event::Status);
        self.push_outbox(book);
        Ok(())
    }

    /// Whether all confirmed mutations that the store has of a book are to be read and passed to [`Self::handle_confirmed`]
    /// before the next write: the copy starts over, perhaps in a history that lacks some of them.
    #[must_use]
    pub fn wants_confirmed(&self, book: BookId) -> bool {
        self.books.get(&book).is_some_and(BookCopy::wants_confirmed)
    }

    /// Takes them in, in the order of their seqs, in the transaction of the next write. What does not read changes nothing.
    pub fn handle_confirmed(&mut self, book: BookId, rows: Vec<String>) -> Result<(), StoredError> {
        let Some(copy) = self.books.get_mut(&book) else { return Ok(()) };
        let Applied { touched, .. } = copy.handle_confirmed(rows)?;
        self.tell_changed(book, touched, BTreeSet::new());
        self.events.push_back(Event::Status);
        Ok(())
    }

    /// What to write now, for a store whose head was found to lack nothing here in the same transaction. None where nothing is
    /// due, where the last write is unanswered, and before what [`Self::wants_confirmed`] asks for. Answer with
    /// `handle_written` or `handle_write_failed`.
    pub fn take_write(&mut self, book: BookId) -> Option<StoreWrite> {
        self.books.get_mut(&book)?.take_write()
    }

    /// The write is on the disk: what it held outlives the program, and goes to the server.
    pub fn handle_written(&mut self, book: BookId) {
        if let Some(copy) = self.books.get_mut(&book) {
            if copy.handle_written() {
                self.subscribe(book);
            }
            self.events.push_back(Event::Status);
            self.push_outbox(book);
        }
    }

    /// Nothing of the write is in the store. It is due again.
    pub fn handle_write_failed(&mut self, book: BookId) {
        if let Some(copy) = self.books.get_mut(&book) {
            copy.handle_write_failed();
            self.events.push_back(Event::Status);
        }
    }

    /// The store is gone, or takes nothing any more: what is here goes to the server from memory. Other programs may go on
    /// with the store, so this one becomes another replica.
    pub fn go_on_in_memory(&mut self, now: Monotonic, replica: ReplicaId) {
        self.config.keeps = Keeps::InMemory;
        self.books.values_mut().for_each(BookCopy::go_on_in_memory);
        self.handle_new_replica(now, replica);
    }
}
