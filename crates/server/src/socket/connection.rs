//! Drives one [`SyncSession`]: one task per socket, which waits for whatever comes first and then does all there is to
//! do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tidebook_authority::{Action, Identity, Opened, SyncSession};
use tidebook_book::{Author, BookId, EncodedEntry, Epoch, Seq};
use tidebook_event_store::{EntryLimit, StoreError};
use tidebook_protocol::{FRAME_DOWN_BYTES_MAX, PresenceUp, RawMutation, Refusal, Subscribe, close};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::handshake::SocketParts;
use super::opening::look_up;
use super::outside::{Ended, Outside};
use super::sign_in::SignIn;
use crate::book::{
    Answer, Bell, BookHandle, Delivered, Denied, Lane, Reader, Reading, SocketNumber, entries_after, entries_of,
    refuse_all,
};
use crate::clock;
use crate::session::{Signed, authenticate};
use crate::websocket::{Incoming, Wire};

/// A socket that has not said hello by then is closed.
pub(super) const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Pushes of one socket that may wait for their commit. While there are more, the socket is not read.
const PUSHES_WAITING_MAX: usize = 32;

/// Four lists of peers a second are as live as an eye can tell.
const PRESENCE_INTERVAL: Duration = Duration::from_millis(250);

/// Clients come back from a drain within this.
pub(super) const DRAIN_RETRY_AFTER_MS: u64 = 2_000;

/// Runs the socket until it closes.
pub(super) async fn run(wire: Wire, parts: SocketParts, signed: Option<Signed>, ended: broadcast::Receiver<Uuid>) {
    let identity = signed.as_ref().map(identity_of);
    let sign_in = signed.map(|signed| SignIn::new(&signed, ended, parts.store.clone()));
    let mut connection = Connection {
        session: SyncSession::new(identity),
        wire,
        outside: Outside::new(sign_in, parts.draining.clone()),
        books: HashMap::new(),
        bell: Arc::default(),
        pushes: FuturesUnordered::new(),
        hello_by: Instant::now() + HELLO_WITHIN,
        number: SocketNumber::next(),
        presence_due: None,
        parts,
    };
    let ending = connection.serve().await;
    connection.vanish();
    // Nothing is sent behind the last word.
    connection.books.clear();
    let (code, reason) = ending.unwrap_or((close::NORMAL, String::new()));
    connection.wire.close(code, &reason).await;
}

/// The close code and reason; `None` where the peer has ended it.
type Ending = Option<(u16, String)>;

struct Connection {
    session: SyncSession,
    wire: Wire,
    parts: SocketParts,
    outside: Outside,
    books: HashMap<BookId, Followed>,
    /// Rung by each of them.
    bell: Arc<Bell>,
    pushes: FuturesUnordered<BoxFuture<'static, (BookId, Seq, Answer)>>,
    hello_by: Instant,
    number: SocketNumber,
    /// When a list of peers that was put off may be sent.
    presence_due: Option<Instant>,
}

/// A book this socket follows.
#[derive(Debug)]
struct Followed {
    handle: BookHandle,
    lane: Arc<Lane>,
    _reading: Reading,
    /// Counts changes of people, as far as they were told.
    people: u64,
    /// Counts changes of presence, as far as they were told; `None` where no list was sent yet.
    presence: Option<u64>,
    /// When the last list was sent.
    presence_at: Option<Instant>,
    /// As whom this socket is present in the book itself.
    present_as: Option<Author>,
}

impl Followed {
    /// Whatever has become of the session meanwhile.
    fn vanish(&mut self, socket: SocketNumber) {
        if let Some(author) = self.present_as.take() {
            self.handle.ring.remove_peer(socket, author);
        }
    }
}

