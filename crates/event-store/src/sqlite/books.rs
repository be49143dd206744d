//! Books, but for their logs.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tidebook_book::{BookId, Epoch, Role, UnixMillis, UserId};

use super::{SqlError, column};
use crate::BookRow;

pub(crate) fn book(conn: &Connection, book: BookId) -> Result<Option<BookRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, epoch, head, head_hash, summary, created_at, archived_at IS NOT NULL FROM books WHERE id = ?1",
        )?
        .query_row([book.0.as_bytes()], book_row)
        .optional()?)
}

/// All of them, oldest first.
pub(crate) fn books(conn: &Connection) -> Result<Vec<BookRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, epoch, head, head_hash, summary, created_at, archived_at IS NOT NULL FROM books ORDER BY key",
        )?
        .query_map([], book_row)?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn books_of(conn: &Connection, user: UserId) -> Result<Vec<(BookRow, Role)>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT b.id, b.epoch, b.head, b.head_hash, b.summary, b.created_at, b.archived_at IS NOT NULL, m.role
             FROM members m JOIN books b ON b.key = m.book WHERE m.account = ?1 AND m.role IS NOT NULL ORDER BY m.key",
        )?
        .query_map([user.0.as_bytes()], |row| Ok((book_row(row)?, column::standing_role(row, 7)?)))?
        .collect::<Result<_, _>>()?)
}

fn book_row(row: &Row<'_>) -> rusqlite::Result<BookRow> {
    Ok(BookRow {
        id: BookId(column::uuid(row, 0)?),
        epoch: Epoch(column::uuid(row, 1)?),
        head: column::seq(row, 2)?,
        head_hash: column::hash(row, 3)?,
        summary: row.get(4)?,
        created_at: column::millis(row, 5)?,
        archived: row.get(6)?,
    })
}

/// Who archives it again changes nothing: the first time stands.
pub(crate) fn archive_book(conn: &Connection, book: BookId, at: UnixMillis) -> Result<bool, SqlError> {
    let archived = conn
        .prepare_cached("UPDATE books SET archived_at = coalesce(archived_at, ?2) WHERE id = ?1")?
        .execute(params![book.0.as_bytes(), at.0])?;
    Ok(archived > 0)
}

/// Everything of a book. Each of these tables refers to `books`, so that none can be forgotten: the book would not go.
const PURGE: [&str; 8] = [
    "DELETE FROM past_epochs WHERE book = ?1",
    "DELETE FROM snapshots WHERE book = ?1",
    "DELETE FROM answers WHERE book = ?1",
    "DELETE FROM invites WHERE book = ?1",
    "DELETE FROM members WHERE book = ?1",
    "DELETE FROM replicas WHERE book = ?1",
    "DELETE FROM entries WHERE book = ?1",
    "DELETE FROM books WHERE key = ?1",
];

/// Who owns a replica stays: its other books go by it.
pub(crate) fn purge_book(conn: &Connection, book: BookId) -> Result<bool, SqlError> {
    let Some(key) = key_of(conn, book)? else { return Ok(false) };
    for delete in PURGE {
        conn.execute(delete, [key])?;
    }
    Ok(true)
}

/// What stands for the book in the other tables.
pub(super) fn key_of(conn: &Connection, book: BookId) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT key FROM books WHERE id = ?1")?
        .query_row([book.0.as_bytes()], |row| row.get(0))
        .optional()
}
