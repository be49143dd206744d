//! Drives one [`SyncSession`]: one task per socket, which waits for whatever comes first and then does all there is to
//! do.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use axum::extract::ws::WebSocket;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tidebook_book::{Author, BookId, EncodedEntry, Epoch, Seq};
use tidebook_event_store::{EntryLimit, Store, StoreError};
use tidebook_protocol::{FRAME_DOWN_BYTES_MAX, RawMutation, Refusal, Subscribe, close};
use tokio::sync::watch;
use tokio::time::Instant;

use super::handshake::SocketParts;
use super::session::{Action, Identity, Opened, SyncSession};
use super::sign_in::SignIn;
use super::wire::{Incoming, Wire};
use crate::book::{Answer, BookHandle, Denied, Head, refuse_all};
use crate::clock;
use crate::session::{Signed, authenticate};

/// A socket that has not said hello by then is closed.
pub(super) const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Pushes of one socket that may wait for their commit. While there are more, the socket is not read.
const PUSHES_WAITING_MAX: usize = 32;

/// Clients come back from a drain within this.
pub(super) const DRAIN_RETRY_AFTER_MS: u64 = 2_000;

/// Runs the socket until it closes.
pub(super) async fn run(socket: WebSocket, parts: SocketParts, signed: Option<Signed>) {
    let identity = signed.as_ref().map(identity_of);
    let ended = parts.accounts.sessions_ended();
    let mut connection = Connection {
        session: SyncSession::new(identity),
        wire: Wire::new(socket),
        sign_in: signed.map(|signed| SignIn::of_handshake(&signed, ended, parts.store.clone())),
        books: HashMap::new(),
        watched: HashSet::new(),
        heads: FuturesUnordered::new(),
        pushes: FuturesUnordered::new(),
        hello_by: Instant::now() + HELLO_WITHIN,
        replica_is_theirs: false,
        parts,
    };
    if let Some((code, reason)) = connection.serve().await {
        connection.wire.close(code, &reason).await;
    }
}

/// The close code and reason; `None` where the peer is gone already.
type Ending = Option<(u16, String)>;

struct Connection {
    session: SyncSession,
    wire: Wire,
    parts: SocketParts,
    sign_in: Option<SignIn>,
    books: HashMap<BookId, BookHandle>,
    /// Those whose head `heads` waits for: one wait a book, however often it is subscribed to.
    watched: HashSet<BookId>,
    heads: FuturesUnordered<BoxFuture<'static, HeadMoved>>,
    pushes: FuturesUnordered<BoxFuture<'static, (BookId, Seq, Answer)>>,
    hello_by: Instant,
    /// Looked up until it is.
    replica_is_theirs: bool,
}

enum HeadMoved {
    Moved(BookId, watch::Receiver<Head>),
    /// The book's actor has stopped.
    Stopped(BookId),
}

enum Turn {
    Incoming(Incoming),
    Head(HeadMoved),
    /// With the last entry that had been sent of the book when the push came.
    Pushed(BookId, Seq, Answer),
    SessionEnded,
    Drain,
    NoHello,
}

impl Connection {
    async fn serve(&mut self) -> Ending {
        loop {
            let turn = self.next_turn().await;
            self.handle(turn).await?;
            if let Some(ending) = self.act().await {
                return ending;
            }
            if let Some(ending) = self.send_entries().await {
                return ending;
            }
        }
    }

    async fn next_turn(&mut self) -> Turn {
        let may_read = self.pushes.len() < PUSHES_WAITING_MAX;
        tokio::select! {
            biased;
            Some(()) = over(&mut self.sign_in) => Turn::SessionEnded,
            () = drained(&mut self.parts.draining) => Turn::Drain,
            Some((book, sent, answer)) = self.pushes.next() => Turn::Pushed(book, sent, answer),
            Some(moved) = self.heads.next() => Turn::Head(moved),
            incoming = self.wire.receive(), if may_read => Turn::Incoming(incoming),
            () = tokio::time::sleep_until(self.hello_by), if self.session.awaits_hello() => Turn::NoHello,
        }
    }

    /// `None` ends the connection without a word: there is nobody to say it to.
    async fn handle(&mut self, turn: Turn) -> Option<()> {
        let session = &mut self.session;
        match turn {
            Turn::Incoming(Incoming::Text(text)) => session.handle_text(clock::now(), &text),
            Turn::Incoming(Incoming::Binary) => session.fail(close::MALFORMED, "malformed", "frames here are text"),
            Turn::Incoming(Incoming::TooLarge) => {
                session.fail(close::TOO_LARGE, "too_large", "a frame has at most 256 KiB");
            }
            Turn::Incoming(Incoming::Gone) => return None,
            Turn::Head(HeadMoved::Moved(book, head)) => match self.books.get(&book) {
                Some(handle) => self.heads.push(head_moves(handle.clone(), head)),
                None => drop(self.watched.remove(&book)),
            },
            Turn::Head(HeadMoved::Stopped(book)) => {
                if self.books.contains_key(&book) {
                    session.fail(close::RESTART, "reloading", "the book is being reloaded; come back");
                }
            }
            Turn::Pushed(book, sent, answer) => session.handle_pushed(book, sent, answer),
            Turn::SessionEnded => session.fail(close::UNAUTHENTICATED, "unauthenticated", "this session has ended"),
            Turn::Drain => session.handle_drain(DRAIN_RETRY_AFTER_MS),
            Turn::NoHello => session.fail(close::TOO_SLOW, "too_slow", "hello must come within 5 s"),
        }
        Some(())
    }

