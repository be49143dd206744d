//! Answers of REST writes, kept for a while with the mutations they were.

use rusqlite::{Connection, OptionalExtension, params};
use tidebook_book::{BookId, MutationId, UnixMillis};

use super::SqlError;
use crate::{AnswerRow, NewAnswer};

pub(super) fn keep_answer(conn: &Connection, book: i64, new: &NewAnswer) -> Result<(), SqlError> {
    conn.prepare_cached(
        "INSERT INTO answers (book, mutation, body_hash, status, body, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![book, new.mutation.0.as_bytes(), new.body_hash, new.status, new.body, new.at.0])?;
    Ok(())
}

pub(crate) fn answer(conn: &Connection, book: BookId, mutation: MutationId) -> Result<Option<AnswerRow>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT body_hash, status, body FROM answers
             WHERE book = (SELECT key FROM books WHERE id = ?1) AND mutation = ?2",
        )?
        .query_row(params![book.0.as_bytes(), mutation.0.as_bytes()], |row| {
            Ok(AnswerRow { body_hash: row.get(0)?, status: row.get(1)?, body: row.get(2)? })
        })
        .optional()?)
}

/// Forgets at most so many, and says how many.
pub(crate) fn forget_answers(conn: &Connection, before: UnixMillis, at_most: u32) -> Result<u64, SqlError> {
    let forgotten = conn
        .prepare_cached(
            "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute(params![before.0, at_most])?;
    Ok(forgotten as u64)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    #[test]
    fn at_most_so_many_are_forgotten_at_once_the_oldest_first() {
        let mut conn = Connection::open_in_memory().unwrap();
        schema::migrate(&mut conn, &schema::STEPS).unwrap();
        conn.execute_batch(
            "INSERT INTO books VALUES (1, zeroblob(16), zeroblob(16), 0, zeroblob(32), '', 0, NULL);
             INSERT INTO answers
             SELECT 1, CAST(printf('%16d', value) AS BLOB), zeroblob(32), 200, '', 5 - value FROM json_each('[1,2,3,4]')",
        )
        .unwrap();
        for (at_most, forgotten, oldest) in [(0, 0, Some(1)), (1, 1, Some(2)), (2, 2, Some(4)), (2, 0, Some(4))] {
            assert_eq!(forget_answers(&conn, UnixMillis(4), at_most).unwrap(), forgotten, "{at_most}");
            let found: Option<i64> = conn.query_row("SELECT min(at) FROM answers", [], |row| row.get(0)).unwrap();
            assert_eq!(found, oldest, "{at_most}");
        }
    }
}
