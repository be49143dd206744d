//! Reading a book's log, and which replicas wrote it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use tidebook_book::{BookId, ChainHash, EncodedEntry, MutationId, MutationNumber, ReplicaId, Seq, UserId};

use super::books::key_of;
use super::{SqlError, column};
use crate::{EntryLimit, Place, ReplicaRow};

pub(crate) fn entries(
    conn: &Connection,
    book: BookId,
    after: Seq,
    limit: EntryLimit,
) -> Result<Vec<EncodedEntry>, SqlError> {
    let Some(key) = key_of(conn, book)? else { return Ok(Vec::new()) };
    let (mut last, mut hash) = (after, hash_at(conn, book, after)?);
    limited(
        conn,
        "SELECT seq, bytes, hash FROM entries WHERE book = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        params![key, column::bound(after.0), row_limit(limit)],
        limit,
        |row| {
            let before = hash.filter(|_| column::seq(row, 0).is_ok_and(|seq| seq == last.next()));
            let entry = checked_entry(book, row, before)?;
            (last, hash) = (entry.seq, Some(entry.hash));
            Ok(entry)
        },
    )
}

pub(crate) fn fates(
    conn: &Connection,
    book: BookId,
    replica: ReplicaId,
    from: MutationNumber,
    up_to: Seq,
    limit: EntryLimit,
) -> Result<Vec<EncodedEntry>, SqlError> {
    let (book_bytes, replica) = (book.0.as_bytes(), replica.0.as_bytes());
    limited(
        conn,
        "SELECT e.seq, e.bytes, e.hash, (SELECT p.hash FROM entries p WHERE p.book = e.book AND p.seq = e.seq - 1)
         FROM entries e
         WHERE e.book = (SELECT key FROM books WHERE id = ?1) AND e.replica = ?2 AND e.n >= ?3 AND e.seq <= ?4
         ORDER BY e.n LIMIT ?5",
        params![book_bytes, replica, column::bound(from.0), column::bound(up_to.0), row_limit(limit)],
        limit,
        |row| checked_entry(book, row, hash_before(row)?),
    )
}

pub(crate) fn entry_of(
    conn: &Connection,
    book: BookId,
    mutation: MutationId,
) -> Result<Option<EncodedEntry>, SqlError> {
    let mut found = limited(
        conn,
        "SELECT e.seq, e.bytes, e.hash, (SELECT p.hash FROM entries p WHERE p.book = e.book AND p.seq = e.seq - 1)
         FROM entries e WHERE e.book = (SELECT key FROM books WHERE id = ?1) AND e.mutation = ?2",
        params![book.0.as_bytes(), mutation.0.as_bytes()],
        EntryLimit { count: 1, bytes: usize::MAX },
        |row| checked_entry(book, row, hash_before(row)?),
    )?;
    Ok(found.pop())
}

/// Reads entries up to a limit, and at least one where there is one.
fn limited(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    limit: EntryLimit,
    mut read: impl FnMut(&Row<'_>) -> Result<EncodedEntry, SqlError>,
) -> Result<Vec<EncodedEntry>, SqlError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let (mut entries, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let entry = read(row)?;
        bytes += entry.bytes.len();
        if bytes > limit.bytes && !entries.is_empty() {
            break;
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// At least one, as [`EntryLimit`] promises.
pub(super) fn row_limit(limit: EntryLimit) -> i64 {
    i64::try_from(limit.count.max(1)).unwrap_or(i64::MAX)
}

/// Where the row's fourth column is the hash of the entry before it.
fn hash_before(row: &Row<'_>) -> Result<Option<ChainHash>, SqlError> {
    if column::seq(row, 0)? == Seq(1) {
        return Ok(Some(ChainHash::ZERO));
    }
    Ok(row.get::<_, Option<[u8; 32]>>(3)?.map(ChainHash))
}

/// Checks the entry against its own hash and the one before. So a gap in the log is found by the entry that follows it.
fn checked_entry(book: BookId, row: &Row<'_>, before: Option<ChainHash>) -> Result<EncodedEntry, SqlError> {
    let seq = column::seq(row, 0)?;
    let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    let hash = column::hash(row, 2)?;
    let damaged = |what| SqlError::corrupt(format!("book {book}, seq {seq}: {what}"));
    let before = before.ok_or_else(|| damaged("the entry before it is missing"))?;
    if before.followed_by(bytes) != hash {
        return Err(damaged("the entry's bytes and its hash disagree"));
    }
    Ok(EncodedEntry { seq, bytes: Arc::from(bytes), hash })
}

pub(crate) fn places(
    conn: &Connection,
    book: BookId,
    ids: &[MutationId],
    numbers: &[(ReplicaId, MutationNumber)],
) -> Result<Vec<Place>, SqlError> {
    let Some(key) = key_of(conn, book)? else { return Ok(Vec::new()) };
    let mut places = BTreeMap::new();
    let mut by_id =
        conn.prepare_cached("SELECT seq, mutation, replica, n FROM entries WHERE book = ?1 AND mutation = ?2")?;
    for id in ids {
        let place = by_id.query_row(params![key, id.0.as_bytes()], place).optional()?;
        places.extend(place.map(|place| (place.seq, place)));
    }
    let mut by_number = conn
        .prepare_cached("SELECT seq, mutation, replica, n FROM entries WHERE book = ?1 AND replica = ?2 AND n = ?3")?;
    for (replica, n) in numbers {
        let place = by_number.query_row(params![key, replica.0.as_bytes(), column::bound(n.0)], place).optional()?;
        places.extend(place.map(|place| (place.seq, place)));
    }
    Ok(places.into_values().collect())
}

fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place {
        seq: column::seq(row, 0)?,
        id: MutationId(column::uuid(row, 1)?),
        replica: ReplicaId(column::uuid(row, 2)?),
        n: column::number(row, 3)?,
    })
}

pub(crate) fn hash_at(conn: &Connection, book: BookId, seq: Seq) -> Result<Option<ChainHash>, SqlError> {
    let Some(key) = key_of(conn, book)? else { return Ok(None) };
    if seq == Seq::ZERO {
        return Ok(Some(ChainHash::ZERO));
    }
    Ok(conn
        .prepare_cached("SELECT hash FROM entries WHERE book = ?1 AND seq = ?2")?
        .query_row(params![key, column::bound(seq.0)], |row| column::hash(row, 0))
        .optional()?)
}

pub(crate) fn replicas(conn: &Connection, book: BookId) -> Result<Vec<ReplicaRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT replica, account, n FROM replicas WHERE book = (SELECT key FROM books WHERE id = ?1) ORDER BY replica",
        )?
        .query_map([book.0.as_bytes()], |row| {
            Ok(ReplicaRow {
                replica: ReplicaId(column::uuid(row, 0)?),
                user: UserId(column::uuid(row, 1)?),
                n: column::number(row, 2)?,
            })
        })?
        .collect::<Result<_, _>>()?)
}

pub(crate) fn replica_owner(conn: &Connection, replica: ReplicaId) -> Result<Option<UserId>, SqlError> {
    Ok(conn
        .prepare_cached("SELECT account FROM replica_owners WHERE replica = ?1")?
        .query_row([replica.0.as_bytes()], |row| column::uuid(row, 0).map(UserId))
        .optional()?)
}
