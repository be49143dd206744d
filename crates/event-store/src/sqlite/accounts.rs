//! Accounts.

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use tidebook_book::UserId;
use uuid::Uuid;

use super::{SqlError, column, sessions};
use crate::{AccountCreated, AccountRow, NewAccount};

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

pub(crate) fn rename_account(conn: &Connection, user: UserId, name: &str) -> Result<bool, SqlError> {
    let renamed = conn
        .prepare_cached("UPDATE accounts SET name = ?2 WHERE id = ?1")?
        .execute(params![user.0.as_bytes(), name])?;
    Ok(renamed > 0)
}

/// With the password go the sessions that somebody who knew the old one may have begun.
pub(crate) fn set_password(
    conn: &Connection,
    user: UserId,
    password_hash: &str,
    keep_session: Option<Uuid>,
) -> Result<Vec<Uuid>, SqlError> {
    conn.prepare_cached("UPDATE accounts SET password_hash = ?2 WHERE id = ?1")?
        .execute(params![user.0.as_bytes(), password_hash])?;
    sessions::end_all_but(conn, user, keep_session)
}

pub(crate) fn delete_account(conn: &Connection, user: UserId) -> Result<Vec<Uuid>, SqlError> {
    let ended = sessions::end_all_but(conn, user, None)?;
    conn.prepare_cached("DELETE FROM accounts WHERE id = ?1")?.execute([user.0.as_bytes()])?;
    Ok(ended)
}
