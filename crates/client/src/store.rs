//! One account's store on this device: a SQLite file that all of the account's programs share.
//!
//! It holds text the replica wrote (see `tidebook_replica`'s documentation for what and in which order), and facts by name. What a
//! write put is on the disk when it returns.

mod open;
mod rows;

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use tidebook_book::{BookId, ReplicaId};

pub use rows::Rows;

/// The name under which the store's replica id is kept.
pub(crate) const REPLICA: &str = "replica";

/// A store of one account, opened by one program.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
}

/// Why the store did not keep or tell something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0} is not a store of this program")]
    Foreign(String),
    #[error("a later version of this program wrote {path} (its form is {found}, the latest known here is {known})")]
    Newer { path: String, found: i64, known: i64 },
    #[error("cannot make {path}: {source}")]
    Folder { path: String, source: std::io::Error },
    #[error("the store on this device: {0}")]
    Sqlite(rusqlite::Error),
    /// The rows of a book do not read: a later version wrote them, or they are damaged.
    #[error(transparent)]
    Rows(#[from] tidebook_replica::StoredError),
    #[error("the store on this device is damaged: {0}")]
    Damaged(String),
}

/// By hand: its words are told above, and a source would be told once more.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Store {
    /// Opens the store in this file, or makes it, readable by this user alone. `fresh`: the replica id of a new one.
    pub fn open(path: &Path, fresh: ReplicaId) -> Result<Self, StoreError> {
        let mut store = Self { conn: open::open(path)? };
        store.write(|rows| {
            if rows.fact(REPLICA)?.is_none() {
                rows.keep_fact(REPLICA, &fresh.to_string())?;
            }
            Ok(())
        })?;
        Ok(store)
    }

    /// A store that goes with the program.
    pub fn in_memory(fresh: ReplicaId) -> Result<Self, StoreError> {
        Self::open(Path::new(":memory:"), fresh)
    }

    /// Reads what stood there at one moment.
    pub fn read<R>(&mut self, read: impl FnOnce(&Rows<'_>) -> Result<R, StoreError>) -> Result<R, StoreError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Deferred)?;
        read(&Rows::of(&transaction))
    }

    /// Reads and writes in one transaction: all of it is on the disk afterwards, or nothing of it.
    pub fn write<R>(&mut self, write: impl FnOnce(&Rows<'_>) -> Result<R, StoreError>) -> Result<R, StoreError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = write(&Rows::of(&transaction))?;
        transaction.commit()?;
        Ok(result)
    }

    /// Another number after another program wrote something.
    pub(crate) fn version(&self) -> Result<i64, StoreError> {
        Ok(self.conn.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Gives the store another replica id, unless another program has done so; returns the one it has then.
    pub(crate) fn renew_replica(&mut self, outworn: ReplicaId, fresh: ReplicaId) -> Result<ReplicaId, StoreError> {
        self.write(|rows| {
            let stored = rows.replica()?;
            if stored != outworn {
                return Ok(stored);
            }
            rows.keep_fact(REPLICA, &fresh.to_string())?;
            Ok(fresh)
        })
    }

    /// What is kept under a name.
    pub fn fact(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|rows| rows.fact(name))
    }

    /// Keeps something under a name, in place of what there was.
    pub fn keep_fact(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        self.write(|rows| rows.keep_fact(name, text))
    }

    /// Forgets all of a book, unless something waits in it. Returns how much.
    pub fn forget(&mut self, book: BookId) -> Result<usize, StoreError> {
        self.write(|rows| {
            let unsent = rows.unsent(book)?.len();
            if unsent == 0 {
                rows.forget(book)?;
            }
            Ok(unsent)
        })
    }
}
