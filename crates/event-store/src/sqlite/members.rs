//! Who is in which book.

use rusqlite::{Connection, params};
use tidebook_book::{BookId, Person, Role, UnixMillis, UserId};

use super::{SqlError, column};
use crate::{MemberRow, MembershipRow};

/// Who comes back keeps the place of their first membership, and is a member since now.
pub(super) fn set_member(
    conn: &Connection,
    book: i64,
    user: UserId,
    role: Option<Role>,
    at: UnixMillis,
) -> Result<(), SqlError> {
    let user = user.0.as_bytes();
    match role {
        Some(role) => conn
            .prepare_cached(
                "INSERT INTO members (book, account, role, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (book, account) DO UPDATE SET
                     since = CASE WHEN role IS NULL THEN excluded.since ELSE since END, role = excluded.role",
            )?
            .execute(params![book, user, column::role_name(role), at.0])?,
        None => conn
            .prepare_cached("UPDATE members SET role = NULL WHERE book = ?1 AND account = ?2")?
            .execute(params![book, user])?,
    };
    Ok(())
}

pub(crate) fn people(conn: &Connection, book: BookId) -> Result<Vec<Person>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT m.account, coalesce(a.name, ''), m.role FROM members m LEFT JOIN accounts a ON a.id = m.account
             WHERE m.book = (SELECT key FROM books WHERE id = ?1) ORDER BY m.key",
        )?
        .query_map([book.0.as_bytes()], |row| {
            Ok(Person { id: UserId(column::uuid(row, 0)?), name: row.get(1)?, role: column::role(row, 2)? })
        })?
        .collect::<Result<_, _>>()?)
}

/// The index itself, in its order.
pub(crate) fn rows(conn: &Connection, book: BookId) -> Result<Vec<MembershipRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT account, role, since FROM members WHERE book = (SELECT key FROM books WHERE id = ?1) ORDER BY key",
        )?
        .query_map([book.0.as_bytes()], |row| {
            Ok(MembershipRow {
                user: UserId(column::uuid(row, 0)?),
                role: column::role(row, 1)?,
                since: column::millis(row, 2)?,
            })
        })?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn members(conn: &Connection, book: BookId) -> Result<Vec<MemberRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT m.account, coalesce(a.name, ''), m.role, m.since
             FROM members m LEFT JOIN accounts a ON a.id = m.account
             WHERE m.book = (SELECT key FROM books WHERE id = ?1) AND m.role IS NOT NULL ORDER BY m.key",
        )?
        .query_map([book.0.as_bytes()], |row| {
            Ok(MemberRow {
                user: UserId(column::uuid(row, 0)?),
                name: row.get(1)?,
                role: column::standing_role(row, 2)?,
                since: column::millis(row, 3)?,
            })
        })?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn memberships(conn: &Connection, user: UserId) -> Result<Vec<(BookId, Role)>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT b.id, m.role FROM members m JOIN books b ON b.key = m.book
             WHERE m.account = ?1 AND m.role IS NOT NULL ORDER BY m.key",
        )?
        .query_map([user.0.as_bytes()], |row| Ok((BookId(column::uuid(row, 0)?), column::standing_role(row, 1)?)))?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn books_that_name(conn: &Connection, user: UserId) -> Result<Vec<BookId>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT b.id FROM members m JOIN books b ON b.key = m.book WHERE m.account = ?1 ORDER BY m.key",
        )?
        .query_map([user.0.as_bytes()], |row| column::uuid(row, 0).map(BookId))?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn sole_member_books(conn: &Connection, user: UserId) -> Result<Vec<BookId>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT b.id FROM members m JOIN books b ON b.key = m.book
             WHERE m.account = ?1 AND m.role IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM members o WHERE o.book = m.book AND o.account <> m.account AND o.role IS NOT NULL
             ) ORDER BY m.key",
        )?
        .query_map([user.0.as_bytes()], |row| column::uuid(row, 0).map(BookId))?
        .collect::<Result<_, _>>()?)
}