    /// Does what the session asks for until it asks for nothing more.
    async fn act(&mut self) -> Option<Ending> {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Send(frame) => {
                    if !self.wire.send_text(frame).await {
                        return Some(Some((close::TOO_SLOW, "too slow to read".into())));
                    }
                }
                Action::Authenticate { token } => self.authenticate(&token).await,
                Action::Open(subscribe) => self.open(subscribe).await,
                Action::Forget(book) => drop(self.books.remove(&book)),
                Action::Push { book, author, epoch, mutations } => self.push(book, author, epoch, mutations).await,
                Action::ReadFates { book, seqs } => self.read_fates(book, &seqs).await,
                Action::Close { code, reason } => return Some(Some((code, reason))),
            }
        }
        None
    }

    async fn authenticate(&mut self, token: &str) {
        let ended = self.parts.accounts.sessions_ended();
        match authenticate(&self.parts.accounts, token).await {
            Ok(signed) => {
                self.sign_in = signed.as_ref().map(|signed| SignIn::new(signed, ended, self.parts.store.clone()));
                self.session.handle_identity(clock::now(), signed.as_ref().map(identity_of));
            }
            Err(error) => self.fail_internally(&error),
        }
    }

    async fn open(&mut self, subscribe: Subscribe) {
        let Some(author) = self.session.author() else { return };
        let access = match self.parts.books.access(author.user, subscribe.book).await {
            Ok(access) => access,
            Err(Denied::NotFound) => return self.session.handle_opened(&subscribe, None),
            Err(Denied::Store(error)) => return self.fail_internally(&error),
        };
        // Watched from before the head is read, so that no move of it goes unnoticed.
        let head = access.handle.ring.watch();
        let opened = match look_up(&self.parts.store, &access.handle, author, &subscribe).await {
            Ok(Some((head, accepted, hash_there, people))) => {
                Opened { epoch: access.handle.epoch, role: access.role, head, accepted, people, hash_there }
            }
            Ok(None) => return self.session.fail(close::RESTART, "reloading", "the book is being reloaded; come back"),
            Err(error) => return self.fail_internally(&error),
        };
        self.session.handle_opened(&subscribe, Some(opened));
        if self.session.cursor(subscribe.book).is_none() {
            return;
        }
        if let Err(error) = self.send_fates(&subscribe, author).await {
            return self.fail_internally(&error);
        }
        self.books.insert(subscribe.book, access.handle.clone());
        if self.watched.insert(subscribe.book) {
            self.heads.push(head_moves(access.handle, head));
        }
    }

    /// The replica's own entries that it asked about and that lie behind its cursor.
    async fn send_fates(&mut self, subscribe: &Subscribe, author: Author) -> Result<(), StoreError> {
        let Some(mut from) = subscribe.pending_from.filter(|_| subscribe.after > Seq::ZERO) else { return Ok(()) };
        loop {
            let limit = EntryLimit { count: 1000, bytes: FRAME_DOWN_BYTES_MAX };
            let store = &self.parts.store;
            let page = store.fates(subscribe.book, author.replica, from, subscribe.after, limit).await?;
            if page.is_empty() {
                return Ok(());
            }
            self.session.handle_fates(subscribe.book, &page);
            match page.last().and_then(number_of) {
                Some(n) => from = n.next(),
                None => return Ok(()),
            }
        }
    }

    async fn push(&mut self, book: BookId, author: Author, epoch: Epoch, mutations: Vec<RawMutation>) {
        match self.replica_is_theirs(author).await {
            Ok(true) => {}
            Ok(false) => {
                let detail = "this replica id belongs to someone else";
                let refused = refuse_all(&mutations, Refusal::ReplicaTaken, detail);
                return self.session.handle_pushed(book, Seq::ZERO, refused);
            }
            Err(error) => return self.fail_internally(&error),
        }
        // Who may write is the authority's to decide, with the role at that seq; being a member is enough to ask.
        match self.parts.books.access(author.user, book).await {
            Ok(access) => {
                let sent = self.session.cursor(book).unwrap_or(Seq::ZERO);
                let offered = access.handle.offer(author, epoch, mutations).await;
                self.pushes.push(Box::pin(async move {
                    let answer = offered.answer().await;
                    // The book stays active until it has answered.
                    drop(access);
                    (book, sent, answer)
                }));
            }
            Err(Denied::Store(error)) => self.fail_internally(&error),
            Err(Denied::NotFound) => {
                let detail = "there is no such book for you";
                self.session.handle_pushed(book, Seq::ZERO, refuse_all(&mutations, Refusal::NotAMember, detail));
            }
        }
    }

    /// A replica id belongs to the person who first used it, in whatever book. The authority knows of its own book only.
    async fn replica_is_theirs(&mut self, author: Author) -> Result<bool, StoreError> {
        if !self.replica_is_theirs {
            let owner = self.parts.store.replica_owner(author.replica).await?;
            // Nobody's yet is theirs for now, but not known to stay so.
            self.replica_is_theirs = owner == Some(author.user);
            return Ok(owner.is_none_or(|owner| owner == author.user));
        }
        Ok(true)
    }

    async fn read_fates(&mut self, book: BookId, seqs: &[Seq]) {
        let mut entries = Vec::with_capacity(seqs.len());
        for seq in seqs {
            match self.parts.store.entries(book, Seq(seq.0 - 1), ONE).await {
                Ok(found) => entries.extend(found),
                Err(error) => return self.fail_internally(&error),
            }
        }
        self.session.handle_fates(book, &entries);
    }

    /// Writes to each book's follower everything between its cursor and the head, or until the socket may have to end.
    async fn send_entries(&mut self) -> Option<Ending> {
        let behind = |session: &SyncSession, handle: &BookHandle| {
            session.cursor(handle.book).filter(|cursor| *cursor < handle.ring.head().seq)
        };
        let handles: Vec<BookHandle> = self.books.values().cloned().collect();
        for handle in handles {
            while let Some(cursor) = behind(&self.session, &handle) {
                match entries_after(&self.parts.store, &handle, cursor).await {
                    Ok(entries) => self.session.handle_entries(handle.book, &entries),
                    Err(error) => self.fail_internally(&error),
                }
                if let Some(ending) = self.act().await {
                    return Some(ending);
                }
                // A slow reader who is far behind must not get all of it first; what is left follows the next turn.
                if self.sign_in.as_ref().is_some_and(SignIn::has_news) || *self.parts.draining.borrow() {
                    return None;
                }
            }
        }
        None
    }

    fn fail_internally(&mut self, error: &StoreError) {
        tracing::error!(%error, "a socket could not be served");
        self.session.fail(1011, "internal", "the server could not do that; come back");
    }
}

