//! Opening: nobody else in it, a file of ours, a schema of today, and nothing in it that contradicts itself.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{check, schema};
use crate::OpenError;

/// Before it, resetting the write-ahead log while another connection writes could corrupt the database.
const SQLITE_NEEDED: (i32, &str) = (3_051_003, "3.51.3");

/// How long a statement waits for a lock of another connection. Ours hold theirs for milliseconds; somebody who looks
/// into the file with a tool may hold one longer.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// We prepare about fifty statements in all; none should be prepared twice.
const STATEMENTS_CACHED: usize = 64;

/// Up to here the write-ahead log keeps its space on disk when it starts over.
const WAL_BYTES_KEPT: i64 = 64 << 20;

/// A store that is ours alone, as its writer needs it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(super) conn: Connection,
    /// The operating system frees it with the file, also when the process dies.
    pub(super) lock: File,
}

pub(crate) fn open(path: &Path) -> Result<Opened, OpenError> {
    require_version(rusqlite::version_number(), rusqlite::version())?;
    create_folder_of(path)?;
    let lock = lock(path)?;
    let mut conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    require_ours(&conn, path)?;
    make_durable(&conn)?;
    make_forgetful(&conn)?;
    schema::migrate(&mut conn, &schema::STEPS)?;
    check::check(&conn)?;
    Ok(Opened { conn, lock })
}

/// A connection that cannot write. The writer's connection must be open.
pub(super) fn connect_to_read(path: &Path) -> rusqlite::Result<Connection> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A connection to a store that is not ours to write in: another process may have it open, or it is a copy.
pub(super) fn connect_to_look(path: &Path) -> Result<Connection, OpenError> {
    require_version(rusqlite::version_number(), rusqlite::version())?;
    if let Err(source) = fs::metadata(path) {
        let path = path.to_owned();
        return Err(match source.kind() {
            io::ErrorKind::NotFound => OpenError::Missing { path },
            _ => OpenError::Io { path, source },
        });
    }
    let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    require_written(&conn, path)?;
    Ok(conn)
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // A statement's plan is made once, and not anew for each value of a `LIMIT`.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(conn)
}

fn require_version(number: i32, version: &str) -> Result<(), OpenError> {
    let (needed_number, needed) = SQLITE_NEEDED;
    if number < needed_number {
        return Err(OpenError::DatabaseTooOld { found: version.to_owned(), needed });
    }
    Ok(())
}

/// Creates the folder the file is to lie in, and syncs the folders above it, so that a power cut doesn't take it away
/// with everything acknowledged inside.
pub(super) fn create_folder_of(path: &Path) -> Result<(), OpenError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) else {
        return Ok(());
    };
    let made: Vec<&Path> = folder.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    let io_error = |source| OpenError::Io { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(io_error)?;
    // Elsewhere a folder cannot be opened as a file, and need not be.
    if cfg!(unix) {
        made.iter().try_for_each(|folder| sync_folder(parent_of(folder))).map_err(io_error)?;
    }
    Ok(())
}

pub(super) fn parent_of(folder: &Path) -> &Path {
    folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A second server in the same folder would decide on a state of its own. SQLite alone would let it in.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = lock_path(path);
    let io_error = |source| OpenError::Io { path: lock_path.clone(), source };
    let file = File::options().create(true).write(true).truncate(false).open(&lock_path).map_err(io_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io_error(source)),
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// An empty file is no store yet, whoever may make one of it.
fn require_written(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    require_ours(conn, path)?;
    if schema::version(conn)? == 0 { Err(OpenError::Foreign { path: path.to_owned() }) } else { Ok(()) }
}

/// Looks before anything is written, so that a foreign file stays as it was.
fn require_ours(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let foreign = || OpenError::Foreign { path: path.to_owned() };
    let application: i64 = match conn.pragma_query_value(None, "application_id", |row| row.get(0)) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => return Err(foreign()),
        other => other?,
    };
    let is_empty: bool = conn.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    match application {
        schema::APPLICATION_ID => Ok(()),
        0 if is_empty && schema::version(conn)? == 0 => Ok(()),
        _ => Err(foreign()),
    }
}

/// Every commit is synced before it returns. Checkpoints are left to the writer: SQLite's own would hide a failed sync.
fn make_durable(conn: &Connection) -> Result<(), OpenError> {
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Failed(format!("the file system allows no write-ahead log (journal mode is {mode})")));
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    // On macOS alone a plain fsync leaves the data in the drive's cache.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    Ok(())
}

/// What is deleted is overwritten, not only marked as free: whoever purges a book wants it gone from the disk as well.
/// Deletes are few here; a log only grows. (A row that SQLite has moved from one page to another can leave a copy where
/// it was, in a page that goes on in use. Only `VACUUM` takes those few.)
fn make_forgetful(conn: &Connection) -> Result<(), OpenError> {
    conn.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_with_the_bug_is_refused() {
        for (number, version, allowed) in
            [(3_051_002, "3.51.2", false), (3_051_003, "3.51.3", true), (3_046_001, "3.46.1", false)]
        {
            assert_eq!(require_version(number, version).is_ok(), allowed, "{version}");
        }
        let message = require_version(3_051_002, "3.51.2").unwrap_err().to_string();
        assert!(message.contains("3.51.2") && message.contains("3.51.3"), "{message}");
    }

    #[test]
    fn the_writer_syncs_every_commit() {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(&folder.path().join("new/folder/store.db")).unwrap();
        let settings = [("synchronous", 2), ("foreign_keys", 1), ("wal_autocheckpoint", 0), ("fullfsync", 1)];
        for (name, expected) in settings {
            let value: i64 = opened.conn.pragma_query_value(None, name, |row| row.get(0)).unwrap();
            assert_eq!(value, expected, "{name}");
        }
        let mode: String = opened.conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }
}
