//! How a run begins: who there is, what they have, and what the weather will be.

use std::collections::{BTreeMap, BTreeSet};

use tidebook_authority::{Authority, Batch, Opening};
use tidebook_book::{Author, BookId, Epoch, MemberChange, MutationId, ReplicaId, Role, UserId};
use tidebook_ledger::{Ledger, LedgerChange};
use uuid::Uuid;

use super::node::{Node, UNHEARD_MS_MAX, shortened};
use super::{Event, Person, World};
use crate::check::{BookCheck, Checker};
use crate::client::Client;
use crate::device::Device;
use crate::disk::Disk;
use crate::fault::{Fault, Weather};
use crate::queue::Queue;
use crate::random::Random;
use crate::run::Options;
use crate::server::{Settings, clock};
use crate::store::Store;
use crate::trace::Trace;

const NAMES: [&str; 4] = ["Ana", "Ben", "Cleo", "Dan"];

/// Times at which people come to work; between them lie minutes.
const EPISODES: (u64, u64) = (4, 6);

/// Where there is more than one.
const NODES: usize = 3;

/// Devices whose browser forbids a store, one in so many.
const STORELESS_ONE_IN: u64 = 6;

/// The text that everything of a book contains: ids of its records begin with it, and names and notes contain it.
pub(super) fn canary(book: usize) -> String {
    format!("ca0a{book:04x}-")
}

/// A record's id, which begins with its book's canary.
pub(super) fn record_id(book: usize, number: u128) -> Uuid {
    Uuid::from_u128(((0xca0a_0000 + book as u128) << 96) | (number >> 32))
}

impl World {
    pub(crate) fn new(seed: u64, Options { plant, telling, limits }: Options) -> Self {
        let mut random = Random::new(seed);
        let weather = Weather::of(&mut random, |fault| limits.allow(fault));
        let settings = Settings { plant, snapshot_every: random.between(8, 80) };
        let disk = Disk::default();
        let mut world = Self {
            now: 0,
            queue: Queue::new(),
            weather,
            settings,
            people: Vec::new(),
            books: Vec::new(),
            disk,
            nodes: Vec::new(),
            clients: Vec::new(),
            devices: Vec::new(),
            transactions_made: 0,
            lines: BTreeMap::new(),
            lines_made: 0,
            calls: BTreeMap::new(),
            calls_made: 0,
            snapshots_asked: Vec::new(),
            checker: Checker::default(),
            trace: Trace::new(telling),
            episodes: random.between(EPISODES.0, EPISODES.1).min(limits.episodes_max),
            full_until: 0,
            quiet_since: None,
            is_over: false,
            client_ms: 0,
            looks: Random::new(seed ^ 0x5eed),
            random,
        };
        world.add_people();
        world.add_books(limits.books_max);
        world.add_devices(limits.devices_max);
        world.tell_who_there_is();
        world.start_nodes();
        world.queue.put(0, Event::Episode(1));
        world
    }

    fn start_nodes(&mut self) {
        let has_several = self.weather.strikes(Fault::Nodes, &mut self.random);
        for node in 0..if has_several { NODES } else { 1 } {
            self.nodes.push(Node::new(self.settings.clone()));
            self.start_node(node);
        }
        self.checker.unheard_ms = has_several.then_some(UNHEARD_MS_MAX);
    }

    fn add_people(&mut self) {
        let count = self.random.between(2, NAMES.len() as u64);
        for (number, name) in (0..count).zip(NAMES) {
            let user = UserId(Uuid::from_u128(0xa000 + u128::from(number)));
            let session = ReplicaId(Uuid::from_u128(0x5e55_0000 + u128::from(number)));
            self.checker.owns(session, user);
            self.people.push(Person { name, user, session });
        }
    }

    fn add_books(&mut self, most: u64) {
        for number in 0..usize::try_from(self.random.between(1, 3).min(most)).expect("few books") {
            let book = BookId(Uuid::from_u128(0xb00c_0000 + number as u128));
            let epoch = Epoch(Uuid::from_u128(0xe00c_0000 + number as u128));
            self.books.push(book);
            self.disk.create(book, epoch);
            self.checker.books.insert(book, BookCheck::new(canary(number)));
            self.open_the_book(number, book, epoch);
        }
    }

    /// The book's first entries: its opening, and those who are let in.
    fn open_the_book(&mut self, number: usize, book: BookId, epoch: Epoch) {
        let owner = number % self.people.len();
        let author = self.session_of(owner);
        let mutation = MutationId(Uuid::from_u128(self.random.wide()));
        let name = format!("Flat {}", canary(number));
        let created = LedgerChange::BookCreated { name, currency: "EUR".parse().expect("a currency") };
        let opening = Opening { epoch, at: clock(0), owner: author, mutation, created };
        self.write_at_once(book, Authority::<Ledger>::open(opening));
        for person in (0..self.people.len()).filter(|person| *person != owner) {
            if !self.random.one_in(5) {
                let role = self.random.choose([Role::Editor, Role::Editor, Role::Editor, Role::Owner, Role::Viewer]);
                self.let_in(book, person, role);
            }
        }
    }

