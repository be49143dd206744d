//! What a store must be when it starts. A disk that lies is noticed here, not when a member finds a hole in their book.

use rusqlite::Connection;
use tidebook_book::{BookId, ChainHash, Seq};

use super::{SqlError, column, log};
use crate::{EntryLimit, OpenError};

/// How many of each book's latest entries are hashed again: the ones a crash could have torn. Older ones are hashed again
/// whenever they are read.
const TAIL_ENTRIES: u64 = 1_000;

/// How much of a tail is in memory at once.
const PAGE: EntryLimit = EntryLimit { count: 1_000, bytes: 4 << 20 };

struct Head {
    key: i64,
    book: BookId,
    head: Seq,
    hash: ChainHash,
    entries: u64,
    last: Seq,
    /// Of its newest snapshot; zero where it has none.
    snapshot: Seq,
}

/// Checks the file's structure, and every book.
pub(super) fn check(conn: &Connection) -> Result<(), OpenError> {
    check_structure(conn)?;
    heads(conn)?.iter().try_for_each(|head| check_book(conn, head).map_err(OpenError::from))
}

fn check_structure(conn: &Connection) -> Result<(), OpenError> {
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(OpenError::Corrupt(verdict)) }
}

fn heads(conn: &Connection) -> rusqlite::Result<Vec<Head>> {
    conn.prepare(
        "SELECT b.key, b.id, b.head, b.head_hash, count(e.seq), coalesce(max(e.seq), 0),
            (SELECT coalesce(max(s.seq), 0) FROM snapshots s WHERE s.book = b.key)
         FROM books b LEFT JOIN entries e ON e.book = b.key GROUP BY b.key",
    )?
    .query_map([], |row| {
        Ok(Head {
            key: row.get(0)?,
            book: BookId(column::uuid(row, 1)?),
            head: column::seq(row, 2)?,
            hash: column::hash(row, 3)?,
            entries: column::unsigned(row, 4)?,
            last: column::seq(row, 5)?,
            snapshot: column::seq(row, 6)?,
        })
    })?
    .collect()
}

fn check_book(conn: &Connection, head: &Head) -> Result<(), SqlError> {
    let Head { book, head: seq, entries, last, snapshot, .. } = head;
    // Seqs are positive and unique, so as many of them as the last one says leave no gap.
    if *entries != last.0 {
        let missing = first_missing(conn, head.key)?;
        return Err(SqlError::corrupt(format!("book {book}, seq {missing}: the entry is missing")));
    }
    if seq != last {
        return Err(SqlError::corrupt(format!("book {book}: its head is {seq}, but its log ends at {last}")));
    }
    if snapshot > seq {
        return Err(SqlError::corrupt(format!("book {book}: its snapshot at {snapshot} lies beyond its head {seq}")));
    }
    let hash = check_tail(conn, head)?;
    if hash != head.hash {
        let found = head.hash;
        return Err(SqlError::corrupt(format!("book {book}, seq {seq}: its head's hash is {found}, not {hash}")));
    }
    Ok(())
}

/// Returns the hash the chain really has at the end.
fn check_tail(conn: &Connection, head: &Head) -> Result<ChainHash, SqlError> {
    let mut after = Seq(head.head.0.saturating_sub(TAIL_ENTRIES));
    let mut hash = ChainHash::ZERO;
    while after < head.head {
        // Reading is what checks them.
        let page = log::entries(conn, head.book, after, PAGE)?;
        let last =
            page.last().ok_or_else(|| SqlError::corrupt(format!("book {}: no entry after {after}", head.book)))?;
        (after, hash) = (last.seq, last.hash);
    }
    Ok(hash)
}

fn first_missing(conn: &Connection, key: i64) -> rusqlite::Result<Seq> {
    conn.query_row(
        "SELECT min(s) FROM (SELECT 1 AS s UNION ALL SELECT seq + 1 FROM entries WHERE book = ?1)
         WHERE s NOT IN (SELECT seq FROM entries WHERE book = ?1)",
        [key],
        |row| column::seq(row, 0),
    )
}
