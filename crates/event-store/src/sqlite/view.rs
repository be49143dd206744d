//! Looking at a store from beside its server, or at a copy of one. Nothing here repairs or refuses what it finds: who
//! looks is told what there is.

use std::path::Path;

use rusqlite::{Connection, Row, Transaction, params};
use tidebook_book::{BookId, ChainHash, EncodedEntry, MutationId, ReplicaId, Seq};

use super::books::key_of;
use super::{SqlError, books, column, log, members, open, schema, snapshots};
use crate::{BookRow, EntryLimit, LogRow, MembershipRow, OpenError, ReplicaRow, StoreError};

/// A store that is only looked at.
#[derive(Debug)]
pub struct StoreFile {
    conn: Connection,
}

/// A store at one moment, whatever is written meanwhile. As long as there is one, the write-ahead log of a store in use
/// cannot start over, and grows: take one for each piece of work.
#[derive(Debug)]
pub struct View<'a> {
    conn: Transaction<'a>,
}

impl StoreFile {
    /// Opens the store in this file for reading; a server may have it open.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let conn = open::connect_to_look(path)?;
        let (found, known) = (schema::version(&conn)?, schema::newest());
        match found {
            _ if found > known => Err(OpenError::NewerSchema { found, known }),
            _ if found < known => Err(OpenError::OlderSchema { found, known }),
            _ => Ok(Self { conn }),
        }
    }

    /// The store as it is now.
    pub fn view(&mut self) -> Result<View<'_>, StoreError> {
        let conn = self.conn.transaction().map_err(SqlError::from)?;
        // Only the first read settles which moment it is.
        conn.pragma_query_value(None, "schema_version", |_| Ok(())).map_err(SqlError::from)?;
        Ok(View { conn })
    }
}

impl View<'_> {
    /// What is wrong with the file itself, its indexes, and what its tables say of each other: up to `max` findings.
    pub fn structure_faults(&self, max: usize) -> Result<Vec<String>, StoreError> {
        let faults = || -> Result<Vec<String>, SqlError> {
            let check = format!("PRAGMA integrity_check({max})");
            let found =
                self.conn.prepare(&check)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            let mut faults: Vec<String> = found.into_iter().filter(|line| line != "ok").collect();
            faults.extend(foreign_key_faults(&self.conn, max)?);
            faults.extend(orphan_faults(&self.conn, max)?);
            faults.truncate(max);
            Ok(faults)
        };
        Ok(faults()?)
    }

    /// All books, oldest first.
    pub fn books(&self) -> Result<Vec<BookRow>, StoreError> {
        Ok(books::books(&self.conn)?)
    }

    pub fn book(&self, book: BookId) -> Result<Option<BookRow>, StoreError> {
        Ok(books::book(&self.conn, book)?)
    }

    /// What is kept of the log after this seq, in order; whether any of it is as it should be was not looked at.
    pub fn log(&self, book: BookId, after: Seq, limit: EntryLimit) -> Result<Vec<LogRow>, StoreError> {
        Ok(log_rows(&self.conn, book, after, limit)?)
    }

    /// The seqs of a book's snapshots, in order.
    pub fn snapshot_seqs(&self, book: BookId) -> Result<Vec<Seq>, StoreError> {
        Ok(snapshots::seqs(&self.conn, book)?)
    }

    pub fn snapshot(&self, book: BookId, seq: Seq) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(snapshots::snapshot(&self.conn, book, seq)?)
    }

    /// The index of members and former members, by first membership.
    pub fn memberships(&self, book: BookId) -> Result<Vec<MembershipRow>, StoreError> {
        Ok(members::rows(&self.conn, book)?)
    }

    /// Every replica that has a number in this book.
    pub fn replicas(&self, book: BookId) -> Result<Vec<ReplicaRow>, StoreError> {
        Ok(log::replicas(&self.conn, book)?)
    }
}

fn log_rows(conn: &Connection, book: BookId, after: Seq, limit: EntryLimit) -> Result<Vec<LogRow>, SqlError> {
    let Some(key) = key_of(conn, book)? else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(
        "SELECT seq, bytes, hash, mutation, replica, n FROM entries WHERE book = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let mut found = statement.query(params![key, column::bound(after.0), log::row_limit(limit)])?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let row = log_row(row)?;
        bytes += row.entry.bytes.len();
        if bytes > limit.bytes && !rows.is_empty() {
            break;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn log_row(row: &Row<'_>) -> rusqlite::Result<LogRow> {
    let bytes: Vec<u8> = row.get(1)?;
    let hash: ChainHash = column::hash(row, 2)?;
    Ok(LogRow {
        entry: EncodedEntry { seq: column::seq(row, 0)?, bytes: bytes.into(), hash },
        id: MutationId(column::uuid(row, 3)?),
        replica: ReplicaId(column::uuid(row, 4)?),
        n: column::number(row, 5)?,
    })
}

fn foreign_key_faults(conn: &Connection, max: usize) -> Result<Vec<String>, SqlError> {
    let fault = |row: &Row<'_>| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {table} belongs to a row of {parent} that is not there"))
    };
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    Ok(statement.query_map([], fault)?.take(max).collect::<Result<_, _>>()?)
}

/// Rows that no foreign key holds to what they belong to: what is wrong with them, and the query that finds their books.
const ORPHANS: [(&str, &str); 3] = [
    (
        "an answer to a write that is not in the log",
        "SELECT b.id FROM answers a JOIN books b ON b.key = a.book WHERE NOT EXISTS (
            SELECT 1 FROM entries e WHERE e.book = a.book AND e.mutation = a.mutation)",
    ),
    (
        "a replica that nobody owns who used it",
        "SELECT b.id FROM replicas r JOIN books b ON b.key = r.book WHERE NOT EXISTS (
            SELECT 1 FROM replica_owners o JOIN replicas u ON u.replica = o.replica AND u.account = o.account
            WHERE o.replica = r.replica)",
    ),
    (
        "a former epoch that parts from this one beyond its head",
        "SELECT b.id FROM past_epochs p JOIN books b ON b.key = p.book WHERE p.common > b.head",
    ),
];

fn orphan_faults(conn: &Connection, max: usize) -> Result<Vec<String>, SqlError> {
    let mut faults = Vec::new();
    for (what, query) in ORPHANS {
        let mut statement = conn.prepare(query)?;
        let found = statement.query_map([], |row| column::uuid(row, 0).map(BookId))?.take(max);
        for book in found {
            faults.push(format!("book {}: {what}", book?));
        }
    }
    Ok(faults)
}
