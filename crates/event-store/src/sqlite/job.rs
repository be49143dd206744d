//! A write on its way to the writer, and the answer on its way back.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::SqlError;
use crate::StoreError;

/// What the writer receives.
pub(crate) enum Message {
    Job(Box<dyn Job>),
    /// Accept nothing more, finish what was accepted, end.
    Close,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Job(_) => "Job",
            Self::Close => "Close",
        })
    }
}

/// One write, whatever it returns.
pub(crate) trait Job: Send {
    /// About how much it brings into the database.
    fn bytes(&self) -> usize;

    /// Does it, within a savepoint that the caller takes back if this fails. Called once.
    fn run(&mut self, conn: &Connection) -> Result<(), SqlError>;

    /// Tells the caller what became of it: what `run` said, unless the whole group came to nothing.
    fn answer(self: Box<Self>, group: Result<(), StoreError>, own: Result<(), StoreError>);
}

/// Packs a write for the writer.
pub(crate) fn job<T, F>(bytes: usize, work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, SqlError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Write { bytes, work: Some(work), result: None, reply }), answer)
}

struct Write<T, F> {
    bytes: usize,
    work: Option<F>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, SqlError> + Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn run(&mut self, conn: &Connection) -> Result<(), SqlError> {
        let work = self.work.take().expect("the writer runs a job once");
        self.result = Some(work(conn)?);
        Ok(())
    }

    fn answer(self: Box<Self>, group: Result<(), StoreError>, own: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        let answer = own.and(group).and_then(|()| result.ok_or(StoreError::Closed));
        // It fails where nobody waits any more: what is done stays done.
        let _ = reply.send(answer);
    }
}
