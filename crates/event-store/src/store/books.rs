//! Books, their snapshots, and who is in them.

use tidebook_book::{BookId, Epoch, Person, Role, Seq, UnixMillis, UserId};

use super::Store;
use crate::sqlite::{CHECKPOINT_AFTER_BYTES, books, epochs, members, snapshots};
use crate::{BookRow, MemberRow, StoreError};

/// How big a book is that goes isn't known before. This ends its group, so that few wait for it, and has the write-ahead
/// log brought into the database right after: only then the book's bytes are overwritten there.
const PURGE_BYTES: usize = CHECKPOINT_AFTER_BYTES;

impl Store {
    pub async fn book(&self, book: BookId) -> Result<Option<BookRow>, StoreError> {
        self.read(move |conn| books::book(conn, book)).await
    }

    /// Up to where the book's log is that of an epoch it had before a restore; `None` where it never had that one, or
    /// has it now.
    pub async fn common_with(&self, book: BookId, epoch: Epoch) -> Result<Option<Seq>, StoreError> {
        self.read(move |conn| epochs::common_with(conn, book, epoch)).await
    }

    /// The books this person is a member of, oldest membership first.
    pub async fn books_of(&self, user: UserId) -> Result<Vec<(BookRow, Role)>, StoreError> {
        self.read(move |conn| books::books_of(conn, user)).await
    }

    /// Whether the book stands archived after this: false where there is no such book.
    pub async fn archive_book(&self, book: BookId, at: UnixMillis) -> Result<bool, StoreError> {
        self.write(0, move |conn| books::archive_book(conn, book, at)).await
    }

    /// Takes a book out of the store with everything of it; false where there is no such book. Its id is free again.
    ///
    /// Nobody should be at work on the book any more: an append that comes later fails, unless by then the id has
    /// another book with the same head, and brings no entry.
    pub async fn purge_book(&self, book: BookId) -> Result<bool, StoreError> {
        self.write(PURGE_BYTES, move |conn| books::purge_book(conn, book)).await
    }

    /// Keeps a snapshot of a book at a seq of its log, in place of the oldest where it has enough. Nothing happens where
    /// the book is gone.
    pub async fn put_snapshot(&self, book: BookId, seq: Seq, bytes: Vec<u8>) -> Result<(), StoreError> {
        self.write(bytes.len(), move |conn| snapshots::put_snapshot(conn, book, seq, &bytes)).await
    }

    /// A book's snapshots, the newest first.
    pub async fn snapshots(&self, book: BookId) -> Result<Vec<(Seq, Vec<u8>)>, StoreError> {
        self.read(move |conn| snapshots::snapshots(conn, book)).await
    }

    /// Members and former members, by first membership. Who has no account any more has no name.
    pub async fn people(&self, book: BookId) -> Result<Vec<Person>, StoreError> {
        self.look_up(|conn| members::people(conn, book)).await
    }

    /// The current members, by first membership. Who has no account any more has no name.
    pub async fn members(&self, book: BookId) -> Result<Vec<MemberRow>, StoreError> {
        self.read(move |conn| members::members(conn, book)).await
    }

    /// Where this person is a member, and as what, oldest membership first.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<(BookId, Role)>, StoreError> {
        self.read(move |conn| members::memberships(conn, user)).await
    }

    /// The books whose [`Store::people`] this person is among, former memberships too, oldest first.
    pub async fn books_that_name(&self, user: UserId) -> Result<Vec<BookId>, StoreError> {
        self.read(move |conn| members::books_that_name(conn, user)).await
    }

    /// The books whose only current member this person is, oldest membership first.
    pub async fn sole_member_books(&self, user: UserId) -> Result<Vec<BookId>, StoreError> {
        self.read(move |conn| members::sole_member_books(conn, user)).await
    }
}
