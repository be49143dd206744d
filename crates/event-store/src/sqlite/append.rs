//! Writing a book's log, and everything that goes with an append.

use rusqlite::{Connection, OptionalExtension, params};
use tidebook_book::{ChainHash, Seq};

use super::{SqlError, answers, column, epochs, invites, members};
use crate::{Append, AppendOne, Created, FormerEpoch, NewBook, NewEntry, ReplicaRow, StoreError};

/// Where a book's log ends.
struct Head {
    /// Stands for the book's id in the other tables.
    key: i64,
    seq: Seq,
    hash: ChainHash,
}

pub(crate) fn create_book(conn: &Connection, new: &NewBook) -> Result<Created, SqlError> {
    if new.first.book != new.book {
        return Err(SqlError::failed("a book cannot begin with another book's entries"));
    }
    let inserted = conn
        .prepare_cached(
            "INSERT INTO books (id, epoch, head, head_hash, summary, created_at) VALUES (?1, ?2, 0, ?3, '', ?4)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![new.book.0.as_bytes(), new.epoch.0.as_bytes(), ChainHash::ZERO.0, new.created_at.0])?;
    if inserted == 0 {
        return Ok(Created::IdTaken);
    }
    append(conn, &new.first)?;
    Ok(Created::New)
}

pub(crate) fn bring_book(
    conn: &Connection,
    new: &NewBook,
    former: FormerEpoch,
    log: impl FnOnce(&mut AppendOne<'_>) -> Result<(), StoreError>,
) -> Result<Created, SqlError> {
    if create_book(conn, new)? == Created::IdTaken {
        return Ok(Created::IdTaken);
    }
    log(&mut |next| Ok(append(conn, next)?)).map_err(SqlError::Refused)?;
    epochs::keep_former(conn, new.book, former)?;
    Ok(Created::New)
}

pub(crate) fn append(conn: &Connection, append: &Append) -> Result<(), SqlError> {
    let mut head = head(conn, append)?.ok_or(SqlError::CONFLICT)?;
    if head.seq != append.expected_head {
        return Err(SqlError::CONFLICT);
    }
    for new in &append.entries {
        insert_entry(conn, &mut head, new)?;
    }
    if let Some(invite) = append.invite_used {
        invites::use_invite(conn, head.key, invite)?;
    }
    set_head(conn, &head, append.summary.as_deref())?;
    append.numbers.iter().try_for_each(|replica| set_number(conn, head.key, replica))?;
    append.members.iter().try_for_each(|(user, role, at)| members::set_member(conn, head.key, *user, *role, *at))?;
    append.answers.iter().try_for_each(|answer| answers::keep_answer(conn, head.key, answer))
}

fn head(conn: &Connection, append: &Append) -> rusqlite::Result<Option<Head>> {
    conn.prepare_cached("SELECT key, head, head_hash FROM books WHERE id = ?1")?
        .query_row([append.book.0.as_bytes()], |row| {
            Ok(Head { key: row.get(0)?, seq: column::seq(row, 1)?, hash: column::hash(row, 2)? })
        })
        .optional()
}

/// A wrong seq or hash would be found at the next start, when it is too late: it is refused here.
fn insert_entry(conn: &Connection, head: &mut Head, new: &NewEntry) -> Result<(), SqlError> {
    let entry = &new.entry;
    if entry.seq != head.seq.next() {
        return Err(SqlError::failed(format!("entry {} does not follow {}", entry.seq, head.seq)));
    }
    if entry.hash != head.hash.followed_by(&entry.bytes) {
        return Err(SqlError::failed(format!("the hash of entry {} does not follow from the one before", entry.seq)));
    }
    conn.prepare_cached(
        "INSERT INTO entries (book, seq, bytes, hash, mutation, replica, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        head.key,
        stored(entry.seq.0)?,
        &*entry.bytes,
        entry.hash.0,
        new.id.0.as_bytes(),
        new.replica.0.as_bytes(),
        stored(new.n.0)?,
    ])?;
    (head.seq, head.hash) = (entry.seq, entry.hash);
    Ok(())
}

fn set_head(conn: &Connection, head: &Head, summary: Option<&str>) -> Result<(), SqlError> {
    conn.prepare_cached("UPDATE books SET head = ?2, head_hash = ?3, summary = coalesce(?4, summary) WHERE key = ?1")?
        .execute(params![head.key, stored(head.seq.0)?, head.hash.0, summary])?;
    Ok(())
}

/// The first user stands: a replica belongs to the person who first used it.
fn set_number(conn: &Connection, book: i64, row: &ReplicaRow) -> Result<(), SqlError> {
    let (replica, n) = (row.replica.0.as_bytes(), stored(row.n.0)?);
    let known = conn
        .prepare_cached("UPDATE replicas SET n = max(n, ?3) WHERE book = ?1 AND replica = ?2")?
        .execute(params![book, replica, n])?;
    if known > 0 {
        return Ok(());
    }
    let user = row.user.0.as_bytes();
    conn.prepare_cached("INSERT INTO replicas (book, replica, account, n) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![book, replica, user, n])?;
    conn.prepare_cached("INSERT INTO replica_owners (replica, account) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![replica, user])?;
    Ok(())
}

fn stored(number: u64) -> Result<i64, SqlError> {
    i64::try_from(number).map_err(|_| SqlError::failed(format!("{number} is too big to be stored")))
}
