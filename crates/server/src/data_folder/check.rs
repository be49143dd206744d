//! Whether all that a store holds is what was written: every entry hashed again from seq 1, every log replayed, and what
//! is kept beside the logs compared with what they say.
//!
//! What cannot be told: that a number of a replica is too high. One may be used up without an entry.

mod book;

use std::fmt;
use std::path::Path;

use serde::Serialize;
use tidebook_book::{BookId, Seq};
use tidebook_event_store::{OpenError, StoreError, StoreFile};

use self::book::check_book;

/// More than anyone reads. What is behind them shows when they are mended.
const FAULTS_MAX: usize = 100;

/// What a check found. It is in order where there are no faults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub books: u64,
    pub entries: u64,
    pub snapshots: u64,
    /// The first hundred.
    pub faults: Vec<Fault>,
}

/// Something that is not as it was written, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `None`: of the file as a whole.
    pub book: Option<BookId>,
    /// Of the entry, or of the entry that what is wrong follows from.
    pub seq: Option<Seq>,
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.book, self.seq) {
            (Some(book), Some(seq)) => write!(f, "book {book}, seq {seq}: {}", self.what),
            (Some(book), None) => write!(f, "book {book}: {}", self.what),
            (None, _) => f.write_str(&self.what),
        }
    }
}

/// How far a check has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checking {
    pub entries: u64,
    /// As far as is known: a server that runs writes more.
    pub of: u64,
}

/// Why there was nothing to check.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks the store in this file, which a server may have open. It is looked at book by book, each as it is then.
pub fn check(path: &Path, progress: &mut dyn FnMut(Checking)) -> Result<Checked, CheckError> {
    let mut file = StoreFile::open(path)?;
    let mut checked = Checked::default();
    let view = file.view()?;
    match view.structure_faults(FAULTS_MAX) {
        Ok(faults) => faults.into_iter().for_each(|what| checked.note(None, None, what)),
        Err(error) => checked.note_or_fail(None, error)?,
    }
    let books = match view.books() {
        Ok(books) => books,
        Err(error) => {
            checked.note_or_fail(None, error)?;
            return Ok(checked);
        }
    };
    drop(view);
    let of = books.iter().map(|row| row.head.0).sum();
    for row in books {
        let view = file.view()?;
        let mut on_page = |entries| progress(Checking { entries, of });
        if let Err(error) = check_book(&view, row.id, &mut checked, &mut on_page) {
            checked.note_or_fail(Some(row.id), error)?;
        }
    }
    Ok(checked)
}

impl Checked {
    fn note(&mut self, book: Option<BookId>, seq: Option<Seq>, what: impl Into<String>) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { book, seq, what: what.into() });
        }
    }

    /// Damage is what is looked for; all else ends the check.
    fn note_or_fail(&mut self, book: Option<BookId>, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Corrupt(what) => {
                self.note(book, None, what);
                Ok(())
            }
            error => Err(error),
        }
    }
}
