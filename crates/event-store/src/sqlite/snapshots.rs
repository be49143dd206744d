//! Snapshots of books, as bytes: what they say, and whether they can still be read, others decide.

use rusqlite::{Connection, OptionalExtension, params};
use tidebook_book::{BookId, Seq};

use super::{SqlError, column};

/// Of each book: the one to start from, and the one before it for when that can't be read.
const SNAPSHOTS_KEPT: u32 = 2;

/// A second one at the same seq takes the place of the first: an update may have changed how a state is written.
pub(crate) fn put_snapshot(conn: &Connection, book: BookId, seq: Seq, bytes: &[u8]) -> Result<(), SqlError> {
    let Some((key, head)) = key_and_head(conn, book)? else { return Ok(()) };
    if seq > head {
        return Err(SqlError::failed(format!("a snapshot at {seq} lies beyond the head {head}")));
    }
    conn.prepare_cached(
        "INSERT INTO snapshots (book, seq, bytes) VALUES (?1, ?2, ?3)
         ON CONFLICT (book, seq) DO UPDATE SET bytes = excluded.bytes",
    )?
    .execute(params![key, column::bound(seq.0), bytes])?;
    conn.prepare_cached(
        "DELETE FROM snapshots WHERE book = ?1
         AND seq NOT IN (SELECT seq FROM snapshots WHERE book = ?1 ORDER BY seq DESC LIMIT ?2)",
    )?
    .execute(params![key, SNAPSHOTS_KEPT])?;
    Ok(())
}

fn key_and_head(conn: &Connection, book: BookId) -> rusqlite::Result<Option<(i64, Seq)>> {
    conn.prepare_cached("SELECT key, head FROM books WHERE id = ?1")?
        .query_row([book.0.as_bytes()], |row| Ok((row.get(0)?, column::seq(row, 1)?)))
        .optional()
}

pub(crate) fn seqs(conn: &Connection, book: BookId) -> Result<Vec<Seq>, SqlError> {
    Ok(conn
        .prepare_cached("SELECT seq FROM snapshots WHERE book = (SELECT key FROM books WHERE id = ?1) ORDER BY seq")?
        .query_map([book.0.as_bytes()], |row| column::seq(row, 0))?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn snapshot(conn: &Connection, book: BookId, seq: Seq) -> Result<Option<Vec<u8>>, SqlError> {
    Ok(conn
        .prepare_cached("SELECT bytes FROM snapshots WHERE book = (SELECT key FROM books WHERE id = ?1) AND seq = ?2")?
        .query_row(params![book.0.as_bytes(), column::bound(seq.0)], |row| row.get(0))
        .optional()?)
}

pub(crate) fn snapshots(conn: &Connection, book: BookId) -> Result<Vec<(Seq, Vec<u8>)>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT seq, bytes FROM snapshots WHERE book = (SELECT key FROM books WHERE id = ?1) ORDER BY seq DESC",
        )?
        .query_map([book.0.as_bytes()], |row| Ok((column::seq(row, 0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?)
}
