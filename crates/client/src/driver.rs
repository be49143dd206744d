//! Runs a replica on a tokio socket and a store.

mod clock;
mod keeping;
mod reaching;

use std::collections::BTreeSet;
use std::time::Duration;

use tidebook_book::{BookId, MutationId, ReplicaId, Seq, UserId};
use tidebook_ledger::{Ledger, LedgerOp, Touched};
use tidebook_protocol::SYNC_SUBPROTOCOL;
use tidebook_replica::{Event, Keeps, Monotonic, MutateError, NewMutation, Replica, ReplicaConfig};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::socket::{Received, Socket};
use crate::{Api, ApiError, Store, StoreError};

use clock::Clock;
pub use clock::unix_now;
pub use reaching::Reached;

/// How long a socket may take to open.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// How long a frame may take to leave.
const SEND_WITHIN: Duration = Duration::from_secs(15);

/// How long the server may say nothing at all: it pings every 30 seconds. A line can be dead without being closed.
const SIGN_WITHIN_MS: u64 = 75_000;

/// How often to look whether another program wrote into the store. SQLite has no way to tell.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Something the program that runs the driver may want to know of.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// A book's view changed; `news` is the part that came from elsewhere.
    Changed { book: BookId, touched: BTreeSet<Touched>, news: BTreeSet<Touched> },
    /// A mutation was rejected; see `BookCopy::rejections`.
    Rejected { book: BookId, mutation: MutationId },
    /// Who else is in a book, or where they are, changed.
    Presence { book: BookId },
    /// The state of syncing may have changed.
    Status,
}

/// Why the driver cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error("the session has ended; sign in again with `tidebook login`")]
    SignedOut,
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Nothing of what it was about is kept.
    #[error("not saved: {0}")]
    Store(StoreError),
    #[error(transparent)]
    Mutate(#[from] MutateError),
}

/// By hand: its words are told above, and a source would be told once more.
impl From<StoreError> for DriverError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What arrived from a task that was waited for.
#[derive(Debug)]
enum Arrived {
    Line(Result<Box<Socket>, String>),
    Snapshot(BookId, Result<String, ApiError>),
}

/// A replica with a store and a line to its server. The line moves only inside [`Driver::next_within`], and the store only
/// there and where a book is opened or something written.
#[derive(Debug)]
pub struct Driver {
    api: Api,
    replica: Replica<Ledger>,
    store: Store,
    /// As of the last look: another number means that another program wrote.
    store_version: i64,
    socket: Option<Socket>,
    /// What is on its way.
    awaited: JoinSet<Arrived>,
    /// By when the line must show a sign of life.
    silence_ends: Option<Monotonic>,
    clock: Clock,
    books: BTreeSet<BookId>,
    /// The last attempt to open a line failed.
    is_unreachable: bool,
    last_error: Option<String>,
}

impl Driver {
    /// This person's replica on this device. Nothing is opened or sent yet.
    pub fn new(api: Api, mut store: Store, user: UserId, client: &str) -> Result<Self, StoreError> {
        let replica = store.read(|rows| rows.replica())?;
        let token = api.token().map(str::to_owned);
        let seed = Uuid::new_v4().as_u64_pair().1;
        let config = ReplicaConfig { replica, user, client: client.into(), token, seed, keeps: Keeps::InStore };
        Ok(Self {
            api,
            replica: Replica::new(config),
            store_version: store.version()?,
            store,
            socket: None,
            awaited: JoinSet::new(),
            silence_ends: None,
            clock: Clock::start(),
            books: BTreeSet::new(),
            is_unreachable: false,
            last_error: None,
        })
    }

    #[must_use]
    pub fn replica(&self) -> &Replica<Ledger> {
        &self.replica
    }

    #[must_use]
    pub fn api(&self) -> &Api {
        &self.api
    }

    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// What last went wrong with the line, for people who wait.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Writes what a person did, based on what the book shows now: when this returns, it is on the disk.
    pub fn mutate(&mut self, book: BookId, ops: Vec<LedgerOp>) -> Result<MutationId, DriverError> {
        let base = self.replica.book(book).ok_or(MutateError::NotOpen)?.seen();
        let id = new_mutation();
        self.mutate_all(book, vec![NewMutation { id, made_at: unix_now(), base, ops, undoes: None }])?;
        Ok(id)
    }

    /// Takes back an entry: what others changed after `base`, which is that entry or a later one, raises a conflict.
    pub fn undo(&mut self, book: BookId, entry: Seq, base: Seq, ops: Vec<LedgerOp>) -> Result<(), DriverError> {
        let base = self.replica.book(book).ok_or(MutateError::NotOpen)?.seen().at(base);
        let (id, made_at) = (new_mutation(), unix_now());
        self.mutate_all(book, vec![NewMutation { id, made_at, base, ops, undoes: Some(entry) }])
    }

    /// Writes several mutations at once, all of them or none: when this returns, they are on the disk.
    ///
    /// An error leaves what was refused, and what came before it, in memory only: it is gone with this driver.
    pub fn mutate_all(&mut self, book: BookId, new: Vec<NewMutation<LedgerOp>>) -> Result<(), DriverError> {
        for mutation in new {
            self.replica.mutate(book, mutation)?;
        }
        Ok(self.keep()?)
    }

    /// Takes back a mutation that has no entry yet, and returns what it asked for.
    pub fn withdraw(&mut self, book: BookId, mutation: MutationId) -> Result<Option<Vec<LedgerOp>>, DriverError> {
        let ops = self.replica.withdraw(book, mutation);
        self.keep()?;
        Ok(ops)
    }

