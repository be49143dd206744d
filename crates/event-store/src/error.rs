//! What can go wrong when a store is opened, and when it is used.

use std::io;
use std::path::PathBuf;

/// Why a store did not open. Each is for the person who runs the server: nothing was changed, and nothing is retried.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("SQLite {found} is too old: versions before {needed} can corrupt the database when its log is reset")]
    DatabaseTooOld { found: String, needed: &'static str },
    #[error("{} is in use by another server; stop that one first", path.display())]
    InUse { path: PathBuf },
    #[error("there is no store at {}", path.display())]
    Missing { path: PathBuf },
    #[error("{} is not a Tidebook store", path.display())]
    Foreign { path: PathBuf },
    #[error("the store was written by a newer version of Tidebook (schema {found}; this version knows up to {known})")]
    NewerSchema { found: i64, known: i64 },
    #[error(
        "the store was written by an older version of Tidebook (schema {found}; this version reads {known}); a start of \
         the server, or a restore, brings it up to date"
    )]
    OlderSchema { found: i64, known: i64 },
    /// Bytes on disk are not what was written. The text says where.
    #[error("the store is damaged: {0}; restore it from a backup")]
    Corrupt(String),
    #[error("cannot use {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the store cannot be opened: {0}")]
    Failed(String),
}

/// Why a store was not copied. Nothing is left of the attempt.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("{} is there already, and is not replaced; name another file, or move that one away", path.display())]
    Exists { path: PathBuf },
    #[error(
        "{} is there: another copy is being written, or one was cut off; if none is being written, remove it",
        path.display()
    )]
    Unfinished { path: PathBuf },
    #[error("there is a store in use or left over: {}; move it and whatever lies beside it away first", path.display())]
    Occupied { path: PathBuf },
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a call to an open store did nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The book's head is not the expected one, or something that must be unique is taken. Nothing was written.
    #[error("the log has moved on, or something that must be unique is taken")]
    Conflict,
    /// The store no longer accepts work. Nothing was written.
    #[error("the store is closed")]
    Closed,
    /// A clean failure. Nothing was written.
    #[error("the store failed: {0}")]
    Failed(String),
    /// Bytes on disk are not what was written. The text says where.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
}
