//! Opening: a file of ours, a schema of today, every commit synced.

use std::fs::{DirBuilder, OpenOptions};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// In the file's header: says that the file is ours ("TbDv").
const APPLICATION_ID: i64 = 0x5462_4476;

/// What leads from each version of the schema to the next. Steps are never changed, only added.
const STEPS: [&str; 1] = [include_str!("schema/1.sql")];

/// Before it, resetting the write-ahead log while another connection writes could corrupt the database.
const SQLITE_NEEDED: i32 = 3_051_003;

/// How long a program waits while another writes. A write takes milliseconds, but for a large import.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    assert!(rusqlite::version_number() >= SQLITE_NEEDED, "this program was built with a SQLite that can lose data");
    make_private(path)?;
    let mut conn = Connection::open(path)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    require_ours(&conn, path)?;
    // A store in memory has no journal to choose.
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "fullfsync", true)?;
    migrate(&mut conn, path)?;
    Ok(conn)
}

/// The folder and the file, for this user alone: SQLite gives its other files the same rights.
fn make_private(path: &Path) -> Result<(), StoreError> {
    if path.as_os_str() == ":memory:" {
        return Ok(());
    }
    let failed = |source| StoreError::Folder { path: path.display().to_string(), source };
    let (mut folder, mut file) = (DirBuilder::new(), OpenOptions::new());
    folder.recursive(true);
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    }
    if let Some(parent) = path.parent() {
        folder.create(parent).map_err(failed)?;
    }
    file.open(path).map(drop).map_err(failed)
}

fn require_ours(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let foreign = || StoreError::Foreign(path.display().to_string());
    let application: i64 = match conn.pragma_query_value(None, "application_id", |row| row.get(0)) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => return Err(foreign()),
        other => other?,
    };
    let is_empty: bool = conn.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    if application == APPLICATION_ID || (application == 0 && is_empty) { Ok(()) } else { Err(foreign()) }
}

/// Takes the steps that are missing. Another program may be at it: whoever comes second finds nothing left to do.
fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).expect("a handful of steps");
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found == known {
        return Ok(());
    }
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if !(0..=known).contains(&found) {
        return Err(StoreError::Newer { path: path.display().to_string(), found, known });
    }
    for (_, step) in (1..=known).zip(STEPS).skip_while(|(target, _)| *target <= found) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}
