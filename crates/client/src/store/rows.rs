//! The rows of a store, within one transaction.

use rusqlite::{OptionalExtension as _, Params, Transaction, params};
use tidebook_book::{BookId, MutationId, ReplicaId, Seq};
use tidebook_replica::{Forget, Lacking, StoreWrite, Stored, Unsent};
use uuid::Uuid;

use super::{REPLICA, StoreError};

/// All rows of a store, as they stand in one transaction.
#[derive(Debug)]
pub struct Rows<'a>(&'a Transaction<'a>);

type Result<T> = std::result::Result<T, StoreError>;

impl<'a> Rows<'a> {
    pub(super) fn of(transaction: &'a Transaction<'a>) -> Self {
        Self(transaction)
    }

    /// What is kept under a name.
    pub fn fact(&self, name: &str) -> Result<Option<String>> {
        self.text("SELECT text FROM facts WHERE name = ?1", [name])
    }

    /// Keeps something under a name, in place of what there was.
    pub fn keep_fact(&self, name: &str, text: &str) -> Result<()> {
        self.run("INSERT OR REPLACE INTO facts (name, text) VALUES (?1, ?2)", [name, text])
    }

    /// Keeps nothing under a name any more.
    pub fn drop_fact(&self, name: &str) -> Result<()> {
        self.run("DELETE FROM facts WHERE name = ?1", [name])
    }

