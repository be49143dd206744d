//! One replica's conversation over one socket, sans-IO.
//!
//! Feed it what came and what was looked up (`handle_*`), then do what [`SyncSession::poll_action`] says until it says
//! nothing. The driver reads entries after each [`SyncSession::cursor`] whenever that book's head has moved.

use std::collections::{HashMap, VecDeque};

use serde_json::value::RawValue;
use tidebook_book::{Author, BookId, EncodedEntry, Epoch, MutationNumber, Person, Role, Seq, UnixMillis, UserId};
use tidebook_protocol::{
    Down, ENTRIES_ENVELOPE_BYTES, FRAME_BYTES, Hello, Limits, PROTOCOL, People, PresenceUp, RawMutation, RefusedIn,
    RoleNow, SnapshotRequired, Subscribe, Subscribed, Up, Welcome, WelcomeUser, close, entries_frame, fates_frame,
};

use crate::{Head, Outcome};

/// Books one socket may follow: more than anyone has, few enough that what a socket holds is bounded.
const SUBSCRIPTIONS_MAX: usize = 4096;

/// A replica that lacks more entries than this, and more than it has, takes a snapshot instead: by then it is the smaller
/// download.
const FAR_BEHIND_ENTRIES: u64 = 10_000;

/// What a peer may say of where it is, in bytes: it is repeated to everyone in the book.
const PRESENCE_BYTES_MAX: usize = 512;

/// Who a socket speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub user: UserId,
    pub name: String,
}

/// Something for the driver to do.
#[derive(Debug)]
pub enum Action {
    Send(Vec<u8>),
    /// Look the token up and call `handle_identity`.
    Authenticate {
        token: String,
    },
    /// Open the book for reading and call `handle_opened`.
    Open(Subscribe),
    /// The book is not followed any more.
    Forget(BookId),
    /// Push, and call `handle_pushed`.
    Push {
        book: BookId,
        author: Author,
        epoch: Epoch,
        mutations: Vec<RawMutation>,
    },
    /// Read these entries and call `handle_fates`.
    ReadFates {
        book: BookId,
        seqs: Vec<Seq>,
    },
    /// Show this to all who follow the book.
    Presence(PresenceUp),
    Close {
        code: u16,
        reason: String,
    },
}

/// What opening a book for a subscription found.
#[derive(Debug)]
pub struct Opened {
    pub epoch: Epoch,
    pub role: Role,
    pub head: Head,
    pub accepted: MutationNumber,
    pub people: Vec<Person>,
    /// The log's hash at the seq the replica named; `None` where the log has no such seq.
    pub hash_there: Option<tidebook_book::ChainHash>,
    /// Where the replica named a former epoch: the last seq that the log has of it.
    pub common: Option<Seq>,
}

#[derive(Debug)]
enum Phase {
    /// Nothing said yet. The handshake may have told already who it is.
    Silent {
        known: Option<Identity>,
    },
    Authenticating(Hello),
    Live {
        author: Author,
    },
    Closed,
}

#[derive(Debug)]
struct Subscription {
    /// The last entry sent.
    cursor: Seq,
    /// Where the subscription began: entries at or below it were never sent over it.
    began: Seq,
}

/// One replica's conversation over one socket.
#[derive(Debug)]
pub struct SyncSession {
    phase: Phase,
    subscriptions: HashMap<BookId, Subscription>,
    actions: VecDeque<Action>,
}

impl SyncSession {
    /// `known`: who it is, where the handshake said so.
    pub fn new(known: Option<Identity>) -> Self {
        Self { phase: Phase::Silent { known }, subscriptions: HashMap::new(), actions: VecDeque::new() }
    }

    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Who it speaks for, once it is live.
    pub fn author(&self) -> Option<Author> {
        match self.phase {
            Phase::Live { author } => Some(author),
            _ => None,
        }
    }

    /// Hello must come soon; this is false once it has.
    pub fn awaits_hello(&self) -> bool {
        matches!(self.phase, Phase::Silent { .. })
    }

    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    pub fn handle_text(&mut self, now: UnixMillis, text: &str) {
        let message = match Up::parse(text) {
            Ok(message) => message,
            Err(error) => return self.fail(close::MALFORMED, "malformed", &error.to_string()),
        };
        match (&self.phase, message) {
            (Phase::Silent { .. }, Up::Hello(hello)) => self.handle_hello(now, hello),
            (Phase::Silent { .. }, _) => self.fail(close::UNAUTHENTICATED, "unauthenticated", "say hello first"),
            (Phase::Live { .. }, Up::Hello(_)) => self.fail(close::MALFORMED, "malformed", "hello was said already"),
            (Phase::Live { .. }, Up::Subscribe(subscribe)) => self.handle_subscribe(subscribe),
            (Phase::Live { .. }, Up::Unsubscribe { book }) => self.forget(book),
            (Phase::Live { author }, Up::Push(push)) => {
                let author = *author;
                match push.mutations.iter().map(|raw| RawMutation::parse(raw)).collect() {
                    Ok(mutations) => {
                        let (book, epoch) = (push.book, push.epoch);
                        self.actions.push_back(Action::Push { book, author, epoch, mutations });
                    }
                    Err(error) => self.fail(close::MALFORMED, "malformed", &error.to_string()),
                }
            }
            (Phase::Live { .. }, Up::Presence(presence)) => self.handle_presence(presence),
            (Phase::Authenticating(_), _) => {
                self.fail(close::MALFORMED, "malformed", "wait for the welcome");
            }
            (Phase::Closed, _) => {}
        }
    }