    /// Forgets a rejected mutation the person has dealt with, and returns what it asked for.
    pub fn discard_rejection(&mut self, book: BookId, id: MutationId) -> Result<Option<Vec<LedgerOp>>, DriverError> {
        let ops = self.replica.discard_rejection(book, id);
        self.keep()?;
        Ok(ops)
    }

    /// Works until something happens, or until nothing has for `patience`.
    pub async fn next_within(&mut self, patience: Duration) -> Result<Option<Happened>, DriverError> {
        let patience_ends = Instant::now() + patience;
        loop {
            if let Some(happened) = self.drain().await? {
                return Ok(Some(happened));
            }
            let due = [self.replica.poll_timeout(), self.silence_ends].into_iter().flatten().min();
            let clock = self.clock;
            tokio::select! {
                received = receive(&mut self.socket) => self.handle_received(received),
                Some(arrived) = self.awaited.join_next() => self.handle_arrived(arrived.expect("it does not panic")),
                () = clock.until(due) => self.handle_due(),
                () = tokio::time::sleep(LOOK_EVERY) => self.look_into_the_store()?,
                () = tokio::time::sleep_until(patience_ends) => return Ok(None),
            }
        }
    }

    /// Sends what is to be sent and does what is to be done; stops at what the program wants to know.
    async fn drain(&mut self) -> Result<Option<Happened>, DriverError> {
        loop {
            self.keep()?;
            self.send().await;
            match self.replica.poll_event() {
                None => return Ok(None),
                Some(Event::Connect) => self.connect(),
                Some(Event::Disconnect { reason }) => self.handle_closed(None, reason),
                Some(Event::SignedOut) => return Err(DriverError::SignedOut),
                Some(Event::FetchSnapshot { book }) => self.fetch_snapshot(book),
                Some(Event::NewReplicaNeeded) => self.renew_replica()?,
                Some(Event::ServerError { detail, .. }) => self.last_error = Some(detail),
                Some(Event::Changed { book, touched, news }) => {
                    return Ok(Some(Happened::Changed { book, touched, news }));
                }
                Some(Event::Reset { book }) => {
                    let (touched, news) = (BTreeSet::from([Touched::Book]), BTreeSet::new());
                    return Ok(Some(Happened::Changed { book, touched, news }));
                }
                Some(Event::Rejected { book, mutation }) => return Ok(Some(Happened::Rejected { book, mutation })),
                Some(Event::Presence { book }) => return Ok(Some(Happened::Presence { book })),
                Some(Event::People { .. } | Event::UpdateNeeded { .. } | Event::Status) => {
                    return Ok(Some(Happened::Status));
                }
            }
        }
    }

    async fn send(&mut self) {
        while let Some(frame) = self.replica.poll_transmit(self.clock.now()) {
            let Some(socket) = &mut self.socket else { continue };
            // A failure shows when receiving.
            if timeout(SEND_WITHIN, socket.send(frame)).await.is_err() {
                self.handle_closed(None, "the server takes nothing any more".into());
            }
        }
    }

    fn connect(&mut self) {
        let url = self.api.socket_url();
        self.awaited.spawn(async move {
            let opened = timeout(OPEN_WITHIN, Socket::open(&url, SYNC_SUBPROTOCOL, None)).await;
            let opened = opened.unwrap_or_else(|_| Err("the server does not answer".into()));
            Arrived::Line(opened.map(Box::new))
        });
    }

    fn fetch_snapshot(&mut self, book: BookId) {
        let api = self.api.clone();
        self.awaited.spawn(async move { Arrived::Snapshot(book, api.snapshot(book).await) });
    }

    fn handle_arrived(&mut self, arrived: Arrived) {
        let now = self.clock.now();
        match arrived {
            Arrived::Line(Ok(socket)) => {
                self.socket = Some(*socket);
                self.silence_ends = Some(now.plus_ms(SIGN_WITHIN_MS));
                self.is_unreachable = false;
                self.last_error = None;
                self.replica.handle_opened(now);
            }
            Arrived::Line(Err(reason)) => {
                self.is_unreachable = true;
                self.handle_closed(None, reason);
            }
            Arrived::Snapshot(book, Ok(text)) => self.replica.handle_snapshot_text(now, book, &text),
            Arrived::Snapshot(book, Err(error)) => {
                self.last_error = Some(error.to_string());
                self.replica.handle_snapshot_failed(now, book);
            }
        }
    }

    fn handle_received(&mut self, received: Received) {
        let now = self.clock.now();
        self.silence_ends = Some(now.plus_ms(SIGN_WITHIN_MS));
        match received {
            Received::Text(text) => self.replica.handle_text(now, &text),
            Received::Sign => {}
            Received::Closed(code, reason) => self.handle_closed(code, reason),
        }
    }

    fn handle_due(&mut self) {
        let now = self.clock.now();
        if self.silence_ends.is_some_and(|at| at <= now) {
            self.handle_closed(None, "the server says nothing any more".into());
        }
        self.replica.handle_timeout(now);
    }

    fn handle_closed(&mut self, code: Option<u16>, reason: String) {
        self.socket = None;
        self.silence_ends = None;
        self.last_error = Some(reason);
        self.replica.handle_closed(self.clock.now(), code);
    }
}

async fn receive(socket: &mut Option<Socket>) -> Received {
    match socket {
        Some(socket) => socket.receive().await,
        None => std::future::pending().await,
    }
}

fn new_mutation() -> MutationId {
    MutationId(Uuid::now_v7())
}

/// An id for a store that has none yet.
#[must_use]
pub fn new_replica() -> ReplicaId {
    ReplicaId(Uuid::now_v7())
}
