//! Reading beside the writer: a few connections, each used by one call at a time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{SqlError, open};
use crate::StoreError;

/// Reads are short and mostly from memory, so a few connections keep a few cores busy; each has a page cache of 2 MiB.
const READERS_MAX: usize = 4;

#[derive(Debug)]
pub(crate) struct ReadPool {
    path: PathBuf,
    /// One permit for each connection that may be in use.
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl ReadPool {
    /// Opens its connections when they are first needed.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), permits: Arc::new(Semaphore::new(READERS_MAX)), idle: Mutex::default() }
    }

    /// Runs the work on a thread that may block, on one state of the database, whatever is committed meanwhile.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let pool = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            // With the connection, also when the caller has gone: the permit stands for the connection.
            let _permit = permit;
            pool.read_now(work)
        });
        task.await.unwrap_or_else(|_| Err(StoreError::Failed("a read ended early".into())))
    }

    /// Finds a few rows by their keys, right here: that takes microseconds, and handing it to another thread would take
    /// several times as long. Where the rows are not in memory it waits for the disk for as long as one page takes.
    pub(crate) async fn look_up<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqlError>,
    ) -> Result<T, StoreError> {
        let _permit = self.permits.acquire().await.map_err(|_| StoreError::Closed)?;
        self.read_now(work)
    }

    /// Refuses all further reads, and closes each connection as soon as it is idle.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle().clear();
    }

    fn read_now<T>(&self, work: impl FnOnce(&Connection) -> Result<T, SqlError>) -> Result<T, StoreError> {
        let conn = self.connection()?;
        let result = in_transaction(&conn, work);
        let mut idle = self.idle();
        if !self.permits.is_closed() {
            idle.push(conn);
        }
        Ok(result?)
    }

    fn connection(&self) -> Result<Connection, SqlError> {
        let idle = self.idle().pop();
        Ok(idle.map_or_else(|| open::connect_to_read(&self.path), Ok)?)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Whoever panicked with it did not leave it half changed: pushing and popping are all there is.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_transaction<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Result<T, SqlError>) -> Result<T, SqlError> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let result = work(conn);
    // It has written nothing: ending it lets go of the state it read.
    conn.prepare_cached("COMMIT")?.execute([])?;
    result
}