enum Turn {
    Incoming(Incoming),
    /// There is news in some of the books.
    Rung,
    /// With the last entry that had been sent of the book when the push came.
    Pushed(BookId, Seq, Answer),
    /// A list of peers that was put off may be sent.
    PresenceDue,
    Ended(Ended),
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
            if let Some(ending) = self.send_presence().await {
                return ending;
            }
        }
    }

    async fn next_turn(&mut self) -> Turn {
        let may_read = self.pushes.len() < PUSHES_WAITING_MAX;
        tokio::select! {
            biased;
            ended = self.outside.ended() => Turn::Ended(ended),
            Some((book, sent, answer)) = self.pushes.next() => Turn::Pushed(book, sent, answer),
            () = self.bell.heard() => Turn::Rung,
            () = until(self.presence_due) => Turn::PresenceDue,
            incoming = self.wire.receive(), if may_read => Turn::Incoming(incoming),
            () = tokio::time::sleep_until(self.hello_by), if self.session.awaits_hello() => Turn::NoHello,
        }
    }

    /// `None` ends the connection without a word: there is nobody to say it to.
    async fn handle(&mut self, turn: Turn) -> Option<()> {
        let session = &mut self.session;
        match turn {
            Turn::Incoming(Incoming::Text(text)) => session.handle_text(clock::now(), &text),
            Turn::Incoming(Incoming::Binary(_)) => session.fail(close::MALFORMED, "malformed", "frames here are text"),
            Turn::Incoming(Incoming::TooLarge) => {
                session.fail(close::TOO_LARGE, "too_large", "a frame has at most 256 KiB");
            }
            Turn::Incoming(Incoming::Silent) => self.vanish(),
            Turn::Incoming(Incoming::Gone) => return None,
            Turn::Rung => self.look_around().await,
            Turn::PresenceDue => self.presence_due = None,
            Turn::Pushed(book, sent, answer) => session.handle_pushed(book, sent, answer),
            Turn::Ended(Ended::Session) => {
                session.fail(close::UNAUTHENTICATED, "unauthenticated", "this session has ended");
            }
            Turn::Ended(Ended::Server) => session.handle_drain(DRAIN_RETRY_AFTER_MS),
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
                Action::Forget(book) => self.forget(book),
                Action::Presence(said) => self.say_presence(said),
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
                let sign_in = signed.as_ref().map(|signed| SignIn::new(signed, ended, self.parts.store.clone()));
                self.outside = Outside::new(sign_in, self.parts.draining.clone());
                self.session.handle_identity(clock::now(), signed.as_ref().map(identity_of));
            }
            Err(error) => self.fail_internally(&error),
        }
    }

    async fn open(&mut self, subscribe: Subscribe) {
        let Some(author) = self.session.author() else { return };
        self.forget(subscribe.book);
        let access = match self.parts.books.access(author.user, subscribe.book).await {
            Ok(access) => access,
            Err(Denied::NotFound) => return self.session.handle_opened(&subscribe, None),
            Err(Denied::Store(error)) => return self.fail_internally(&error),
        };
        let handle = access.handle.clone();
        let lane = Arc::new(Lane::new(Arc::clone(&self.bell), self.wire.outlet()));
        // From before the head is read, so that no move of it goes unnoticed.
        let reading = handle.ring.read_by(self.number, Reader::Lane(Arc::clone(&lane)));
        let people = handle.ring.now().people;
        // Who was removed before this count was taken would not be told by it.
        if access.check_after().is_err() {
            return self.session.handle_opened(&subscribe, None);
        }
        let opened = match look_up(&self.parts.store, &access, author, &subscribe).await {
            Ok(Some(opened)) => opened,
            Ok(None) => return self.session.fail(close::RESTART, "reloading", "the book is being reloaded; come back"),
            Err(error) => return self.fail_internally(&error),
        };
        // It may have waited for the commit that removed them.
        self.session.handle_opened(&subscribe, access.role_now().map(|role| Opened { role, ..opened }));
        if self.session.cursor(subscribe.book).is_none() {
            return;
        }
        if let Err(error) = self.send_fates(&subscribe, author).await {
            return self.fail_internally(&error);
        }
        let (presence, presence_at, present_as) = (None, None, None);
        let followed = Followed { handle, lane, _reading: reading, people, presence, presence_at, present_as };
        self.books.insert(subscribe.book, followed);
    }

    fn forget(&mut self, book: BookId) {
        if let Some(mut followed) = self.books.remove(&book) {
            followed.vanish(self.number);
        }
    }

    fn say_presence(&mut self, said: PresenceUp) {
        let (Some(author), Some(followed)) = (self.session.author(), self.books.get_mut(&said.book)) else { return };
        followed.present_as = Some(author);
        followed.handle.ring.put_peer(self.number, author, said);
        self.wire.listen_closely();
    }

    /// Lists of peers that changed, each book's at most so often.
    async fn send_presence(&mut self) -> Option<Ending> {
        let now = Instant::now();
        let mut frames = Vec::new();
        for followed in self.books.values_mut() {
            let now_there = followed.handle.ring.now();
            let changes = now_there.presence;
            // Who is in the book is told first: it may be this person no more.
            if followed.presence == Some(changes) || followed.people != now_there.people {
                continue;
            }
            let may_at = followed.presence_at.map_or(now, |sent_at| sent_at + PRESENCE_INTERVAL);
            if may_at > now {
                self.presence_due = Some(self.presence_due.map_or(may_at, |due| due.min(may_at)));
                continue;
            }
            let frame = followed.handle.ring.presence_frame(followed.presence_at.is_some());
            followed.presence = Some(changes);
            if let Some(frame) = frame {
                followed.presence_at = Some(now);
                frames.push(frame);
            }
        }
        for frame in frames {
            if !self.wire.send_text(frame.into_bytes()).await {
                return Some(Some((close::TOO_SLOW, "too slow to read".into())));
            }
        }
        None
    }

    /// Nothing was heard for too long: the line may be dead, and nobody should wait for who is behind it.
    fn vanish(&mut self) {
        self.books.values_mut().for_each(|followed| followed.vanish(self.number));
    }

    /// The bell was rung: something is new in some of the books.
    async fn look_around(&mut self) {
        let is_new = |followed: &Followed| {
            let now = followed.handle.ring.now();
            now.is_stopped || now.people != followed.people
        };
        let changed: Vec<BookId> =
            self.books.iter().filter(|(_, followed)| is_new(followed)).map(|(book, _)| *book).collect();
        for book in changed {
            self.look_at_people(book).await;
            self.look_whether_stopped(book).await;
        }
    }

    /// Tells of changes of who is in a book. Who is not any more gets nothing of it from here on.
    async fn look_at_people(&mut self, book: BookId) {
        let (Some(author), Some(followed)) = (self.session.author(), self.books.get_mut(&book)) else { return };
        let ring = &followed.handle.ring;
        let people_now = ring.now().people;
        if followed.people == people_now {
            return;
        }
        followed.people = people_now;
        if ring.role_of(author.user).is_none() {
            return self.session.handle_removed(book);
        }
        match self.parts.store.people(book).await {
            Ok(_) if ring.role_of(author.user).is_none() => self.session.handle_removed(book),
            Ok(people) => self.session.handle_people(book, people),
            Err(error) => self.fail_internally(&error),
        }
    }

    /// Where the book's actor has stopped, the book is gone for good, or it is loaded anew.
    async fn look_whether_stopped(&mut self, book: BookId) {
        let (Some(author), Some(followed)) = (self.session.author(), self.books.get(&book)) else { return };
        if !followed.handle.ring.now().is_stopped {
            return;
        }
        match self.parts.books.access(author.user, book).await {
            Err(Denied::NotFound) => self.session.handle_removed(book),
            Ok(_) => self.session.fail(close::RESTART, "reloading", "the book is being reloaded; come back"),
            Err(Denied::Store(error)) => self.fail_internally(&error),
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
        // A replica may be another person's in another book, and the authority knows of its own book only.
        match self.parts.store.may_write_as(author).await {
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
                let sent = self.books.get(&book).and_then(|followed| followed.lane.cursor()).unwrap_or(Seq::ZERO);
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

    async fn read_fates(&mut self, book: BookId, seqs: &[Seq]) {
        let Some(author) = self.session.author() else { return };
        let access = match self.parts.books.access(author.user, book).await {
            Ok(access) => access,
            // Removed since they pushed: nothing of the book goes to them any more.
            Err(Denied::NotFound) => return,
            Err(Denied::Store(error)) => return self.fail_internally(&error),
        };
        match entries_of(&self.parts.store, &access.handle, seqs.iter().copied()).await {
            Ok(entries) => self.session.handle_fates(book, &entries),
            Err(error) => self.fail_internally(&error),
        }
    }

    /// Sends of each book everything between its cursor and the head, or until the socket may have to end.
    async fn send_entries(&mut self) -> Option<Ending> {
        let lacks = |(book, followed): &(&BookId, &Followed)| self.deliver(**book, followed) != Delivered::All;
        let behind: Vec<BookId> = self.books.iter().filter(lacks).map(|(book, _)| *book).collect();
        for book in behind {
            while let Some(followed) = self.books.get(&book) {
                match self.deliver(book, followed) {
                    Delivered::All => break,
                    Delivered::Busy if self.wire.flush().await => {}
                    Delivered::Busy => return Some(Some((close::TOO_SLOW, "too slow to read".into()))),
                    Delivered::People => self.look_at_people(book).await,
                    Delivered::Stored => self.send_stored(book).await,
                }
                if let Some(ending) = self.act().await {
                    return Some(ending);
                }
                // A slow reader who is far behind must not get all of it first; what is left follows the next turn.
                if self.outside.has_ended().await {
                    return None;
                }
            }
        }
        None
    }

    /// Sends what can be sent at once, all that was to be said before being said.
    fn deliver(&self, book: BookId, followed: &Followed) -> Delivered {
        let Some(sent) = self.session.cursor(book) else { return Delivered::All };
        followed.lane.go_on(sent, followed.people);
        followed.lane.deliver(&followed.handle.ring)
    }

    /// Sends about a frame of what is further back than the ring reaches, or makes the ring reach as far.
    async fn send_stored(&mut self, book: BookId) {
        let (Some(followed), Some(known)) = (self.books.get(&book), self.session.cursor(book)) else { return };
        // While the store is read the ring may come to reach this far, and nobody else is to send what is read here.
        let cursor = followed.lane.close().unwrap_or(known);
        self.session.handle_sent(book, known, cursor);
        let entries = entries_after(&self.parts.store, &followed.handle, cursor).await;
        // After the read: what was read before a removal is gone through with, and nothing that came with it.
        self.look_at_people(book).await;
        match entries {
            Ok(entries) if self.books.get(&book).is_some_and(|followed| followed.handle.ring.take_in(&entries)) => {}
            Ok(entries) => self.session.handle_entries(book, &entries),
            Err(error) => self.fail_internally(&error),
        }
    }

    fn fail_internally(&mut self, error: &StoreError) {
        tracing::error!(%error, "a socket could not be served");
        self.session.fail(1011, "internal", "the server could not do that; come back");
    }
}

/// Never, where there is no instant.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Resolves when the server is going away.
pub(crate) async fn drained(draining: &mut watch::Receiver<bool>) {
    // An error means that the server is gone altogether.
    let _draining = draining.wait_for(|draining| *draining).await.is_ok();
}

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
