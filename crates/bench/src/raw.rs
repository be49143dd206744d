//! What the machine's disk, and SQLite on it, do by themselves: the limit of everything that is durable.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use rusqlite::{Connection, params};

/// A page of SQLite's, and of the disk's.
const BLOCK: [u8; 4096] = [7; 4096];
/// The file that is overwritten.
const BLOCKS: u64 = 256;
/// About what an entry of a book takes.
const ROW: [u8; 200] = [b'x'; 200];
const ROWS_TOGETHER: u64 = 1000;
const ROWS: &str = "CREATE TABLE rows (seq INTEGER PRIMARY KEY, content BLOB NOT NULL)";

/// All per second.
#[derive(Debug)]
pub(crate) struct Raw {
    /// 4 KiB at the end of a file, then `fdatasync`
    pub(crate) appends: f64,
    /// 4 KiB in the middle of a file, then `fdatasync`
    pub(crate) overwrites: f64,
    /// SQLite with a write-ahead log and `synchronous = FULL`, one row of 200 bytes
    pub(crate) commits: f64,
    /// The same, rows in commits of 1,000
    pub(crate) rows: f64,
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { appends, overwrites, commits, rows } = self;
        write!(
            f,
            "fdatasync of 4 KiB appended {appends:.0}/s, overwritten {overwrites:.0}/s | SQLite: commits of one row \
             {commits:.0}/s, rows in commits of {ROWS_TOGETHER} {rows:.0}/s"
        )
    }
}

/// Measures each of them for `duration` in `folder`, which must be on the disk that is meant.
pub(crate) fn measure(folder: &Path, duration: Duration) -> Result<Raw> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut database = open(&folder.path().join("rows.db"), ROWS)?;
    Ok(Raw {
        appends: appends(&folder.path().join("appended"), duration)?,
        overwrites: overwrites(&folder.path().join("overwritten"), duration)?,
        commits: per_second(duration, |_| commit(&mut database, 1))?,
        rows: per_second(duration, |_| commit(&mut database, ROWS_TOGETHER))? * ROWS_TOGETHER as f64,
    })
}

/// How long a commit of one row takes in a loop.
pub(crate) fn median_commit(folder: &Path, duration: Duration) -> Result<Duration> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut database = open(&folder.path().join("rows.db"), ROWS)?;
    let mut times = Histogram::<u64>::new(3)?;
    let until = Instant::now() + duration;
    while Instant::now() < until {
        let began = Instant::now();
        commit(&mut database, 1)?;
        times.record(u64::try_from(began.elapsed().as_nanos())?)?;
    }
    Ok(Duration::from_nanos(times.value_at_quantile(0.5)))
}

/// How often `act` can be done in a second; it is told how often it was done.
fn per_second(duration: Duration, mut act: impl FnMut(u64) -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    let mut times = 0;
    while started.elapsed() < duration {
        act(times)?;
        times += 1;
    }
    Ok(times as f64 / started.elapsed().as_secs_f64())
}

fn appends(path: &Path, duration: Duration) -> Result<f64> {
    let mut file = File::create_new(path)?;
    per_second(duration, |_| {
        file.write_all(&BLOCK)?;
        Ok(file.sync_data()?)
    })
}

fn overwrites(path: &Path, duration: Duration) -> Result<f64> {
    let file = OpenOptions::new().create_new(true).write(true).open(path)?;
    for block in 0..BLOCKS {
        file.write_all_at(&BLOCK, block * BLOCK.len() as u64)?;
    }
    file.sync_all()?;
    per_second(duration, |times| {
        file.write_all_at(&BLOCK, times % BLOCKS * BLOCK.len() as u64)?;
        Ok(file.sync_data()?)
    })
}

/// A new database of which each commit is on the disk when it is done.
pub(crate) fn open(path: &Path, table: &str) -> Result<Connection> {
    let database = Connection::open(path)?;
    database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    database.execute_batch(table)?;
    Ok(database)
}

fn commit(database: &mut Connection, rows: u64) -> Result<()> {
    let transaction = database.transaction()?;
    {
        let mut insert = transaction.prepare_cached("INSERT INTO rows (content) VALUES (?1)")?;
        for _ in 0..rows {
            insert.execute(params![ROW])?;
        }
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let raw = measure(folder.path(), Duration::from_millis(5)).unwrap();
        for value in [raw.appends, raw.overwrites, raw.commits, raw.rows] {
            assert!(value > 0.0, "{raw:?}");
        }
    }

    #[test]
    fn each_row_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = open(&folder.path().join("rows.db"), ROWS).unwrap();
        commit(&mut database, 1).unwrap();
        commit(&mut database, ROWS_TOGETHER).unwrap();
        let count = database.query_row("SELECT count(*) FROM rows", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count, 1 + ROWS_TOGETHER.cast_signed());
    }
}
