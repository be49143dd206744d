//! A small world in virtual time that does what a test says: devices with stores, a server, and lines between them.
//!
//! Everything that happens is a step of its own, also what a store and the disk do: it is put, and then it is told. Between any
//! two steps a program or the server may die.

use std::collections::{BTreeMap, BTreeSet};

use tidebook_authority::Opening;
use tidebook_book::{Author, Domain, Epoch, MutationId, ReplicaId, Role, Seq, UnixMillis, UserId};
use tidebook_ledger::{Ledger, LedgerChange};
use tidebook_replica::{Event as Asks, Monotonic, MutateError, NewMutation};
use uuid::Uuid;

use super::server::{BOOK, Effect, LineId, Server};
use super::tab::{Got, Store, Tab};
use crate::log::Log;
use crate::shelf::Shelf;

pub(super) const EPOCH: Epoch = Epoch(Uuid::from_u128(0xe));
const OWNER: UserId = UserId(Uuid::from_u128(0xa000));

/// When the story begins.
pub(super) const BEGINS_AT: i64 = 1_700_000_000_000;

/// One way over a line.
const LINE_MS: u64 = 20;
/// What a store or the disk takes for half of a write.
const STORE_MS: u64 = 2;
/// After this long a driver gives up a line that says nothing.
const NOTICES_MS: u64 = 15_000;
/// What a server takes to start.
const START_MS: u64 = 200;

/// People of the book, besides its owner.
pub(super) const PEOPLE: u128 = 16;

pub(super) const SECOND: u64 = 1_000;
pub(super) const HOUR: u64 = 3_600 * SECOND;
pub(super) const DAY: u64 = 24 * HOUR;

#[derive(Debug)]
enum Event {
    Connects(LineId, u64),
    Up(LineId, String),
    Down(LineId, String),
    /// The device hears that its line is gone.
    Gone(LineId, Option<u16>),
    /// The server hears it.
    HungUp(LineId),
    SnapshotAsked(usize, u64),
    SnapshotCame(usize, u64, String),
    /// One transaction of a store; and the program is told.
    Put(usize, u64),
    Written(usize, u64),
    /// A tab looks into the store, where another put something.
    Look(usize, u64),
    /// The server's disk; and the server is told.
    Append(u64),
    Committed(u64),
    Wake(usize, u64),
    ServerStarts,
}

#[derive(Debug)]
pub(super) struct World<S: Domain, T: Domain> {
    pub(super) now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    made: u64,
    pub(super) server: Server<S>,
    pub(super) server_is_up: bool,
    server_life: u64,
    pub(super) server_clock_off_ms: i64,
    pub(super) stores: Vec<Store>,
    pub(super) tabs: Vec<Tab<T>>,
    /// Lines that carry nothing any more, though not both ends know.
    dead: BTreeSet<LineId>,
    pub(super) steps: usize,
}

impl World<Ledger, Ledger> {
    /// A book of which there are two entries, and nobody's device.
    pub(super) fn new() -> Self {
        let created = LedgerChange::BookCreated { name: "Flat".into(), currency: "EUR".parse().expect("a currency") };
        let owner = Author { user: OWNER, replica: ReplicaId(Uuid::from_u128(0x5e55)) };
        let mutation = MutationId(Uuid::from_u128(0x0be9));
        let opening = Opening { epoch: EPOCH, at: UnixMillis(BEGINS_AT), owner, mutation, created };
        let members: Vec<_> = (0..PEOPLE).map(|number| (person(number), Role::Editor)).collect();
        Self::over(Server::start(Log::opened::<Ledger>(opening, &members), EPOCH, Vec::new()), Vec::new())
    }
}

pub(super) fn person(number: u128) -> UserId {
    UserId(Uuid::from_u128(0xa001 + number))
}

impl<S: Domain, T: Domain> World<S, T> {
    /// Goes on with what is on the server's disk and on devices.
    pub(super) fn over(mut server: Server<S>, stores: Vec<Store>) -> Self {
        server.restart();
        Self {
            now: 0,
            queue: BTreeMap::new(),
            made: 0x1_0000,
            server,
            server_is_up: true,
            server_life: 0,
            server_clock_off_ms: 0,
            stores,
            tabs: Vec::new(),
            dead: BTreeSet::new(),
            steps: 0,
        }
    }

    /// A new device of this person's, and a program on it that runs.
    pub(super) fn device(&mut self, number: u128) -> usize {
        let shelf = Shelf::of(self.fresh_replica());
        self.stores.push(Store { shelf, is_full: false });
        self.tab(number, self.stores.len() - 1)
    }

