//! Runs a replica on a tokio socket.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidebook_book::{BookId, MutationId, MutationNumber, ReplicaId, UnixMillis, UserId};
use tidebook_ledger::{Ledger, LedgerOp, Touched};
use tidebook_protocol::SYNC_SUBPROTOCOL;
use tidebook_replica::{Event, Keeps, Monotonic, MutateError, NewMutation, Replica, ReplicaConfig};
use uuid::Uuid;

use crate::socket::{Received, Socket};
use crate::{Api, ApiError};

/// Something the program that runs the driver may want to know of.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// A book's view changed.
    Changed { book: BookId, touched: BTreeSet<Touched> },
    /// A mutation was rejected; see `BookCopy::rejections`.
    Rejected { book: BookId, mutation: MutationId },
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
}

/// A replica with a line to its server. Nothing happens but inside [`Driver::next_within`].
#[derive(Debug)]
pub struct Driver {
    api: Api,
    replica: Replica<Ledger>,
    socket: Option<Socket>,
    started: Instant,
    last_error: Option<String>,
}

impl Driver {
    /// A new replica of this person's books. It is a store of its own: it keeps nothing between runs.
    #[must_use]
    pub fn new(api: Api, user: UserId, client: &str) -> Self {
        let replica = ReplicaId(new_uuid());
        let token = api.token().map(str::to_owned);
        let seed = Uuid::new_v4().as_u64_pair().1;
        let replica =
            Replica::new(ReplicaConfig { replica, user, client: client.into(), token, seed, keeps: Keeps::InMemory });
        Self { api, replica, socket: None, started: Instant::now(), last_error: None }
    }

    #[must_use]
    pub fn replica(&self) -> &Replica<Ledger> {
        &self.replica
    }

    /// What last went wrong with the line, for people who wait.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    pub fn open_book(&mut self, book: BookId) {
        self.replica.open_book(book);
    }

    /// Puts ops into the outbox, based on what the book shows now.
    pub fn mutate(&mut self, book: BookId, ops: Vec<LedgerOp>) -> Result<MutationNumber, MutateError> {
        let base = self.replica.book(book).ok_or(MutateError::NotOpen)?.seq();
        let new = NewMutation { id: MutationId(new_uuid()), made_at: unix_now(), base, ops, undoes: None };
        self.replica.mutate(book, new)
    }

    /// Works until something happens, or until nothing has for `patience`. Do not cancel it: a frame that was on its way
    /// would be lost.
    pub async fn next_within(&mut self, patience: Duration) -> Result<Option<Happened>, DriverError> {
        let patience_ends = tokio::time::Instant::now() + patience;
        loop {
            if let Some(happened) = self.drain().await? {
                return Ok(Some(happened));
            }
            let due = self.replica.poll_timeout();
            tokio::select! {
                received = receive(&mut self.socket) => self.handle_received(received),
                () = until(self.started, due) => self.replica.handle_timeout(self.now()),
                () = tokio::time::sleep_until(patience_ends) => return Ok(None),
            }
        }
    }

    /// Sends what is to be sent and does what is to be done; stops at what the program wants to know.
    async fn drain(&mut self) -> Result<Option<Happened>, DriverError> {
        loop {
            while let Some(frame) = self.replica.poll_transmit() {
                if let Some(socket) = &mut self.socket {
                    // A failure shows when receiving.
                    let _sent = socket.send(frame).await;
                }
            }
            match self.replica.poll_event() {
                None => return Ok(None),
                Some(Event::Connect) => self.connect().await,
                Some(Event::Disconnect { reason }) => self.handle_closed(None, reason),
                Some(Event::SignedOut) => return Err(DriverError::SignedOut),
                Some(Event::FetchSnapshot { book }) => self.fetch_snapshot(book).await,
                Some(Event::NewReplicaNeeded) => {
                    self.replica.handle_new_replica(self.now(), ReplicaId(new_uuid()));
                }
                Some(Event::ServerError { detail, .. }) => self.last_error = Some(detail),
                Some(Event::Changed { book, touched, .. }) => return Ok(Some(Happened::Changed { book, touched })),
                Some(Event::Reset { book }) => {
                    return Ok(Some(Happened::Changed { book, touched: BTreeSet::from([Touched::Book]) }));
                }
                Some(Event::Rejected { book, mutation }) => return Ok(Some(Happened::Rejected { book, mutation })),
                // A program has nowhere to show who is there.
                Some(Event::Presence { .. }) => {}
                Some(Event::People { .. } | Event::UpdateNeeded { .. } | Event::Status) => {
                    return Ok(Some(Happened::Status));
                }
            }
        }
    }

    async fn connect(&mut self) {
        let opened = Socket::open(&self.api.socket_url(), SYNC_SUBPROTOCOL, None).await;
        match opened {
            Ok(socket) => {
                self.socket = Some(socket);
                self.last_error = None;
                self.replica.handle_opened(self.now());
            }
            Err(reason) => self.handle_closed(None, reason),
        }
    }

    async fn fetch_snapshot(&mut self, book: BookId) {
        match self.api.snapshot(book).await {
            Ok(text) => self.replica.handle_snapshot_text(self.now(), book, &text),
            Err(error) => {
                self.last_error = Some(error.to_string());
                self.replica.handle_snapshot_failed(self.now(), book);
            }
        }
    }

    fn handle_received(&mut self, received: Received) {
        match received {
            Received::Text(text) => self.replica.handle_text(self.now(), &text),
            Received::Closed(code, reason) => self.handle_closed(code, reason),
        }
    }

    fn handle_closed(&mut self, code: Option<u16>, reason: String) {
        self.socket = None;
        self.last_error = Some(reason);
        self.replica.handle_closed(self.now(), code);
    }

    fn now(&self) -> Monotonic {
        Monotonic(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

async fn receive(socket: &mut Option<Socket>) -> Received {
    match socket {
        Some(socket) => socket.receive().await,
        None => std::future::pending().await,
    }
}

async fn until(started: Instant, due: Option<Monotonic>) {
    match due {
        Some(Monotonic(ms)) => tokio::time::sleep_until((started + Duration::from_millis(ms)).into()).await,
        None => std::future::pending().await,
    }
}

fn unix_now() -> UnixMillis {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

fn new_uuid() -> Uuid {
    Uuid::now_v7()
}