/// Resolves when the server is going away.
pub(super) async fn drained(draining: &mut watch::Receiver<bool>) {
    // An error means that the server is gone altogether.
    let _draining = draining.wait_for(|draining| *draining).await.is_ok();
}

/// Resolves when the session is over, if there is one.
async fn over(sign_in: &mut Option<SignIn>) -> Option<()> {
    sign_in.as_mut()?.over().await;
    Some(())
}

const ONE: EntryLimit = EntryLimit { count: 1, bytes: usize::MAX };

fn identity_of(signed: &Signed) -> Identity {
    Identity { user: signed.user, name: signed.name.clone() }
}

fn number_of(entry: &EncodedEntry) -> Option<tidebook_book::MutationNumber> {
    #[derive(serde::Deserialize)]
    struct Numbered {
        n: tidebook_book::MutationNumber,
    }
    serde_json::from_slice::<Numbered>(&entry.bytes).ok().map(|numbered| numbered.n)
}

type Found = (Head, tidebook_book::MutationNumber, Option<tidebook_book::ChainHash>, Vec<tidebook_book::Person>);

/// What a subscription is answered with. `None`: the book's actor has stopped.
async fn look_up(
    store: &Store,
    handle: &BookHandle,
    author: Author,
    subscribe: &Subscribe,
) -> Result<Option<Found>, StoreError> {
    let replica = author.replica;
    let standing = handle.read(move |committed| (committed.head, committed.authority.last_number(replica))).await;
    let Ok((head, accepted)) = standing else { return Ok(None) };
    let hash_there = store.hash_at(subscribe.book, subscribe.after).await?;
    let people = store.people(subscribe.book).await?;
    Ok(Some((head, accepted, hash_there, people)))
}

/// Entries after `cursor`, about a frame of them: from the ring, or from further back.
pub(super) async fn entries_after(
    store: &Store,
    handle: &BookHandle,
    cursor: Seq,
) -> Result<Vec<EncodedEntry>, StoreError> {
    match handle.ring.after(cursor, FRAME_DOWN_BYTES_MAX) {
        Some(entries) => Ok(entries),
        None => {
            let limit = EntryLimit { count: usize::MAX, bytes: FRAME_DOWN_BYTES_MAX };
            store.entries(handle.book, cursor, limit).await
        }
    }
}

fn head_moves(handle: BookHandle, mut head: watch::Receiver<Head>) -> BoxFuture<'static, HeadMoved> {
    Box::pin(async move {
        tokio::select! {
            Ok(()) = head.changed() => HeadMoved::Moved(handle.book, head),
            () = handle.stopped() => HeadMoved::Stopped(handle.book),
        }
    })
}