    fn let_in(&mut self, book: BookId, person: usize, role: Role) {
        let author = self.session_of(person);
        let log = self.disk.log(book).expect("it was made just now");
        let head = log.head_and_hash();
        let mut authority = Authority::new(log.epoch, log.replay(head.seq), head.seq, head.hash, log.numbers());
        let id = MutationId(Uuid::from_u128(self.random.wide()));
        let added = MemberChange::Added { user: author.user, role };
        authority.handle_member_change(clock(0), author, id, added).expect("whoever is invited may come in");
        let batch = authority.poll_batch().expect("somebody came in");
        self.write_at_once(book, batch);
    }

    fn write_at_once(&mut self, book: BookId, batch: Batch) {
        self.checker.handle_commit(book, &batch).expect("the first entries are in order");
        self.disk.log_mut(book).append(batch).expect("the first entries are taken");
    }

    fn add_devices(&mut self, most: u64) {
        let count = self.random.between(3, 6).max(self.people.len() as u64).min(most);
        for number in 0..usize::try_from(count).expect("few devices") {
            let person = number % self.people.len();
            // One in two people has a second device; the rest of a round goes to those who have.
            let kind = ["phone", "laptop", "tablet", "old phone"][number / self.people.len() % 4];
            self.add_device(number, person, kind);
        }
    }

    fn add_device(&mut self, number: usize, person: usize, kind: &str) {
        let Person { name, user, .. } = self.people[person];
        let replica = ReplicaId(Uuid::from_u128(0xde01_0000 + number as u128));
        self.checker.owns(replica, user);
        let name = format!("{name}'s {kind}");
        let store = if self.random.one_in(STORELESS_ONE_IN) { None } else { Some(Store::new(replica)) };
        let mut follows = BTreeSet::new();
        for book in self.books.clone() {
            let is_member = self.checker.book(book).role_of(user).is_some();
            if is_member || self.weather.strikes(Fault::Stranger, &mut self.random) {
                follows.insert(book);
            }
        }
        let has_several = store.is_some() && self.weather.strikes(Fault::Tabs, &mut self.random);
        let tabs = if has_several { self.random.choose([2, 2, 3]) } else { 1 };
        if has_several {
            self.checker.note_shared(replica);
        }
        let clock_off_ms = self.any_clock();
        self.devices.push(Device::new(name.clone(), user, store));
        for tab in 1..=tabs {
            let name = if tab == 1 { name.clone() } else { format!("{name}'s tab {tab}") };
            let client = Client { clock_off_ms, follows: follows.clone(), ..Client::new(name, number, user) };
            self.devices[number].tabs.push(self.clients.len());
            self.queue.put(0, Event::StartTab(self.clients.len()));
            self.clients.push(client);
        }
    }

    /// How wrong a device's clock is.
    fn any_clock(&mut self) -> i64 {
        const YEARS_MS: u64 = 5 * 365 * 24 * 3_600_000;
        if !self.weather.strikes(Fault::WrongClock, &mut self.random) {
            return 0;
        }
        let off = self.random.choose([5_000, 3_600_000, YEARS_MS]);
        let sign = if self.random.one_in(2) { 1 } else { -1 };
        sign * i64::try_from(self.random.below(off)).expect("years fit")
    }

    /// Where the story begins.
    fn tell_who_there_is(&mut self) {
        for (number, book) in (1..).zip(self.books.clone()) {
            let role = |person: &Person| self.checker.book(book).role_of(person.user).map(|role| (person.name, role));
            let people: Vec<_> = self.people.iter().filter_map(role).collect();
            let (id, head) = (shortened(&book.to_string()), self.head(book));
            self.trace.say(self.now, || format!("book {number} is {id}, at {head}, and of {people:?}"));
        }
        for client in &self.clients {
            let (name, off, books) = (&client.name, client.clock_off_ms, client.follows.len());
            self.trace.say(self.now, || format!("{name} has {books} books, clock {off} ms off"));
        }
        let faults: Vec<&str> = self.weather.faults().map(Fault::name).collect();
        let episodes = self.episodes;
        self.say(|| format!("people come {episodes} times; there may be {}", faults.join(", ")));
    }

    /// Who a person is over HTTP.
    pub(super) fn session_of(&self, person: usize) -> Author {
        let Person { user, session, .. } = self.people[person];
        Author { user, replica: session }
    }
}
