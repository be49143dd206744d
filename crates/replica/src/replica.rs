//! One device's half of the conversation: all its books over one line.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::value::RawValue;
use tidebook_book::{
    Author, BookId, Domain, Mutation, MutationId, MutationNumber, Rejected, ReplicaId, Seq, Snapshot, UnixMillis,
    UserId,
};
use tidebook_protocol::{
    Down, Entries, Hello, MUTATION_BYTES_MAX, MUTATION_OPS_MAX, PROTOCOL, Push, Refusal, RefusedIn, Up, close,
};

use crate::back_off::BackOff;
use crate::book_copy::{Applied, EntriesError};
use crate::link::{Link, WELCOME_WITHIN_MS};
use crate::{BookCopy, Event, Monotonic, SyncStatus};

/// How long to leave the server in peace where it refused without saying how long.
const REFUSED_RETRY_MS: u64 = 1_000;

/// Who this replica is.
#[derive(Debug, Clone)]
pub struct ReplicaConfig {
    pub replica: ReplicaId,
    pub user: UserId,
    /// The program's name and version, for the person's list of devices.
    pub client: String,
    /// For the hello, where no cookie speaks for the person.
    pub token: Option<String>,
    /// Any random number; it spreads reconnections.
    pub seed: u64,
}

/// What a person did, on its way into the outbox.
#[derive(Debug, Clone)]
pub struct NewMutation<Op> {
    /// New and unique; a version 7 UUID is best.
    pub id: MutationId,
    pub made_at: UnixMillis,
    /// The seq the edited values were read at; see [`BookCopy::seq`].
    pub base: Seq,
    pub ops: Vec<Op>,
}

/// Why a mutation did not enter the outbox. Nothing changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MutateError {
    #[error("this book is not open here")]
    NotOpen,
    #[error("{ops} changes at once are too many; at most {MUTATION_OPS_MAX}")]
    TooManyOps { ops: usize },
    #[error("{bytes} bytes at once are too many; at most {MUTATION_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("{}", .0.detail)]
    Rejected(Rejected),
}

/// The client half of the engine. The crate's documentation says in which order to call what.
#[derive(Debug)]
pub struct Replica<D: Domain> {
    config: ReplicaConfig,
    books: BTreeMap<BookId, BookCopy<D>>,
    link: Link,
    back_off: BackOff,
    /// When to offer refused mutations again.
    offer_again_at: Option<Monotonic>,
    transmits: VecDeque<String>,
    events: VecDeque<Event<D>>,
}