    /// What is kept under names that begin like this, by name.
    pub fn facts_from(&self, beginning: &str) -> Result<Vec<(String, String)>> {
        let mut statement = self
            .0
            .prepare_cached("SELECT name, text FROM facts WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name")?;
        let rows = statement.query_map([beginning], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whose numbers are in the store.
    pub fn replica(&self) -> Result<ReplicaId> {
        let stored = self.fact(REPLICA)?.and_then(|id| id.parse().ok());
        stored.ok_or_else(|| StoreError::Damaged("it has no replica id".into()))
    }

    /// The books of which something is stored.
    pub fn books(&self) -> Result<Vec<BookId>> {
        let mut statement = self.0.prepare_cached("SELECT book FROM heads ORDER BY book")?;
        let ids = statement.query_map([], |row| row.get::<_, [u8; 16]>(0))?;
        Ok(ids.map(|id| Ok(BookId(Uuid::from_bytes(id?)))).collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn head(&self, book: BookId) -> Result<Option<String>> {
        self.text("SELECT text FROM heads WHERE book = ?1", [key(book)])
    }

    /// What a copy lacks that has nothing of the book yet, where there is anything.
    pub(crate) fn all_of(&self, book: BookId) -> Result<Option<Stored>> {
        let Some(head) = self.head(book)? else { return Ok(None) };
        let lacking = Lacking::all_of(&head)?;
        self.stored(book, head, lacking).map(Some)
    }

    pub(crate) fn stored(&self, book: BookId, head: String, lacking: Lacking) -> Result<Stored> {
        let (state, after) = match lacking {
            Lacking::EntriesAfter(seq) => (None, seq),
            Lacking::Everything(seq) => (self.text("SELECT text FROM states WHERE book = ?1", [key(book)])?, seq),
        };
        Ok(Stored {
            lacking,
            head,
            state,
            entries: self.entries_after(book, after)?,
            outbox: self.texts("SELECT text FROM outbox WHERE book = ?1 ORDER BY id", [key(book)])?,
            rejections: self.texts("SELECT text FROM rejections WHERE book = ?1 ORDER BY id", [key(book)])?,
        })
    }

    /// The entries that are kept after a seq, in order: as far back as the device keeps them.
    pub fn entries_after(&self, book: BookId, after: Seq) -> Result<Vec<String>> {
        let after = i64::try_from(after.0).unwrap_or(i64::MAX);
        self.texts("SELECT text FROM entries WHERE book = ?1 AND seq > ?2 ORDER BY seq", params![key(book), after])
    }

    /// What is kept of a book and is not in it.
    pub fn unsent(&self, book: BookId) -> Result<Unsent> {
        let outbox = self.texts("SELECT text FROM outbox WHERE book = ?1 ORDER BY id", [key(book)])?;
        let rejections = self.texts("SELECT text FROM rejections WHERE book = ?1 ORDER BY id", [key(book)])?;
        Ok(Unsent::of_rows(outbox, rejections))
    }

    /// What was confirmed of late, as far back as the device keeps it.
    pub(crate) fn confirmed(&self, book: BookId) -> Result<Vec<String>> {
        self.texts("SELECT text FROM confirmed WHERE book = ?1 ORDER BY seq", [key(book)])
    }

    pub(crate) fn put(&self, book: BookId, write: &StoreWrite) -> Result<()> {
        let key = key(book);
        self.run("INSERT OR REPLACE INTO heads (book, text) VALUES (?1, ?2)", params![key, write.head])?;
        if let Some(state) = &write.state {
            self.run("INSERT OR REPLACE INTO states (book, text) VALUES (?1, ?2)", params![key, state])?;
        }
        match write.forget {
            Forget::Nothing => {}
            Forget::UpTo(seq) => {
                self.run("DELETE FROM entries WHERE book = ?1 AND seq <= ?2", params![key, number(seq)])?;
                self.run("DELETE FROM confirmed WHERE book = ?1 AND seq <= ?2", params![key, number(seq)])?;
            }
            Forget::All => {
                self.run("DELETE FROM entries WHERE book = ?1", [key])?;
                self.run("DELETE FROM confirmed WHERE book = ?1", [key])?;
            }
        }
        for (seq, text) in &write.entries {
            self.run(PUT_ENTRY, params![key, number(*seq), text])?;
        }
        for (seq, text) in &write.confirmed {
            self.run(PUT_CONFIRMED, params![key, number(*seq), text])?;
        }
        self.put_rows(OUTBOX, book, &write.outbox)?;
        self.put_rows(REJECTIONS, book, &write.rejections)
    }

    fn put_rows(&self, kind: Kind, book: BookId, rows: &[(MutationId, Option<String>)]) -> Result<()> {
        for (id, text) in rows {
            match text {
                Some(text) => self.run(kind.put, params![key(book), id.0.as_bytes(), text])?,
                None => self.run(kind.delete, params![key(book), id.0.as_bytes()])?,
            }
        }
        Ok(())
    }

    pub(crate) fn forget(&self, book: BookId) -> Result<()> {
        for statement in [
            "DELETE FROM heads WHERE book = ?1",
            "DELETE FROM states WHERE book = ?1",
            "DELETE FROM entries WHERE book = ?1",
            "DELETE FROM confirmed WHERE book = ?1",
            "DELETE FROM outbox WHERE book = ?1",
            "DELETE FROM rejections WHERE book = ?1",
        ] {
            self.run(statement, [key(book)])?;
        }
        Ok(())
    }

    fn run(&self, statement: &str, params: impl Params) -> Result<()> {
        self.0.prepare_cached(statement)?.execute(params)?;
        Ok(())
    }

    fn text(&self, query: &str, params: impl Params) -> Result<Option<String>> {
        Ok(self.0.prepare_cached(query)?.query_row(params, |row| row.get(0)).optional()?)
    }

    fn texts(&self, query: &str, params: impl Params) -> Result<Vec<String>> {
        let mut statement = self.0.prepare_cached(query)?;
        let rows = statement.query_map(params, |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

const PUT_ENTRY: &str = "INSERT OR REPLACE INTO entries (book, seq, text) VALUES (?1, ?2, ?3)";
const PUT_CONFIRMED: &str = "INSERT OR REPLACE INTO confirmed (book, seq, text) VALUES (?1, ?2, ?3)";

/// Rows that have a mutation's id.
#[derive(Clone, Copy)]
struct Kind {
    put: &'static str,
    delete: &'static str,
}

const OUTBOX: Kind = Kind {
    put: "INSERT OR REPLACE INTO outbox (book, id, text) VALUES (?1, ?2, ?3)",
    delete: "DELETE FROM outbox WHERE book = ?1 AND id = ?2",
};

const REJECTIONS: Kind = Kind {
    put: "INSERT OR REPLACE INTO rejections (book, id, text) VALUES (?1, ?2, ?3)",
    delete: "DELETE FROM rejections WHERE book = ?1 AND id = ?2",
};

fn key(book: BookId) -> [u8; 16] {
    *book.0.as_bytes()
}

fn number(seq: Seq) -> i64 {
    i64::try_from(seq.0).expect("a log has fewer than 2^63 entries")
}