    /// Another program over a store.
    pub(super) fn tab(&mut self, number: u128, store: usize) -> usize {
        self.tabs.push(Tab::new(person(number), store));
        self.start(self.tabs.len() - 1);
        self.tabs.len() - 1
    }

    pub(super) fn start(&mut self, tab: usize) {
        let (now, seed) = (self.monotonic(), self.number());
        let store = self.tabs[tab].store.expect("what lost its store is over with its program");
        self.tabs[tab].start(now, &self.stores[store].shelf, seed);
        self.serve(tab);
    }

    /// The program dies.
    pub(super) fn kill(&mut self, tab: usize) {
        if let Some(line) = self.tabs[tab].line {
            // What it has sent is on its way.
            self.after(2 * LINE_MS, Event::HungUp(line));
        }
        self.tabs[tab].kill();
    }

    /// The server dies, and comes back with what is on its disk.
    pub(super) fn kill_server(&mut self) {
        self.server_life += 1;
        self.server_is_up = false;
        self.server.restart();
        for line in self.tabs.iter().filter_map(|tab| tab.line).collect::<Vec<_>>() {
            self.dead.insert(line);
            self.after(LINE_MS, Event::Gone(line, None));
        }
        self.after(START_MS, Event::ServerStarts);
    }

    pub(super) fn server_has_died(&self) -> bool {
        self.server_life > 0
    }

    /// Nothing reaches the device any more, and nothing comes from it; both ends find out in time.
    pub(super) fn cut(&mut self, tab: usize) {
        self.tabs[tab].is_offline = true;
        if let Some(line) = self.tabs[tab].line.filter(|line| self.dead.insert(*line)) {
            self.after(NOTICES_MS, Event::Gone(line, None));
            self.after(NOTICES_MS, Event::HungUp(line));
        }
    }

    /// The network is back, of which the app hears.
    pub(super) fn mend(&mut self, tab: usize) {
        let now = self.monotonic();
        self.tabs[tab].is_offline = false;
        if let Some(replica) = &mut self.tabs[tab].replica {
            replica.connect_now(now);
            self.serve(tab);
        }
    }

    /// What a person asks for, reading what the screen shows now.
    pub(super) fn write(&mut self, tab: usize, ops: Vec<T::Op>) -> MutationId {
        self.offer(tab, ops).expect("the view takes it")
    }

    /// The same of what the view may refuse.
    pub(super) fn offer(&mut self, tab: usize, ops: Vec<T::Op>) -> Result<MutationId, MutateError> {
        let id = MutationId(Uuid::from_u128(0x1d00_0000 + u128::from(self.number())));
        let made_at = UnixMillis(self.clock().0 + self.tabs[tab].clock_off_ms);
        let base = self.tabs[tab].copy().seen();
        let replica = self.tabs[tab].replica.as_mut().expect("the program runs");
        replica.mutate(BOOK, NewMutation { id, made_at, base, ops, undoes: None })?;
        self.serve(tab);
        Ok(id)
    }

    /// The person takes up what was rejected: it leaves the list, and comes back to be edited.
    pub(super) fn take_up(&mut self, tab: usize, mutation: MutationId) -> Vec<T::Op> {
        let replica = self.tabs[tab].replica.as_mut().expect("the program runs");
        let ops = replica.discard_rejection(BOOK, mutation).expect("it was rejected");
        self.serve(tab);
        ops
    }

    /// The device's store is deleted under a program that runs.
    pub(super) fn lose_store(&mut self, tab: usize) {
        let (now, fresh) = (self.monotonic(), self.fresh_replica());
        self.tabs[tab].lose_store(now, fresh);
        self.serve(tab);
    }

    /// The next thing happens, if that is by then; else it is then.
    pub(super) fn step_until(&mut self, until: u64) -> bool {
        let Some(next) = self.queue.first_entry().filter(|next| next.key().0 <= until) else {
            self.now = until;
            return false;
        };
        let ((at, _), event) = next.remove_entry();
        self.now = at;
        self.steps += 1;
        self.handle(event);
        true
    }

    pub(super) fn run_for(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.step_until(until) {}
    }

