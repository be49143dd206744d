//! The one thread that writes: takes what has gathered while the last commit ran, commits it together, and only then
//! answers.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use super::failure::{disk_full, sync_failed};
use super::job::{Job, Message};
use super::open::{BUSY_TIMEOUT, Opened};
use super::{ReadPool, SqlError};
use crate::StoreError;

/// How many writes wait for the writer; their callers wait beyond that. About what gathers during one slow sync: more
/// would only make a caller wait longer for a store that cannot keep up.
const JOBS_WAITING_MAX: usize = 256;

/// What one commit takes. Every write in it waits for all of it, so it ends while its own work is still short beside the
/// sync.
const GROUP_JOBS_MAX: usize = 512;

/// See [`GROUP_JOBS_MAX`]; also what a commit may need of memory and of the write-ahead log, but for its last job.
const GROUP_BYTES_MAX: usize = 4 << 20;

/// What a job adds to the write-ahead log beyond its bytes, at a guess: a page in each of a few trees.
const JOB_OVERHEAD_BYTES: usize = 16 << 10;

/// How much is written, at a guess, before the write-ahead log is brought into the database: seldom enough to write pages
/// that change often only once, often enough to keep reading, and the next start, quick.
pub(crate) const CHECKPOINT_AFTER_BYTES: usize = 16 << 20;

/// At this length (of 4 KiB each, so 64 MiB) the writer waits for the readers before it goes on: as long as one of them
/// always looks at the log, the log cannot start over, and would grow for ever.
const WAL_FRAMES_MAX: i64 = 16 << 10;

/// How long it waits for them. Our own are done within milliseconds. A backup, or a check, may look at one state for a long
/// time; then every write would wait with it, again and again, so the log rather grows until it is done.
const READERS_WAITED_FOR: Duration = Duration::from_millis(250);

/// Starts the writer. It ends when all senders are gone or one has sent [`Message::Close`]; then the receiver's sender
/// goes too.
pub(crate) fn start(
    opened: Opened,
    readers: Arc<ReadPool>,
) -> io::Result<(mpsc::Sender<Message>, watch::Receiver<()>)> {
    let (jobs, receiver) = mpsc::channel(JOBS_WAITING_MAX);
    let (ended, wait) = watch::channel(());
    let Opened { conn, lock } = opened;
    let writer = Writer { conn, jobs: receiver, unwritten_bytes: 0, wal_frames: 0, readers, lock };
    thread::Builder::new().name("store-writer".into()).spawn(move || {
        // A store without a writer would refuse everything and look alive.
        if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
            stop_process("the writer panicked", "see above");
        }
        drop(ended);
    })?;
    Ok((jobs, wait))
}

struct Writer {
    conn: Connection,
    jobs: mpsc::Receiver<Message>,
    /// By our guess, since the last checkpoint.
    unwritten_bytes: usize,
    /// The write-ahead log's length at the last checkpoint.
    wal_frames: i64,
    readers: Arc<ReadPool>,
    lock: File,
}

impl Writer {
    fn run(mut self) {
        while let Some(message) = self.jobs.blocking_recv() {
            let group = self.gather(message);
            self.commit(group);
            if self.unwritten_bytes >= CHECKPOINT_AFTER_BYTES {
                let mode = if self.wal_frames >= WAL_FRAMES_MAX { "RESTART" } else { "PASSIVE" };
                self.checkpoint(mode);
            }
        }
        self.end();
    }

    /// Takes what is there, without waiting for more.
    fn gather(&mut self, first: Message) -> Vec<Box<dyn Job>> {
        let (mut group, mut bytes) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Job(job) => {
                    bytes += job.bytes();
                    group.push(job);
                }
                // What was accepted before still comes out of the channel.
                Message::Close => self.jobs.close(),
            }
            let full = group.len() >= GROUP_JOBS_MAX || bytes >= GROUP_BYTES_MAX;
            next = if full { None } else { self.jobs.try_recv().ok() };
        }
        self.unwritten_bytes += bytes + group.len() * JOB_OVERHEAD_BYTES;
        group
    }

    fn commit(&self, mut group: Vec<Box<dyn Job>>) {
        if group.is_empty() {
            return;
        }
        let mut own_results = Vec::with_capacity(group.len());
        let group_result = write_group(&self.conn, &mut group, &mut own_results);
        if let Err(error) = &group_result {
            tracing::warn!(%error, jobs = group.len(), "a group of writes was taken back");
        }
        // Where the group failed halfway, the rest of it has no result of its own.
        let own_results = own_results.into_iter().chain(std::iter::repeat(Ok(())));
        for (job, own) in group.into_iter().zip(own_results) {
            job.answer(group_result.clone(), own);
        }
    }

    fn checkpoint(&mut self, mode: &str) {
        let checkpoint = || {
            self.conn.busy_timeout(READERS_WAITED_FOR)?;
            let frames = self.conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(1))?;
            self.conn.busy_timeout(BUSY_TIMEOUT)?;
            Ok(frames)
        };
        let result = checkpoint();
        match result {
            Ok(frames) => {
                tracing::debug!(mode, frames, "checkpoint");
                self.wal_frames = frames;
            }
            // Everything stays in the write-ahead log, which is as durable.
            Err(error) if disk_full(&error) => tracing::warn!(%error, "no room for a checkpoint"),
            Err(error) => stop_process("a checkpoint failed", error),
        }
        self.unwritten_bytes = 0;
    }

    /// Leaves one file without a write-ahead log, and frees it for the next.
    fn end(mut self) {
        self.readers.close();
        self.checkpoint("TRUNCATE");
        if let Err((_, error)) = self.conn.close() {
            tracing::warn!(%error, "the store did not close cleanly");
        }
        // Last: until here nobody else may come in.
        drop(self.lock);
    }
}