impl<D: Domain> Replica<D> {
    /// A replica without books, whose first attempt to connect is due at once.
    #[must_use]
    pub fn new(config: ReplicaConfig) -> Self {
        Self {
            back_off: BackOff::new(config.seed),
            config,
            books: BTreeMap::new(),
            link: Link::Down { retry_at: Some(Monotonic(0)) },
            offer_again_at: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    #[must_use]
    pub fn id(&self) -> ReplicaId {
        self.config.replica
    }

    #[must_use]
    pub fn user(&self) -> UserId {
        self.config.user
    }

    #[must_use]
    pub fn book(&self, book: BookId) -> Option<&BookCopy<D>> {
        self.books.get(&book)
    }

    /// What the screen shows of a book.
    #[must_use]
    pub fn view(&self, book: BookId) -> Option<&D::State> {
        self.books.get(&book).map(|copy| &copy.view().domain)
    }

    #[must_use]
    pub fn sync_status(&self, book: BookId) -> SyncStatus {
        let Some(copy) = self.books.get(&book) else { return SyncStatus::Offline(0) };
        let pending = copy.outbox.len();
        let waiting_for_a_person = copy.rejections().len() + usize::from(copy.held().is_some());
        match self.link {
            _ if waiting_for_a_person > 0 => SyncStatus::NeedsAttention(waiting_for_a_person),
            Link::Live if copy.is_current() => SyncStatus::Synced,
            Link::Live => SyncStatus::Saving(pending),
            _ => SyncStatus::Offline(pending),
        }
    }

    /// Follows a book from now on. Opening it twice changes nothing.
    pub fn open_book(&mut self, book: BookId) {
        if self.books.contains_key(&book) {
            return;
        }
        let author = Author { user: self.config.user, replica: self.config.replica };
        let copy = BookCopy::new(book, author);
        if self.link == Link::Live {
            self.transmit(&Up::Subscribe(copy.subscribe_request()));
        }
        self.books.insert(book, copy);
        self.events.push_back(Event::Status);
    }

    /// Stops following a book and forgets its copy, unless something in it is only here.
    pub fn close_book(&mut self, book: BookId) -> bool {
        let keeps_something = self.books.get(&book).is_some_and(|copy| copy.outbox.len() + copy.rejections().len() > 0);
        if !keeps_something && self.books.remove(&book).is_some() && self.link == Link::Live {
            self.transmit(&Up::Unsubscribe { book });
        }
        !keeps_something
    }

    /// Takes what a person did: the view changes at once, and the outbox offers it to the server.
    pub fn mutate(&mut self, book: BookId, new: NewMutation<D::Op>) -> Result<MutationNumber, MutateError> {
        let copy = self.books.get_mut(&book).ok_or(MutateError::NotOpen)?;
        if new.ops.len() > MUTATION_OPS_MAX {
            return Err(MutateError::TooManyOps { ops: new.ops.len() });
        }
        let NewMutation { id, made_at, base, ops } = new;
        let n = copy.next_number();
        let mutation = Mutation { id, n, made_at, base, ops, undoes: None };
        let encoded = serde_json::to_string(&mutation).expect("a mutation serialises into memory");
        if encoded.len() > MUTATION_BYTES_MAX {
            return Err(MutateError::TooLarge { bytes: encoded.len() });
        }
        let touched = copy.add(mutation, encoded, made_at).map_err(MutateError::Rejected)?;
        self.events.push_back(Event::Changed { book, touched, news: BTreeSet::new() });
        self.events.push_back(Event::Status);
        self.push_outbox(book);
        Ok(n)
    }

    /// Forgets a rejected mutation the person has dealt with, and returns what it asked for.
    pub fn discard_rejection(&mut self, book: BookId, mutation: MutationId) -> Option<Vec<D::Op>> {
        let rejection = self.books.get_mut(&book)?.discard_rejection(mutation)?;
        self.events.push_back(Event::Status);
        Some(rejection.mutation.ops)
    }

    /// The socket is open.
    pub fn handle_opened(&mut self, now: Monotonic) {
        self.transmits.clear();
        self.link = Link::Greeting { deadline: now.plus_ms(WELCOME_WITHIN_MS) };
        let ReplicaConfig { replica, client, token, .. } = self.config.clone();
        self.transmit(&Up::Hello(Hello { protocol: PROTOCOL, replica, client, token }));
    }

    /// The socket closed, or never opened. `code` is the WebSocket close code where there was one.
    pub fn handle_closed(&mut self, now: Monotonic, code: Option<u16>) {
        self.transmits.clear();
        self.books.values_mut().for_each(|copy| copy.subscribed = false);
        let retry_at = if code == Some(close::UNAUTHENTICATED) {
            self.events.push_back(Event::SignedOut);
            None
        } else {
            match self.link {
                // A drain has said when to come back.
                Link::Down { retry_at: Some(at) } if at > now => Some(at),
                _ => Some(now.plus_ms(self.back_off.next_ms())),
            }
        };
        self.link = Link::Down { retry_at };
        self.events.push_back(Event::Status);
    }

    /// Connects now, whatever the back-off says: the network came back, or the person asked.
    pub fn connect_now(&mut self, now: Monotonic) {
        if matches!(self.link, Link::Down { .. }) {
            self.link = Link::Down { retry_at: Some(now) };
            self.handle_timeout(now);
        }
    }

    /// A text frame came.
    pub fn handle_text(&mut self, now: Monotonic, text: &str) {
        match Down::parse(text) {
            Ok(message) => self.handle_message(now, message),
            Err(error) => self.disconnect(error.to_string()),
        }
    }

    /// The snapshot that [`Event::FetchSnapshot`] asked for.
    pub fn handle_snapshot(&mut self, snapshot: Snapshot<D>) {
        let book = snapshot.book;
        let Some(copy) = self.books.get_mut(&book) else { return };
        if !copy.handle_snapshot(snapshot) {
            return;
        }
        let request = copy.subscribe_request();
        if self.link == Link::Live {
            self.transmit(&Up::Subscribe(request));
        }
        self.events.push_back(Event::Reset { book });
        self.events.push_back(Event::People { book });
        self.events.push_back(Event::Status);
    }

    /// Time passed. Call it when [`Self::poll_timeout`] is due.
    pub fn handle_timeout(&mut self, now: Monotonic) {
        match self.link {
            Link::Down { retry_at: Some(at) } if at <= now => {
                self.link = Link::Connecting;
                self.events.push_back(Event::Connect);
            }
            Link::Greeting { deadline } if deadline <= now => self.disconnect("the server did not answer".into()),
            _ => {}
        }
        if self.offer_again_at.is_some_and(|at| at <= now) {
            self.offer_again_at = None;
            self.resubscribe_all();
        }
    }

    /// The next frame to send.
    pub fn poll_transmit(&mut self) -> Option<String> {
        self.transmits.pop_front()
    }

    /// The next thing to do or to show.
    pub fn poll_event(&mut self) -> Option<Event<D>> {
        self.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Monotonic> {
        let link = match self.link {
            Link::Down { retry_at } => retry_at,
            Link::Greeting { deadline } => Some(deadline),
            Link::Connecting | Link::Live => None,
        };
        [link, self.offer_again_at].into_iter().flatten().min()
    }

    fn handle_message(&mut self, now: Monotonic, message: Down) {
        match message {
            Down::Welcome(_) => {
                self.link = Link::Live;
                self.back_off.reset();
                self.resubscribe_all();
            }
            Down::Subscribed(subscribed) => {
                if let Some(copy) = self.books.get_mut(&subscribed.book) {
                    copy.handle_subscribed(&subscribed);
                    self.push_outbox(subscribed.book);
                    self.events.push_back(Event::People { book: subscribed.book });
                }
            }
            Down::People(people) => {
                if let Some(copy) = self.books.get_mut(&people.book) {
                    copy.handle_people(people.people);
                    self.events.push_back(Event::People { book: people.book });
                }
            }
            Down::Entries(entries) => self.handle_entries(entries, BookCopy::handle_entries),
            Down::Fates(entries) => self.handle_entries(entries, BookCopy::handle_fates),
            Down::SnapshotRequired(required) => {
                if let Some(copy) = self.books.get_mut(&required.book) {
                    copy.handle_snapshot_required();
                    self.events.push_back(Event::FetchSnapshot { book: required.book });
                }
            }
            Down::Refused(refused) => self.handle_refused(now, refused),
            Down::Role(role) => {
                if let Some(copy) = self.books.get_mut(&role.book) {
                    copy.handle_role(role.role);
                    self.events.push_back(Event::People { book: role.book });
                }
            }
            Down::Drain { retry_after_ms } => {
                let wait_ms = self.back_off.up_to(retry_after_ms);
                self.disconnect("the server is restarting".into());
                self.link = Link::Down { retry_at: Some(now.plus_ms(wait_ms)) };
            }
            Down::Error { code, detail } => self.events.push_back(Event::ServerError { code, detail }),
            Down::Presence(_) | Down::Unknown => {}
        }
        self.events.push_back(Event::Status);
    }

    fn handle_entries(
        &mut self,
        Entries { book, entries }: Entries,
        handle: impl FnOnce(&mut BookCopy<D>, &[Box<RawValue>]) -> Result<Applied<D>, EntriesError>,
    ) {
        let Some(copy) = self.books.get_mut(&book) else { return };
        match handle(copy, &entries) {
            Ok(Applied { touched, news, rejected }) => {
                if !touched.is_empty() {
                    self.events.push_back(Event::Changed { book, touched, news });
                }
                self.events.extend(rejected.into_iter().map(|mutation| Event::Rejected { book, mutation }));
                self.push_outbox(book);
            }
            Err(error) => self.disconnect(error.to_string()),
        }
    }

    fn handle_refused(&mut self, now: Monotonic, RefusedIn { book, refused }: RefusedIn) {
        let Some(copy) = self.books.get_mut(&book) else { return };
        match refused.code {
            // It only follows from the refusal that holds the outbox, and offering again would be refused again.
            Refusal::Gap if copy.outbox.held.is_some() => {}
            Refusal::Gap | Refusal::RateLimited | Refusal::Unavailable => {
                // Subscribing again tells which numbers the log has, and what comes after them is offered again.
                let wait_ms = refused.retry_after_ms.unwrap_or(REFUSED_RETRY_MS);
                let at = now.plus_ms(wait_ms);
                // A wait that the server asked for is kept; others neither shorten nor lengthen what is planned.
                let planned = self.offer_again_at.filter(|planned| refused.retry_after_ms.is_none() || *planned >= at);
                self.offer_again_at = planned.or(Some(at));
            }
            Refusal::WrongEpoch => {
                let request = copy.subscribe_request();
                self.transmit(&Up::Subscribe(request));
            }
            _ => copy.outbox.held = Some(refused.detail),
        }
    }

    fn resubscribe_all(&mut self) {
        if self.link != Link::Live {
            return;
        }
        let requests: Vec<Up> = self.books.values().map(|copy| Up::Subscribe(copy.subscribe_request())).collect();
        requests.iter().for_each(|request| self.transmit(request));
    }

    fn push_outbox(&mut self, book: BookId) {
        let Some(copy) = self.books.get_mut(&book) else { return };
        let Some(epoch) = copy.epoch().filter(|_| copy.subscribed && self.link == Link::Live) else { return };
        loop {
            let batch = copy.outbox.next_batch();
            if batch.is_empty() {
                break;
            }
            let raw = |encoded| RawValue::from_string(encoded).expect("a mutation was encoded as JSON");
            let mutations = batch.into_iter().map(raw).collect();
            self.transmits.push_back(Up::Push(Push { book, epoch, mutations }).encode());
        }
    }

    /// The line cannot be used any more. The driver closes it and reports back with `handle_closed`.
    fn disconnect(&mut self, reason: String) {
        self.transmits.clear();
        self.events.push_back(Event::Disconnect { reason });
    }

    fn transmit(&mut self, message: &Up) {
        self.transmits.push_back(message.encode());
    }
}