    fn handle(&mut self, event: Event) {
        self.server.clock = UnixMillis(self.clock().0 + self.server_clock_off_ms);
        match event {
            Event::Connects(line, life) if self.tabs[line.tab].life == life => self.connect(line),
            Event::Up(line, text) if self.server_is_up && !self.dead.contains(&line) => {
                self.server.handle_text(line, &text)
            }
            Event::Down(line, text) if self.carries(line) => {
                let now = self.monotonic();
                self.tabs[line.tab].hear(now, &text);
                self.serve(line.tab);
            }
            Event::Connects(..) | Event::Up(..) | Event::Down(..) => {}
            Event::Gone(line, code) => self.hear_that_it_is_gone(line, code),
            Event::HungUp(line) => self.server.hang_up(line),
            Event::SnapshotAsked(tab, life) => self.ask_for_snapshot(tab, life),
            Event::SnapshotCame(tab, life, text) if self.tabs[tab].life == life => {
                let now = self.monotonic();
                self.tabs[tab].take_snapshot(now, &text);
                self.serve(tab);
            }
            Event::Put(tab, life) if self.tabs[tab].life == life => self.put(tab),
            Event::Written(tab, life) if self.tabs[tab].life == life => {
                self.tabs[tab].is_keeping = false;
                self.tabs[tab].handle_written();
                self.serve(tab);
            }
            Event::Look(tab, life) if self.tabs[tab].life == life => self.look(tab),
            Event::Wake(tab, life) if self.tabs[tab].life == life => self.wake(tab),
            Event::SnapshotCame(..) | Event::Put(..) | Event::Written(..) | Event::Look(..) | Event::Wake(..) => {}
            Event::Append(life) if self.server_life == life => {
                self.server.append();
                self.after(STORE_MS, Event::Committed(life));
            }
            Event::Committed(life) if self.server_life == life => self.server.handle_committed(),
            Event::Append(_) | Event::Committed(_) => {}
            Event::ServerStarts => self.server_is_up = true,
        }
        self.serve_server();
    }

    fn carries(&self, line: LineId) -> bool {
        self.server_is_up && !self.dead.contains(&line) && self.tabs[line.tab].line == Some(line)
    }

    fn connect(&mut self, line: LineId) {
        let (now, tab) = (self.monotonic(), &mut self.tabs[line.tab]);
        let can = self.server_is_up && !tab.is_offline;
        match &mut tab.replica {
            Some(replica) if can && tab.line.is_none() => {
                tab.line = Some(line);
                replica.handle_opened(now);
                self.server.open(line, tab.user);
            }
            Some(replica) if tab.line.is_none() => replica.handle_closed(now, None),
            _ => return,
        }
        self.serve(line.tab);
    }

    fn hear_that_it_is_gone(&mut self, line: LineId, code: Option<u16>) {
        let (now, tab) = (self.monotonic(), &mut self.tabs[line.tab]);
        if let Some(replica) = tab.replica.as_mut().filter(|_| tab.line == Some(line)) {
            tab.line = None;
            replica.handle_closed(now, code);
            self.serve(line.tab);
        }
    }

    fn ask_for_snapshot(&mut self, tab: usize, life: u64) {
        let now = self.monotonic();
        let asker = &mut self.tabs[tab];
        match &mut asker.replica {
            Some(replica) if asker.life == life && (!self.server_is_up || asker.is_offline) => {
                replica.handle_snapshot_failed(now, BOOK);
                self.serve(tab);
            }
            Some(_) if asker.life == life => self.server.ask_for_snapshot((tab, life)),
            _ => {}
        }
    }

    fn put(&mut self, tab: usize) {
        let now = self.monotonic();
        self.tabs[tab].is_keeping = false;
        let Some(store) = self.tabs[tab].store else { return };
        if self.stores[store].is_full {
            return self.lose_store(tab);
        }
        if self.tabs[tab].keep(now, &mut self.stores[store].shelf) {
            self.tabs[tab].is_keeping = true;
            self.after(STORE_MS, Event::Written(tab, self.tabs[tab].life));
            let others = (0..self.tabs.len()).filter(|other| *other != tab && self.tabs[*other].store == Some(store));
            for other in others.collect::<Vec<_>>() {
                self.after(STORE_MS, Event::Look(other, self.tabs[other].life));
            }
        }
        self.serve(tab);
    }

    fn look(&mut self, tab: usize) {
        let now = self.monotonic();
        // While it writes it would read its own: it looks when it writes next.
        if let (Some(store), false) = (self.tabs[tab].store, self.tabs[tab].is_keeping)
            && let Some(replica) = &mut self.tabs[tab].replica
        {
            self.stores[store].shelf.give(now, replica, BOOK);
            self.serve(tab);
        }
    }