    /// Whose token it was; `None` where it is nobody's.
    pub fn handle_identity(&mut self, now: UnixMillis, identity: Option<Identity>) {
        let Phase::Authenticating(hello) = std::mem::replace(&mut self.phase, Phase::Closed) else { return };
        match identity {
            Some(identity) => self.welcome(now, &hello, identity),
            None => self.fail(close::UNAUTHENTICATED, "unauthenticated", "sign in first"),
        }
    }

    /// What opening a book found. `None`: it is not there for this person.
    pub fn handle_opened(&mut self, subscribe: &Subscribe, opened: Option<Opened>) {
        let book = subscribe.book;
        let Some(opened) = opened else {
            self.subscriptions.remove(&book);
            return self.send(&Down::Role(RoleNow { book, role: None }));
        };
        let is_here = subscribe.after == Seq::ZERO || subscribe.hash == opened.hash_there;
        let same_epoch = subscribe.epoch.is_none_or(|epoch| epoch == opened.epoch);
        let same_history = same_epoch && subscribe.after <= opened.head.seq && is_here;
        let lacks = opened.head.seq.0.saturating_sub(subscribe.after.0);
        let far_behind = lacks > FAR_BEHIND_ENTRIES.max(subscribe.after.0);
        if !same_history || far_behind {
            self.subscriptions.remove(&book);
            // Who is only far behind hears that it is the same history. Whoever should still be in what is common has its
            // hash, unless a restore that nobody declared came between.
            let common = opened.common.filter(|common| is_here || subscribe.after > *common);
            let from_seq = if same_history { Some(subscribe.after) } else { common };
            let (epoch, seq) = (opened.epoch, opened.head.seq);
            self.send(&Down::SnapshotRequired(SnapshotRequired { book, epoch, from_seq, seq }));
            return;
        }
        let Opened { epoch, role, head, accepted, people, .. } = opened;
        self.send(&Down::Subscribed(Subscribed { book, epoch, role, head: head.seq, head_hash: head.hash, accepted }));
        self.send(&Down::People(People { book, people }));
        self.subscriptions.insert(book, Subscription { cursor: subscribe.after, began: subscribe.after });
    }

    /// Own entries from before the cursor, or of a book that is not followed.
    pub fn handle_fates(&mut self, book: BookId, entries: &[EncodedEntry]) {
        if entries.is_empty() || self.is_closed() {
            return;
        }
        let mut rest = entries;
        while !rest.is_empty() {
            let count = fitting(rest);
            let frame = fates_frame(book, rest[..count].iter().map(|entry| &*entry.bytes));
            self.actions.push_back(Action::Send(frame));
            rest = &rest[count..];
        }
    }

    /// Entries after the cursor, in order. Sends as many as fit a frame.
    pub fn handle_entries(&mut self, book: BookId, entries: &[EncodedEntry]) {
        let Some(subscription) = self.subscriptions.get_mut(&book) else { return };
        let count = fitting(entries);
        let Some(last) = entries[..count].last() else { return };
        assert_eq!(entries[0].seq, subscription.cursor.next(), "entries follow the cursor");
        subscription.cursor = last.seq;
        let frame = entries_frame(book, entries[..count].iter().map(|entry| &*entry.bytes));
        self.actions.push_back(Action::Send(frame));
    }

    /// Entries after the cursor, which is at `after`, are sent up to `last`, in a frame that several sockets share.
    pub fn handle_sent(&mut self, book: BookId, after: Seq, last: Seq) {
        let Some(subscription) = self.subscriptions.get_mut(&book) else { return };
        assert_eq!(subscription.cursor, after, "entries follow the cursor");
        subscription.cursor = last;
    }

    /// What became of a push that came when entries up to `sent` had been sent. What has yet to come over the
    /// subscription is not said twice; what came before is said again, to who asked again.
    pub fn handle_pushed(&mut self, book: BookId, sent: Seq, outcomes: Vec<Outcome>) {
        let told_after = self.subscriptions.get(&book).map(|subscription| subscription.began.max(sent));
        let mut untold = Vec::new();
        for outcome in outcomes {
            match outcome {
                Outcome::Entry(seq) if told_after.is_some_and(|told_after| seq > told_after) => {}
                Outcome::Entry(seq) => untold.push(seq),
                Outcome::Refused(refused) => self.send(&Down::Refused(RefusedIn { book, refused })),
            }
        }
        if !untold.is_empty() {
            self.actions.push_back(Action::ReadFates { book, seqs: untold });
        }
    }

