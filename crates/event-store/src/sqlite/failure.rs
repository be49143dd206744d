//! What a statement can fail with, and what that means to the caller.

use rusqlite::ffi;
use rusqlite::{Error, ErrorCode};

use crate::{OpenError, StoreError};

/// Why a piece of work on a connection came to nothing.
#[derive(Debug)]
pub(crate) enum SqlError {
    /// We refuse it.
    Refused(StoreError),
    /// SQLite does.
    Sqlite(Error),
}

impl From<Error> for SqlError {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl SqlError {
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Refused(StoreError::Corrupt(what.into()))
    }

    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::Refused(StoreError::Failed(what.into()))
    }

    pub(crate) const CONFLICT: Self = Self::Refused(StoreError::Conflict);
}

impl From<SqlError> for StoreError {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Refused(refusal) => refusal,
            SqlError::Sqlite(error) if broke_uniqueness(&error) => Self::Conflict,
            SqlError::Sqlite(error) if shows_damage(&error) => Self::Corrupt(error.to_string()),
            SqlError::Sqlite(error) => Self::Failed(error.to_string()),
        }
    }
}

impl From<SqlError> for OpenError {
    fn from(error: SqlError) -> Self {
        match error.into() {
            StoreError::Corrupt(what) => Self::Corrupt(what),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        SqlError::from(error).into()
    }
}

fn broke_uniqueness(error: &Error) -> bool {
    let codes = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY, ffi::SQLITE_CONSTRAINT_ROWID];
    error.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code))
}

/// Also where a value has a type or a size that we never write.
fn shows_damage(error: &Error) -> bool {
    match error {
        Error::SqliteFailure(error, _) => matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase),
        Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..) | Error::InvalidColumnType(..) => true,
        _ => false,
    }
}

/// After this nobody knows what is on disk, and asking again proves nothing: the kernel may have dropped the pages.
pub(crate) fn sync_failed(error: &Error) -> bool {
    let codes = [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC];
    error.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code))
}

pub(crate) fn disk_full(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}