    fn wake(&mut self, tab: usize) {
        let now = self.monotonic();
        let woken = &mut self.tabs[tab];
        if woken.wakes_at == Some(self.now)
            && let Some(replica) = &mut woken.replica
        {
            woken.wakes_at = None;
            replica.handle_timeout(now);
            self.serve(tab);
        }
    }

    /// Does what a program asks for.
    fn serve(&mut self, tab: usize) {
        while let Some(asks) = self.tabs[tab].replica.as_mut().and_then(tidebook_replica::Replica::poll_event) {
            match asks {
                Asks::Connect => {
                    let line = LineId { tab, number: self.number() };
                    self.after(LINE_MS, Event::Connects(line, self.tabs[tab].life));
                }
                Asks::Disconnect { .. } => self.disconnect(tab),
                Asks::FetchSnapshot { .. } => {
                    self.after(LINE_MS, Event::SnapshotAsked(tab, self.tabs[tab].life));
                }
                Asks::NewReplicaNeeded => self.renew(tab),
                Asks::UpdateNeeded { .. } => self.tabs[tab].needs_update = true,
                _ => {}
            }
        }
        let (line, life) = (self.tabs[tab].line, self.tabs[tab].life);
        let now = Monotonic(self.now);
        while let Some(text) = self.tabs[tab].replica.as_mut().and_then(|replica| replica.poll_transmit(now)) {
            line.into_iter().for_each(|line| self.after(LINE_MS, Event::Up(line, text.clone())));
        }
        let Some(replica) = &self.tabs[tab].replica else { return };
        let (has_to_write, due) = (!replica.to_write().is_empty(), replica.poll_timeout());
        if has_to_write && !std::mem::replace(&mut self.tabs[tab].is_keeping, true) {
            self.after(STORE_MS, Event::Put(tab, life));
        }
        if let Some(Monotonic(at)) = due
            && self.tabs[tab].wakes_at.is_none_or(|planned| at.max(self.now) < planned)
        {
            self.tabs[tab].wakes_at = Some(at.max(self.now));
            self.after(at.saturating_sub(self.now), Event::Wake(tab, life));
        }
    }

    fn disconnect(&mut self, tab: usize) {
        let now = self.monotonic();
        if let Some(line) = self.tabs[tab].line.take() {
            self.after(LINE_MS, Event::HungUp(line));
        }
        if let Some(replica) = &mut self.tabs[tab].replica {
            replica.handle_closed(now, None);
        }
    }

    /// The store gets another replica id, unless another of its programs has seen to that.
    fn renew(&mut self, tab: usize) {
        let (now, mut fresh) = (self.monotonic(), self.fresh_replica());
        let outworn = self.tabs[tab].replica.as_ref().map(tidebook_replica::Replica::id);
        if let Some(store) = self.tabs[tab].store {
            let shelf = &mut self.stores[store].shelf;
            shelf.replica = if Some(shelf.replica) == outworn { fresh } else { shelf.replica };
            fresh = shelf.replica;
        }
        if let Some(replica) = &mut self.tabs[tab].replica {
            replica.handle_new_replica(now, fresh);
        }
    }

    fn serve_server(&mut self) {
        while let Some(effect) = self.server.poll_effect() {
            match effect {
                Effect::Send(line, text) => self.after(LINE_MS, Event::Down(line, text)),
                Effect::Close(line, code) => self.after(LINE_MS, Event::Gone(line, Some(code))),
                Effect::Write => self.after(STORE_MS, Event::Append(self.server_life)),
                Effect::Snapshot((tab, life), text) => self.after(LINE_MS, Event::SnapshotCame(tab, life, text)),
            }
        }
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.made += 1;
        self.queue.insert((self.now + ms, self.made), event);
    }

    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn fresh_replica(&mut self) -> ReplicaId {
        ReplicaId(Uuid::from_u128(0xde01_0000_0000 + u128::from(self.number())))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.now)
    }

    fn clock(&self) -> UnixMillis {
        UnixMillis(BEGINS_AT + i64::try_from(self.now).expect("a story is short"))
    }

    /// From now on it is counted what a tab gets; what it got since that was last said.
    pub(super) fn count(&mut self, tab: usize) -> Vec<Got> {
        self.tabs[tab].got.replace(Vec::new()).unwrap_or_default()
    }

    /// The seq of a mutation's entry.
    pub(super) fn seq_of(&self, id: MutationId) -> Seq {
        self.server.log.place_of(id).expect("it is in the log").seq
    }
}
