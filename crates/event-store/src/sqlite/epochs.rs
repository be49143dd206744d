//! Which histories a book has had.

use rusqlite::{Connection, OptionalExtension, params};
use tidebook_book::{BookId, Epoch, Seq};

use super::{SqlError, column};
use crate::FormerEpoch;

pub(crate) fn common_with(conn: &Connection, book: BookId, epoch: Epoch) -> Result<Option<Seq>, SqlError> {
    Ok(conn
        .prepare_cached(
            "SELECT common FROM past_epochs WHERE book = (SELECT key FROM books WHERE id = ?1) AND epoch = ?2",
        )?
        .query_row(params![book.0.as_bytes(), epoch.0.as_bytes()], |row| column::seq(row, 0))
        .optional()?)
}

/// Begins another history of every book, where its log ends.
pub(super) fn begin_anew(conn: &Connection, fresh: &mut dyn FnMut() -> Epoch) -> Result<(), SqlError> {
    let keys =
        conn.prepare("SELECT key FROM books")?.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    for key in keys {
        conn.prepare_cached(
            "INSERT INTO past_epochs (book, epoch, common) SELECT key, epoch, head FROM books WHERE key = ?1",
        )?
        .execute([key])?;
        conn.prepare_cached("UPDATE books SET epoch = ?2 WHERE key = ?1")?
            .execute(params![key, fresh().0.as_bytes()])?;
    }
    Ok(())
}

pub(crate) fn keep_former(conn: &Connection, book: BookId, former: FormerEpoch) -> Result<(), SqlError> {
    let FormerEpoch { epoch, common } = former;
    conn.prepare_cached("INSERT INTO past_epochs (book, epoch, common) SELECT key, ?2, ?3 FROM books WHERE id = ?1")?
        .execute(params![book.0.as_bytes(), epoch.0.as_bytes(), column::bound(common.0)])?;
    Ok(())
}
