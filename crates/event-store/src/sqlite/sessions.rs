//! The sessions of accounts.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tidebook_book::{ReplicaId, UnixMillis, UserId};
use uuid::Uuid;

use super::{SqlError, column};
use crate::{NewSession, SessionRow};

pub(crate) fn create_session(conn: &Connection, new: &NewSession) -> Result<(), SqlError> {
    conn.prepare_cached(
        "INSERT INTO sessions (id, account, token_hash, replica, client, created_at, last_seen_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
    )?
    .execute(params![
        new.id.as_bytes(),
        new.user.0.as_bytes(),
        new.token_hash,
        new.replica.0.as_bytes(),
        new.client,
        new.created_at.0,
        new.expires_at.0,
    ])?;
    Ok(())
}

pub(crate) fn session(conn: &Connection, token_hash: [u8; 32]) -> Result<Option<SessionRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, account, replica, client, created_at, last_seen_at, expires_at FROM sessions
             WHERE token_hash = ?1",
        )?
        .query_row([token_hash], session_row)
        .optional()?)
}

pub(crate) fn sessions_of(conn: &Connection, user: UserId) -> Result<Vec<SessionRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, account, replica, client, created_at, last_seen_at, expires_at FROM sessions
             WHERE account = ?1 ORDER BY created_at, rowid",
        )?
        .query_map([user.0.as_bytes()], session_row)?
        .collect::<Result<_, _>>()?)
}

fn session_row(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: column::uuid(row, 0)?,
        user: UserId(column::uuid(row, 1)?),
        replica: ReplicaId(column::uuid(row, 2)?),
        client: row.get(3)?,
        created_at: column::millis(row, 4)?,
        last_seen_at: column::millis(row, 5)?,
        expires_at: column::millis(row, 6)?,
    })
}

/// Never back in time: two requests of one session may arrive here in any order.
pub(crate) fn touch_session(conn: &Connection, id: Uuid, at: UnixMillis) -> Result<(), SqlError> {
    conn.prepare_cached("UPDATE sessions SET last_seen_at = max(last_seen_at, ?2) WHERE id = ?1")?
        .execute(params![id.as_bytes(), at.0])?;
    Ok(())
}

pub(crate) fn end_session(conn: &Connection, user: UserId, id: Uuid) -> Result<bool, SqlError> {
    let ended = conn
        .prepare_cached("DELETE FROM sessions WHERE id = ?1 AND account = ?2")?
        .execute(params![id.as_bytes(), user.0.as_bytes()])?;
    Ok(ended > 0)
}

pub(super) fn end_all_but(conn: &Connection, user: UserId, kept: Option<Uuid>) -> Result<Vec<Uuid>, SqlError> {
    let kept = kept.map(Uuid::into_bytes);
    Ok(conn
        .prepare_cached("DELETE FROM sessions WHERE account = ?1 AND id IS NOT ?2 RETURNING id")?
        .query_map(params![user.0.as_bytes(), kept], |row| column::uuid(row, 0))?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn purge_expired_sessions(conn: &Connection, now: UnixMillis) -> Result<Vec<Uuid>, SqlError> {
    Ok(conn
        .prepare_cached("DELETE FROM sessions WHERE expires_at <= ?1 RETURNING id")?
        .query_map([now.0], |row| column::uuid(row, 0))?
        .collect::<Result<_, _>>()?)
}
