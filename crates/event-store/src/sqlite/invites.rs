//! Invites: who holds the token may become a member.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tidebook_book::{BookId, UnixMillis, UserId};
use uuid::Uuid;

use super::books::key_of;
use super::{SqlError, column};
use crate::{INVITES_PER_BOOK_MAX, InviteCreated, InviteRow, NewInvite};

pub(crate) fn create_invite(conn: &Connection, new: &NewInvite) -> Result<InviteCreated, SqlError> {
    let Some(book) = key_of(conn, new.book)? else { return Ok(InviteCreated::NoSuchBook) };
    remove_fallen(conn, book, new.created_at)?;
    if count(conn, book)? >= INVITES_PER_BOOK_MAX as u64 {
        return Ok(InviteCreated::TooMany);
    }
    conn.prepare_cached(
        "INSERT INTO invites (id, book, token_hash, role, uses_left, created_by, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        new.id.as_bytes(),
        book,
        new.token_hash,
        column::role_name(new.role),
        new.uses_left,
        new.created_by.0.as_bytes(),
        new.created_at.0,
        new.expires_at.0,
    ])?;
    Ok(InviteCreated::New)
}

fn remove_fallen(conn: &Connection, book: i64, now: UnixMillis) -> Result<(), SqlError> {
    conn.prepare_cached("DELETE FROM invites WHERE book = ?1 AND (uses_left = 0 OR expires_at <= ?2)")?
        .execute(params![book, now.0])?;
    Ok(())
}

fn count(conn: &Connection, book: i64) -> Result<u64, SqlError> {
    Ok(conn
        .prepare_cached("SELECT count(*) FROM invites WHERE book = ?1")?
        .query_row([book], |row| column::unsigned(row, 0))?)
}

pub(crate) fn invites_of(conn: &Connection, book: BookId, now: UnixMillis) -> Result<Vec<InviteRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT i.id, b.id, i.role, i.uses_left, i.created_by, i.created_at, i.expires_at
             FROM books b JOIN invites i ON i.book = b.key
             WHERE b.id = ?1 AND i.uses_left > 0 AND i.expires_at > ?2 ORDER BY i.created_at, i.rowid",
        )?
        .query_map(params![book.0.as_bytes(), now.0], invite_row)?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn invite_by_token(conn: &Connection, token_hash: [u8; 32]) -> Result<Option<InviteRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT i.id, b.id, i.role, i.uses_left, i.created_by, i.created_at, i.expires_at
             FROM books b JOIN invites i ON i.book = b.key WHERE i.token_hash = ?1",
        )?
        .query_row([token_hash], invite_row)
        .optional()?)
}

fn invite_row(row: &Row<'_>) -> rusqlite::Result<InviteRow> {
    Ok(InviteRow {
        id: column::uuid(row, 0)?,
        book: BookId(column::uuid(row, 1)?),
        role: column::standing_role(row, 2)?,
        uses_left: row.get(3)?,
        created_by: UserId(column::uuid(row, 4)?),
        created_at: column::millis(row, 5)?,
        expires_at: column::millis(row, 6)?,
    })
}

pub(crate) fn revoke_invite(conn: &Connection, book: BookId, id: Uuid) -> Result<bool, SqlError> {
    let revoked = conn
        .prepare_cached("DELETE FROM invites WHERE id = ?1 AND book = (SELECT key FROM books WHERE id = ?2)")?
        .execute(params![id.as_bytes(), book.0.as_bytes()])?;
    Ok(revoked > 0)
}

/// Two who hold the token of an invite with one use left get here one after the other, and only one gets in.
pub(super) fn use_invite(conn: &Connection, book: i64, id: Uuid) -> Result<(), SqlError> {
    let used = conn
        .prepare_cached("UPDATE invites SET uses_left = uses_left - 1 WHERE id = ?1 AND book = ?2 AND uses_left > 0")?
        .execute(params![id.as_bytes(), book])?;
    if used == 0 { Err(SqlError::CONFLICT) } else { Ok(()) }
}
