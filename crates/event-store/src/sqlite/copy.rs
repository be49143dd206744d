//! A store as a file: copied out while its server goes on, and put back where there is none.
//!
//! `VACUUM INTO` reads one state of the store, however long it takes and whatever is committed meanwhile. SQLite's online
//! backup would begin again with every commit of another process, and under steady load never end. What it writes is one
//! file without a write-ahead log, and without what is left in free pages of what was deleted.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};
use tidebook_book::Epoch;

use super::{SqlError, check, column, epochs, open, schema};
use crate::{CopyError, OpenError};

/// What is in a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    pub books: u64,
    pub entries: u64,
    /// Of the file.
    pub bytes: u64,
}

/// What becomes of the sessions that a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    Kept,
    /// Everybody signs in again.
    Ended,
}

/// Copies the store in this file, which a server may have open, into a new one that only its owner may read: it holds
/// hashes of passwords and tokens. The copy was read back, and is on disk, before it gets its name.
pub fn back_up(store: &Path, to: &Path) -> Result<BackedUp, CopyError> {
    refuse_existing(to)?;
    let conn = open::connect_to_look(store)?;
    let known = schema::newest();
    let found = schema::version(&conn)?;
    if found > known {
        return Err(OpenError::NewerSchema { found, known }.into());
    }
    let unfinished = Unfinished::create(with_suffix(to, ".unfinished"))?;
    copy_into(&conn, &unfinished.path)?;
    let copied = open::connect_to_look(&unfinished.path)?;
    check::check(&copied)?;
    let count = |table| copied.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| column::unsigned(row, 0));
    let (books, entries) = (count("books").map_err(OpenError::from)?, count("entries").map_err(OpenError::from)?);
    drop(copied);
    let bytes = unfinished.finish_as_new(to)?;
    Ok(BackedUp { books, entries, bytes })
}

/// A copy on its way to becoming the store of a folder, which nobody else can use meanwhile. Dropped before it is
/// finished, it leaves the folder as it was.
#[derive(Debug)]
pub struct Restoring {
    unfinished: Unfinished,
    to: PathBuf,
    _lock: File,
}

impl Restoring {
    /// Copies a backup beside where the store is to be, brings its schema up to date, and has it begin anew: every book
    /// gets an epoch of its own from its head on, and no invite stands any more. One that was used up after the backup
    /// would let somebody in a second time.
    pub fn begin(
        backup: &Path,
        to: &Path,
        sessions: Sessions,
        new_epoch: &mut dyn FnMut() -> Epoch,
    ) -> Result<Self, CopyError> {
        let source = open::connect_to_look(backup)?;
        open::create_folder_of(to)?;
        let lock = open::lock(to)?;
        refuse_occupied(to)?;
        let path = with_suffix(to, ".unfinished");
        // With the lock held it can only be what an attempt left that was cut off.
        remove_if_there(&path)?;
        let unfinished = Unfinished::create(path)?;
        copy_into(&source, &unfinished.path)?;
        begin_anew(&unfinished.path, sessions, new_epoch)?;
        Ok(Self { unfinished, to: to.to_owned(), _lock: lock })
    }

    /// Where the copy is, to be looked at before it is finished.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.unfinished.path
    }

    /// Gives the copy its name. It is on disk then.
    pub fn finish(self) -> Result<(), CopyError> {
        self.unfinished.finish(&self.to)?;
        Ok(())
    }
}

fn begin_anew(path: &Path, sessions: Sessions, new_epoch: &mut dyn FnMut() -> Epoch) -> Result<(), OpenError> {
    let mut conn = Connection::open(path)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    schema::migrate(&mut conn, &schema::STEPS)?;
    check::check(&conn)?;
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    epochs::begin_anew(&transaction, new_epoch)?;
    transaction.execute("DELETE FROM invites", [])?;
    if sessions == Sessions::Ended {
        transaction.execute("DELETE FROM sessions", [])?;
    }
    transaction.commit()?;
    conn.close().map_err(|(_, error)| OpenError::from(error))
}

fn copy_into(source: &Connection, to: &Path) -> Result<(), OpenError> {
    let io_error = |source| OpenError::Io { path: to.to_owned(), source };
    // An absolute path never looks like a URI, which SQLite would take apart.
    let absolute = std::path::absolute(to).map_err(io_error)?;
    let text = absolute.to_str().ok_or_else(|| io_error(io::Error::other("its name is not UTF-8")))?;
    source.execute("VACUUM INTO ?1", [text]).map_err(SqlError::from)?;
    Ok(())
}

/// A file that is removed again unless it is finished.
#[derive(Debug)]
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// Follows no link that somebody has put there, and is nobody else's to read from the beginning.
    fn create(path: PathBuf) -> Result<Self, CopyError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(_) => Ok(Self { path }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(CopyError::Unfinished { path }),
            Err(source) => Err(OpenError::Io { path, source }.into()),
        }
    }

    /// Syncs it and gives it a name that nothing has. Returns its size in bytes.
    fn finish_as_new(self, to: &Path) -> Result<u64, CopyError> {
        // Renaming would replace what came there meanwhile; so the name is taken first, which only one can do.
        match File::create_new(to) {
            Ok(_) => self.finish(to).inspect_err(|_| drop(fs::remove_file(to))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(CopyError::Exists { path: to.to_owned() })
            }
            Err(source) => Err(OpenError::Io { path: to.to_owned(), source }.into()),
        }
    }

    fn finish(self, to: &Path) -> Result<u64, CopyError> {
        let synced = File::open(&self.path).and_then(|file| {
            file.sync_all()?;
            file.metadata()
        });
        let moved = synced.and_then(|metadata| {
            fs::rename(&self.path, to)?;
            // Elsewhere a folder cannot be opened as a file, and need not be.
            if cfg!(unix) {
                open::sync_folder(open::parent_of(to))?;
            }
            Ok(metadata.len())
        });
        Ok(moved.map_err(|source| OpenError::Io { path: to.to_owned(), source })?)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Of one that was finished there is nothing left under this name.
        let _ = fs::remove_file(&self.path);
    }
}

fn refuse_existing(path: &Path) -> Result<(), CopyError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(CopyError::Exists { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

/// A write-ahead log without its store would be taken for that of the restored one.
fn refuse_occupied(store: &Path) -> Result<(), CopyError> {
    let beside = ["", "-wal", "-shm", "-journal"].map(|suffix| with_suffix(store, suffix));
    match beside.into_iter().find(|path| fs::symlink_metadata(path).is_ok()) {
        Some(path) => Err(CopyError::Occupied { path }),
        None => Ok(()),
    }
}

fn remove_if_there(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(OpenError::Io { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
