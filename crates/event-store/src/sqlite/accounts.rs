//! Accounts and their sessions.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use tidebook_book::{ReplicaId, UnixMillis, UserId};
use uuid::Uuid;

use super::{SqlError, column};
use crate::{AccountCreated, AccountRow, NewAccount, NewSession, SessionRow};

pub(crate) fn create_account(conn: &Connection, new: &NewAccount) -> Result<AccountCreated, SqlError> {
    let inserted = conn
        .prepare_cached(
            "INSERT INTO accounts (id, email, name, password_hash, admin, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (email) DO NOTHING",
        )?
        .execute(params![new.id.0.as_bytes(), new.email, new.name, new.password_hash, new.admin, new.created_at.0])?;
    Ok(if inserted == 0 { AccountCreated::EmailTaken } else { AccountCreated::New })
}

pub(crate) fn account_count(conn: &Connection) -> Result<u64, SqlError> {
    Ok(conn.prepare_cached("SELECT count(*) FROM accounts")?.query_row([], |row| column::unsigned(row, 0))?)
}

pub(crate) fn account_by_email(conn: &Connection, email: &str) -> Result<Option<AccountRow>, SqlError> {
    one_account(conn, "SELECT id, email, name, password_hash, admin, created_at FROM accounts WHERE email = ?1", &email)
}

pub(crate) fn account(conn: &Connection, user: UserId) -> Result<Option<AccountRow>, SqlError> {
    one_account(
        conn,
        "SELECT id, email, name, password_hash, admin, created_at FROM accounts WHERE id = ?1",
        user.0.as_bytes(),
    )
}

fn one_account(conn: &Connection, sql: &str, key: &dyn ToSql) -> Result<Option<AccountRow>, SqlError> {
    Ok(conn
        .prepare_cached(sql)?
        .query_row([key], |row| {
            Ok(AccountRow {
                id: UserId(column::uuid(row, 0)?),
                email: row.get(1)?,
                name: row.get(2)?,
                password_hash: row.get(3)?,
                admin: row.get(4)?,
                created_at: column::millis(row, 5)?,
            })
        })
        .optional()?)
}

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