/// Writes all of them in one transaction. On an error nothing of any of them is written.
fn write_group(
    conn: &Connection,
    group: &mut [Box<dyn Job>],
    own_results: &mut Vec<Result<(), StoreError>>,
) -> Result<(), StoreError> {
    let written = conn.execute_batch("BEGIN IMMEDIATE").map_err(SqlError::from).and_then(|()| {
        if let [job] = group {
            own_results.push(run_alone(conn, job.as_mut())?);
            return Ok(());
        }
        for job in group {
            own_results.push(run_apart(conn, job.as_mut())?);
        }
        commit(conn)
    });
    written.map_err(|error| {
        roll_back(conn);
        clean_failure(error)
    })
}

/// Runs the only job of a transaction, which is taken back if it fails: a savepoint would keep a copy of every page that
/// the job touches. The outer error is that of the transaction.
fn run_alone(conn: &Connection, job: &mut dyn Job) -> Result<Result<(), StoreError>, SqlError> {
    match job.run(conn) {
        Ok(()) => commit(conn).map(Ok),
        Err(error) if conn.is_autocommit() => Err(error),
        Err(error) => {
            roll_back(conn);
            Ok(Err(clean_failure(error)))
        }
    }
}

/// Runs a job so that its failure leaves the others' work as it was. The outer error is that of the transaction.
fn run_apart(conn: &Connection, job: &mut dyn Job) -> Result<Result<(), StoreError>, SqlError> {
    conn.execute_batch("SAVEPOINT job")?;
    match job.run(conn) {
        Ok(()) => {
            conn.execute_batch("RELEASE job")?;
            Ok(Ok(()))
        }
        // SQLite itself took the whole transaction back, as it may when the disk is full.
        Err(error) if conn.is_autocommit() => Err(error),
        Err(error) => {
            conn.execute_batch("ROLLBACK TO job; RELEASE job")?;
            Ok(Err(clean_failure(error)))
        }
    }
}

/// A commit either succeeds, or has found no room, or is the end.
///
/// Finding no room is clean: the write-ahead log's last frame, the one that makes the transaction count, is not there
/// (frames are written one after the other and each carries a checksum). After any other error it may be.
fn commit(conn: &Connection) -> Result<(), SqlError> {
    match conn.execute_batch("COMMIT") {
        Err(error) if !disk_full(&error) => stop_process("a commit failed", error),
        other => Ok(other?),
    }
}

fn roll_back(conn: &Connection) {
    if conn.is_autocommit() {
        return;
    }
    if let Err(error) = conn.execute_batch("ROLLBACK") {
        stop_process("a rollback failed", error);
    }
}

fn clean_failure(error: SqlError) -> StoreError {
    match error {
        // The log's first frame is synced before the rest is written, so this can happen before the commit.
        SqlError::Sqlite(error) if sync_failed(&error) => stop_process("a sync failed", error),
        other => other.into(),
    }
}

/// Ends the process on the spot, for nobody knows any more what is on disk.
///
/// A failed sync must not be tried again: the kernel may have thrown the pages away and marked them clean, so that the
/// second sync succeeds and the data is gone. After a commit of unknown outcome no answer would be true. The next start
/// reads what is really there, and whatever was never acknowledged is offered again by its replica.
fn stop_process(what: &str, error: impl std::fmt::Display) -> ! {
    tracing::error!(%error, "{what}; stopping, because the state of the disk is unknown");
    std::process::abort();
}

#[cfg(test)]
mod tests;
