//! The schema's versions, and how an older store becomes one of today.

use rusqlite::{Connection, TransactionBehavior};

use crate::OpenError;

/// In the file's header: says that the file is ours. Step 1 writes it.
pub(super) const APPLICATION_ID: i64 = 0x5469_6465;

/// What leads from each version to the next; the first from an empty file. Steps are never changed, only added.
pub(super) const STEPS: [&str; 3] =
    [include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// The version of a store of today.
pub(super) fn newest() -> i64 {
    i64::try_from(STEPS.len()).expect("a handful of steps")
}

/// Refuses versions this program doesn't know, and takes the steps that are missing, each in a transaction of its own.
pub(super) fn migrate(conn: &mut Connection, steps: &[&str]) -> Result<(), OpenError> {
    let known = i64::try_from(steps.len()).expect("a handful of steps");
    let found = version(conn)?;
    if !(0..=known).contains(&found) {
        return Err(OpenError::NewerSchema { found, known });
    }
    for (target, step) in (1..).zip(steps).skip_while(|(target, _)| *target <= found) {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", target)?;
        transaction.commit()?;
        tracing::info!(version = target, "the store's schema is brought up to date");
    }
    Ok(())
}

pub(super) fn version(conn: &Connection) -> Result<i64, OpenError> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: [&str; 3] =
        ["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y", "INSERT INTO a VALUES (1, 2); CREATE TABLE b (z)"];

    #[test]
    fn every_older_version_takes_the_steps_it_lacks() {
        for from in 0..=3 {
            let mut conn = Connection::open_in_memory().unwrap();
            migrate(&mut conn, &THREE[..from]).unwrap();
            assert_eq!(version(&conn).unwrap(), from as i64);
            migrate(&mut conn, &THREE).unwrap();
            assert_eq!(version(&conn).unwrap(), 3);
            let rows: i64 =
                conn.query_row("SELECT count(*) FROM a, (SELECT count(*) FROM b)", [], |r| r.get(0)).unwrap();
            assert_eq!(rows, 1, "from {from}");
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, &["CREATE TABLE a (x)", "CREATE TABLE b (x); CREATE TABLE a (x)"]).unwrap_err();
        assert_eq!(version(&conn).unwrap(), 1);
        assert!(!conn.table_exists(None, "b").unwrap());
    }

    #[test]
    fn a_version_we_do_not_know_is_refused() {
        for found in [4, i64::from(i32::MAX), -1] {
            let mut conn = Connection::open_in_memory().unwrap();
            conn.pragma_update(None, "user_version", found).unwrap();
            let error = migrate(&mut conn, &THREE).unwrap_err();
            assert!(matches!(error, OpenError::NewerSchema { known: 3, .. }), "{error}");
        }
    }
}
