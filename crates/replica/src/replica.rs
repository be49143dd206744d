//! One device's half of the conversation: all its books over one line.

mod keeping;
mod presence;
mod timing;

use std::collections::{BTreeSet, VecDeque};

use serde_json::value::RawValue;
use tidebook_book::{
    Author, BookId, Domain, Mutation, MutationId, MutationNumber, ReplicaId, Seq, Snapshot, SortedMap, UserId,
    read_by_name,
};
use tidebook_protocol::{
    Down, Entries, Hello, MUTATION_BYTES_MAX, MUTATION_OPS_MAX, PROTOCOL, Push, RefusedIn, Up, close,
};

use crate::back_off::{BackOff, WAIT_MS_MAX};
use crate::book_copy::{Applied, NextTry, Parting, SnapshotFate, Withdrawn};
use crate::contradiction::Contradiction;
use crate::link::{Link, WELCOME_WITHIN_MS};
use crate::outbox::encode;
use crate::presence::Shown;
use crate::{BookCopy, Event, Held, Keeps, Monotonic, MutateError, NewMutation, SyncStatus};

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
    pub keeps: Keeps,
}

/// The client half of the engine. The crate's documentation says in which order to call what.
#[derive(Debug)]
pub struct Replica<D: Domain> {
    config: ReplicaConfig,
    books: SortedMap<BookId, BookCopy<D>>,
    /// The last numbers given in books that are not open any more: opened again, they go on from there.
    numbers_of_closed: SortedMap<BookId, MutationNumber>,
    link: Link,
    back_off: BackOff,
    /// When to offer refused mutations again.
    offer_again_at: Option<Monotonic>,
    /// Where the person says they are.
    shown: Option<Shown>,
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
            books: SortedMap::new(),
            numbers_of_closed: SortedMap::new(),
            link: Link::Down { retry_at: Some(Monotonic(0)) },
            offer_again_at: None,
            shown: None,
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
            // On the device it is only once the store has it.
            _ if self.config.keeps == Keeps::InStore && copy.unsaved() > 0 => SyncStatus::Saving(pending),
            _ => SyncStatus::Offline(pending),
        }
    }

    /// Follows a book from now on. Opening it twice changes nothing.
    pub fn open_book(&mut self, book: BookId) {
        if !self.books.contains_key(&book) {
            self.make_copy(book);
            self.subscribe(book);
        }
    }

    fn make_copy(&mut self, book: BookId) {
        let author = Author { user: self.config.user, replica: self.config.replica };
        let last_n = self.numbers_of_closed.remove(&book).unwrap_or_default();
        let seed = self.config.seed ^ book.0.as_u64_pair().1;
        self.books.insert(book, BookCopy::new(book, author, last_n, self.config.keeps, seed));
        self.events.push_back(Event::Status);
    }

    /// Subscribes to a book once more, which any new line does too; and to one that the person was removed from or that needs
    /// a newer app, which nothing else does. The answer lifts what holds the outbox.
    pub fn subscribe_again(&mut self, book: BookId) {
        let Some(copy) = self.books.get_mut(&book) else { return };
        copy.ask_again();
        self.subscribe(book);
        self.events.push_back(Event::Status);
    }

    /// Stops following a book and forgets its copy. False where something in it is only here: then it stays as it is.
    pub fn close_book(&mut self, book: BookId) -> bool {
        let keeps_something =
            |copy: &BookCopy<D>| copy.pending().any(|pending| !pending.is_withdrawn()) || !copy.rejections().is_empty();
        if self.books.get(&book).is_some_and(keeps_something) {
            return false;
        }
        if let Some(copy) = self.books.remove(&book) {
            self.numbers_of_closed.insert(book, copy.last_number());
            if self.link == Link::Live {
                self.transmit(&Up::Unsubscribe { book });
            }
        }
        true
    }

    /// Takes what a person did: the view changes at once, and the outbox offers it to the server. Its number may change until
    /// it is stored.
    pub fn mutate(&mut self, book: BookId, new: NewMutation<D::Op>) -> Result<MutationNumber, MutateError> {
        let copy = self.books.get_mut(&book).ok_or(MutateError::NotOpen)?;
        match new.ops.len() {
            0 => return Err(MutateError::Empty),
            1..=MUTATION_OPS_MAX => {}
            ops => return Err(MutateError::TooManyOps { ops }),
        }
        let NewMutation { id, made_at, base, ops, undoes } = new;
        let n = copy.last_number().next();
        let mutation = Mutation { id, n, made_at, base: copy.base_of(base), ops, undoes };
        let encoded = encode(&mutation);
        if encoded.len() > MUTATION_BYTES_MAX {
            return Err(MutateError::TooLarge { bytes: encoded.len() });
        }
        let touched = copy.add(mutation, encoded, made_at).map_err(MutateError::Rejected)?;
        self.events.push_back(Event::Changed { book, touched, news: BTreeSet::new() });
        self.events.push_back(Event::Status);
        self.push_outbox(book);
        Ok(n)
    }

    /// Takes back a mutation that has no entry yet, and returns what it asked for. It is offered again without its ops
    /// under its number; should the log have it already, or take it first, it stands like any other.
    pub fn withdraw(&mut self, book: BookId, mutation: MutationId) -> Option<Vec<D::Op>> {
        let Withdrawn { ops, touched } = self.books.get_mut(&book)?.withdraw(mutation)?;
        self.tell_changed(book, touched, BTreeSet::new());
        self.events.push_back(Event::Status);
        self.push_outbox(book);
        Some(ops)
    }

    /// Forgets a rejected mutation the person has dealt with, and returns what it asked for. Where they try again, it
    /// goes in as another mutation.
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
        let retry_at = match self.link {
            // Signed out already, and to connect again is for the person to say.
            Link::Down { retry_at: None } => None,
            _ if code == Some(close::UNAUTHENTICATED) => {
                self.events.push_back(Event::SignedOut);
                None
            }
            // It was given up before it closed, and when to come back is known.
            Link::Down { retry_at } => retry_at,
            _ => Some(now.plus_ms(self.back_off.next_ms())),
        };
        self.lose_line(now, retry_at);
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
        if matches!(self.link, Link::Down { .. } | Link::Connecting) {
            return;
        }
        let (needed_before, events_before) = (self.needs_new_replica(), self.events.len());
        match Down::parse(text) {
            Ok(message) => self.handle_message(now, message),
            Err(error) => self.disconnect(error.to_string()),
        }
        self.see_to_books(now);
        if !needed_before && self.needs_new_replica() {
            // Before all that is to be shown: what the driver mends nobody needs to see.
            self.events.insert(events_before, Event::NewReplicaNeeded);
        }
    }

    /// The text of the snapshot that [`Event::FetchSnapshot`] asked for.
    pub fn handle_snapshot_text(&mut self, now: Monotonic, book: BookId, text: &str) {
        struct Version {
            state_version: u32,
        }

        read_by_name!(Version { state_version });
        match serde_json::from_str::<Snapshot<D>>(text) {
            Ok(snapshot) if snapshot.book == book => self.handle_snapshot(now, snapshot),
            Ok(_) => self.handle_snapshot_failed(now, book),
            Err(_) => match serde_json::from_str(text) {
                Ok(Version { state_version }) if state_version > D::STATE_VERSION => {
                    let fate = self.books.get_mut(&book).map(|copy| copy.handle_snapshot_too_new(now));
                    self.handle_snapshot_fate(now, book, fate);
                }
                _ => self.handle_snapshot_failed(now, book),
            },
        }
    }

    /// The same, where the driver has read it.
    pub fn handle_snapshot(&mut self, now: Monotonic, snapshot: Snapshot<D>) {
        let book = snapshot.book;
        let fate = self.books.get_mut(&book).map(|copy| copy.handle_snapshot(now, snapshot));
        self.handle_snapshot_fate(now, book, fate);
    }

    /// The snapshot could not be fetched, or not be read. It is asked for again after a wait.
    pub fn handle_snapshot_failed(&mut self, now: Monotonic, book: BookId) {
        if let Some(copy) = self.books.get_mut(&book) {
            copy.handle_snapshot_failed(now);
            if copy.starts_by_itself() && self.link == Link::Live {
                let request = copy.subscribe_request();
                self.transmit(&Up::Subscribe(request));
            }
            self.see_to_books(now);
        }
    }

    /// The new id that [`Event::NewReplicaNeeded`] asked for, or one that another program has put into the store. Whatever has no fate is offered under it, with ids as they
    /// were, so that nothing enters twice; and the line is opened anew, for it speaks for one replica.
    pub fn handle_new_replica(&mut self, now: Monotonic, replica: ReplicaId) {
        if replica == self.config.replica {
            // It was in the store before it was asked for here, and numbers have been given under it.
            return;
        }
        self.config.replica = replica;
        self.numbers_of_closed = SortedMap::new();
        let touched: Vec<_> = self.books.iter_mut().map(|(book, copy)| (*book, copy.renumber(replica))).collect();
        touched.into_iter().for_each(|(book, touched)| self.tell_changed(book, touched, BTreeSet::new()));
        if matches!(self.link, Link::Greeting { .. } | Link::Live) {
            self.disconnect("this device goes on under a new replica id".into());
            self.lose_line(now, Some(now));
        }
        self.events.push_back(Event::Status);
    }

    /// The next frame to send. The time for its answer runs from now on.
    pub fn poll_transmit(&mut self, now: Monotonic) -> Option<String> {
        let frame = self.transmits.pop_front()?;
        self.books.values_mut().for_each(|copy| copy.answer.handle_sent(now));
        Some(frame)
    }

    /// The next thing to do or to show.
    pub fn poll_event(&mut self) -> Option<Event<D>> {
        self.events.pop_front()
    }

    fn handle_message(&mut self, now: Monotonic, message: Down) {
        match message {
            // A cookie speaks for whoever signed in last, and nobody else is to send what this person wrote.
            Down::Welcome(welcome) if welcome.user.id != self.config.user => {
                self.disconnect("somebody else is signed in here".into());
                self.lose_line(now, None);
                self.events.push_back(Event::SignedOut);
            }
            Down::Welcome(_) => {
                self.link = Link::Live;
                if !self.subscribe_all() {
                    self.back_off.reset();
                }
            }
            Down::Subscribed(subscribed) => {
                // Now the line has proved useful: a server that only says welcome may well be failing.
                self.back_off.reset();
                let book = subscribed.book;
                let Some(copy) = self.books.get_mut(&book) else { return };
                if !copy.take_answer() {
                    return;
                }
                if copy.has_overtaken(&subscribed) {
                    return self.subscribe(book);
                }
                self.with_book(book, |copy| copy.handle_subscribed(now, &subscribed));
                self.forget_peers_in(book);
                self.say_where(book);
            }
            Down::People(people) => self.with_book(people.book, |copy| copy.handle_people(people.people)),
            Down::Role(role) => self.with_book(role.book, |copy| copy.handle_role(role.role)),
            Down::Entries(entries) => self.handle_entries(now, entries, BookCopy::handle_entries),
            Down::Fates(entries) => self.handle_entries(now, entries, BookCopy::handle_fates),
            Down::SnapshotRequired(required) => {
                if let Some(copy) = self.books.get_mut(&required.book)
                    && copy.take_answer()
                {
                    copy.handle_snapshot_required(now, &required);
                }
            }
            Down::Refused(refused) => self.handle_refused(now, refused),
            Down::Drain { retry_after_ms } => {
                let wait_ms = self.back_off.up_to(retry_after_ms);
                self.disconnect("the server is restarting".into());
                self.lose_line(now, Some(now.plus_ms(wait_ms)));
            }
            Down::Error { code, detail } => self.events.push_back(Event::ServerError { code, detail }),
            Down::Presence(presence) => self.handle_presence(presence),
            Down::Unknown => {}
        }
        self.events.push_back(Event::Status);
    }

    /// Something came that tells who is in a book, and in which role; the outbox may go on because of it.
    fn with_book(&mut self, book: BookId, handle: impl FnOnce(&mut BookCopy<D>)) {
        if let Some(copy) = self.books.get_mut(&book) {
            handle(copy);
            self.events.push_back(Event::People { book });
            self.push_outbox(book);
        }
    }

    fn handle_entries(
        &mut self,
        now: Monotonic,
        Entries { book, entries }: Entries,
        handle: impl FnOnce(&mut BookCopy<D>, &[Box<RawValue>]) -> Result<Applied<D>, Contradiction>,
    ) {
        let Some(copy) = self.books.get_mut(&book) else { return };
        let (waiting, was_behind) = (copy.outbox.len(), copy.is_line_behind());
        match handle(copy, &entries) {
            Ok(Applied { touched, news, rejected }) => {
                // What comes unasked tells nothing of the way up.
                if was_behind || copy.outbox.len() < waiting {
                    copy.handle_part_of_answer(now);
                }
                self.tell_changed(book, touched, news);
                self.events.extend(rejected.into_iter().map(|mutation| Event::Rejected { book, mutation }));
                self.push_outbox(book);
            }
            Err(contradiction) => {
                let parting = match contradiction {
                    Contradiction::AnotherLog(_) => Parting::At(Seq::ZERO),
                    _ => Parting::PerhapsAt(Seq::ZERO),
                };
                copy.handle_contradiction(now, &contradiction, parting);
            }
        }
    }

    fn handle_refused(&mut self, now: Monotonic, RefusedIn { book, refused }: RefusedIn) {
        let Some(copy) = self.books.get_mut(&book) else { return };
        let said_how_long = refused.retry_after_ms.is_some();
        match copy.handle_refused(now, refused) {
            // Subscribing again tells which numbers the log has, and what comes after them is offered again.
            NextTry::AtOnce => self.subscribe(book),
            NextTry::AfterMs(wait_ms) => {
                let at = now.plus_ms(wait_ms.min(WAIT_MS_MAX));
                // A wait that the server asked for is kept; others neither shorten nor lengthen what is planned.
                let planned = self.offer_again_at.filter(|planned| !said_how_long || *planned >= at);
                self.offer_again_at = planned.or(Some(at));
            }
            NextTry::WhenMended => {}
        }
    }

    fn handle_snapshot_fate(&mut self, now: Monotonic, book: BookId, fate: Option<SnapshotFate>) {
        match fate {
            Some(SnapshotFate::Taken) => {
                self.subscribe(book);
                self.events.extend([Event::Reset { book }, Event::People { book }, Event::Status]);
            }
            Some(SnapshotFate::TooNew) => self.events.extend([Event::UpdateNeeded { book }, Event::Status]),
            Some(SnapshotFate::PassedOver) => self.see_to_books(now),
            None => {}
        }
    }

    fn is_live(&self) -> bool {
        self.link == Link::Live
    }

    fn needs_new_replica(&self) -> bool {
        self.books.values().any(|copy| copy.held().is_some_and(Held::needs_new_replica))
    }

    /// Asks for all books; false where there is none to ask for.
    fn subscribe_all(&mut self) -> bool {
        let books: Vec<BookId> = self.books.keys().copied().collect();
        books.iter().for_each(|book| self.subscribe(*book));
        self.books.values().any(BookCopy::wants_subscription)
    }

    fn subscribe(&mut self, book: BookId) {
        let is_live = self.is_live();
        if let Some(copy) = self.books.get_mut(&book).filter(|copy| copy.wants_subscription() && is_live) {
            let request = copy.subscribe_request();
            self.transmit(&Up::Subscribe(request));
        }
    }

    fn push_outbox(&mut self, book: BookId) {
        let is_live = self.is_live();
        let Some(copy) = self.books.get_mut(&book).filter(|copy| copy.is_following() && is_live) else { return };
        let Some(epoch) = copy.epoch() else { return };
        let retried = copy.retry_rejected();
        if !retried.is_empty() {
            self.events.extend([Event::Changed { book, touched: retried, news: BTreeSet::new() }, Event::Status]);
        }
        loop {
            let batch = copy.outbox.next_batch();
            if batch.is_empty() {
                break;
            }
            let raw = |encoded| RawValue::from_string(encoded).expect("a mutation was encoded as JSON");
            let mutations = batch.into_iter().map(raw).collect();
            copy.answer.handle_asked();
            self.transmits.push_back(Up::Push(Push { book, epoch, mutations }).encode());
        }
    }

    /// The line cannot be used any more. The driver closes it and reports back with `handle_closed`.
    fn disconnect(&mut self, reason: String) {
        self.transmits.clear();
        self.events.push_back(Event::Disconnect { reason });
    }

    /// Nothing comes or goes until the next line.
    fn lose_line(&mut self, now: Monotonic, retry_at: Option<Monotonic>) {
        self.transmits.clear();
        self.books.values_mut().for_each(|copy| copy.handle_closed(now));
        self.forget_peers();
        self.link = Link::Down { retry_at };
    }

    fn tell_changed(&mut self, book: BookId, touched: BTreeSet<D::Touched>, news: BTreeSet<D::Touched>) {
        if !touched.is_empty() {
            self.events.push_back(Event::Changed { book, touched, news });
        }
    }

    fn transmit(&mut self, message: &Up) {
        self.transmits.push_back(message.encode());
    }
}