    /// Who is and was in a followed book has changed.
    pub fn handle_people(&mut self, book: BookId, people: Vec<Person>) {
        if self.subscriptions.contains_key(&book) {
            self.send(&Down::People(People { book, people }));
        }
    }

    /// The person is no longer a member: nothing of the book comes after this.
    pub fn handle_removed(&mut self, book: BookId) {
        if self.subscriptions.remove(&book).is_some() {
            self.send(&Down::Role(RoleNow { book, role: None }));
        }
        self.actions.push_back(Action::Forget(book));
    }

    /// Where the subscription to a book stands.
    pub fn cursor(&self, book: BookId) -> Option<Seq> {
        self.subscriptions.get(&book).map(|subscription| subscription.cursor)
    }

    /// The server is going away.
    pub fn handle_drain(&mut self, retry_after_ms: u64) {
        self.send(&Down::Drain { retry_after_ms });
        self.close(close::RESTART, "the server is restarting");
    }

    /// Says what went wrong and closes.
    pub fn fail(&mut self, code: u16, name: &str, detail: &str) {
        self.send(&Down::Error { code: name.into(), detail: detail.into() });
        self.close(code, name);
    }

    fn handle_hello(&mut self, now: UnixMillis, hello: Hello) {
        let Phase::Silent { known } = std::mem::replace(&mut self.phase, Phase::Closed) else { return };
        if hello.protocol != PROTOCOL {
            let detail = format!("this server speaks protocol {PROTOCOL}");
            return self.fail(close::MALFORMED, "unsupported_protocol", &detail);
        }
        match (&hello.token, known) {
            (Some(token), _) => {
                self.actions.push_back(Action::Authenticate { token: token.clone() });
                self.phase = Phase::Authenticating(hello);
            }
            (None, Some(identity)) => self.welcome(now, &hello, identity),
            (None, None) => self.fail(close::UNAUTHENTICATED, "unauthenticated", "sign in first"),
        }
    }

    fn welcome(&mut self, now: UnixMillis, hello: &Hello, Identity { user, name }: Identity) {
        self.phase = Phase::Live { author: Author { user, replica: hello.replica } };
        let user = WelcomeUser { id: user, name };
        let limits = Limits::default();
        self.send(&Down::Welcome(Welcome { protocol: PROTOCOL, server_at: now, user, limits }));
    }

    fn handle_subscribe(&mut self, subscribe: Subscribe) {
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX && !self.subscriptions.contains_key(&subscribe.book) {
            let detail = format!("a socket follows at most {SUBSCRIPTIONS_MAX} books");
            return self.fail(close::FORBIDDEN, "too_many_books", &detail);
        }
        if subscribe.after > Seq::ZERO && subscribe.hash.is_none() {
            return self.fail(close::MALFORMED, "malformed", "subscribe: `hash` is required where `after` is above 0");
        }
        // Nothing is sent from the old cursor once a new one is named.
        self.subscriptions.remove(&subscribe.book);
        self.actions.push_back(Action::Open(subscribe));
    }

    /// Only who follows a book is present in it.
    fn handle_presence(&mut self, presence: PresenceUp) {
        let stands = |value: &RawValue| value.get().len() <= PRESENCE_BYTES_MAX && value.get().starts_with('{');
        if ![&presence.viewing, &presence.editing].into_iter().flatten().all(|value| stands(value)) {
            return self.fail(close::MALFORMED, "malformed", "presence: a reference is a small object or null");
        }
        if self.subscriptions.contains_key(&presence.book) {
            self.actions.push_back(Action::Presence(presence));
        }
    }

    fn forget(&mut self, book: BookId) {
        self.subscriptions.remove(&book);
        self.actions.push_back(Action::Forget(book));
    }

    fn send(&mut self, message: &Down) {
        self.actions.push_back(Action::Send(message.encode().into_bytes()));
    }

    fn close(&mut self, code: u16, reason: &str) {
        self.phase = Phase::Closed;
        self.actions.push_back(Action::Close { code, reason: reason.into() });
    }
}

/// How many of the entries go into one frame; at least one.
fn fitting(entries: &[EncodedEntry]) -> usize {
    let mut bytes = ENTRIES_ENVELOPE_BYTES;
    let fits = |entry: &&EncodedEntry| {
        bytes += entry.bytes.len() + 1;
        bytes <= FRAME_BYTES
    };
    entries.iter().take_while(fits).count().max(entries.len().min(1))
}
