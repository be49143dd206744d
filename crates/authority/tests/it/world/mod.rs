//! A small world: some replicas and an authority over lines that delay, cut and go dark, and over a store that commits,
//! cleanly fails or is restarted. One seed is one run. First there are faults, then there are none; what must hold is
//! checked all the way, and what must come about at the end.

mod check;
mod client;
mod network;
mod plant;
mod random;
mod scenario;
mod server;

use std::collections::BTreeMap;

use tidebook_book::{Author, MutationId, MutationNumber, Seq, UnixMillis};
use tidebook_replica::{Monotonic, NewMutation};
use uuid::Uuid;

use crate::support::{AT, EDITOR, OWNER, replica};
use check::History;
use client::{Client, Wish};
use network::{Line, LineId, Parcel};
use random::Random;
use server::Server;

pub(crate) use plant::Plant;
pub(crate) use scenario::Scenario;
pub(crate) use server::BOOK;

/// The world's clock moves by this.
const TICK_MS: u64 = 10;
/// Storms in a life, each followed by a calm.
const STORMS: u64 = 4;
/// How long there are faults.
const STORM_MS: u64 = 2_500;
/// How long it may take, once there are none, until all is quiet: the longest back-off, and then some.
const CALM_MS_MAX: u64 = 25_000;

/// What must not happen, in words.
pub(crate) type Violation = String;

/// A mutation somebody made.
pub(crate) struct Made {
    client: usize,
    n: MutationNumber,
    id: MutationId,
    /// Taken back before its entry came, perhaps too late.
    withdrawn: bool,
}

pub(crate) struct World<S: Scenario> {
    random: Random,
    now: u64,
    /// Whether there are faults, and people at work.
    stormy: bool,
    server: Server<S>,
    clients: Vec<Client<S>>,
    lines: BTreeMap<LineId, Line>,
    lines_made: u64,
    made: Vec<Made>,
    history: History<S>,
    pub(crate) tally: Tally,
}

/// How often what happened, to see that faults do.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) mutations: usize,
    pub(crate) rejections: usize,
    pub(crate) withdrawals: usize,
    pub(crate) new_ids: usize,
    pub(crate) snapshots: usize,
    pub(crate) cuts: usize,
    pub(crate) restarts: usize,
    pub(crate) failed_commits: usize,
    pub(crate) repetitions: usize,
    pub(crate) refusals: usize,
    pub(crate) fates: usize,
}

/// Runs one seed to its end, or to the first thing that must not happen.
pub(crate) fn run<S: Scenario>(seed: u64, plant: Option<Plant>) -> Result<Tally, Violation> {
    let mut world = World::<S>::new(seed, plant);
    world.run().map_err(|violation| format!("seed {seed}, at {} ms: {violation}", world.now))?;
    Ok(world.tally)
}

impl<S: Scenario> World<S> {
    fn new(seed: u64, plant: Option<Plant>) -> Self {
        let mut random = Random::new(seed);
        let count = random.between(2, 4);
        let author = |index: u64| Author {
            user: [OWNER, EDITOR][index as usize % 2],
            replica: replica(0x100 + u128::from(index)),
        };
        Self {
            clients: (0..count).map(|index| Client::new(author(index), random.next())).collect(),
            server: Server::new(plant),
            random,
            now: 0,
            stormy: true,
            lines: BTreeMap::new(),
            lines_made: 0,
            made: Vec::new(),
            history: History::default(),
            tally: Tally::default(),
        }
    }

    fn run(&mut self) -> Result<(), Violation> {
        for _ in 0..STORMS {
            self.storm()?;
            self.calm()?;
        }
        Ok(())
    }

    fn storm(&mut self) -> Result<(), Violation> {
        self.stormy = true;
        let ends_at = self.now + STORM_MS;
        while self.now < ends_at {
            self.tick()?;
        }
        Ok(())
    }

    fn calm(&mut self) -> Result<(), Violation> {
        self.stormy = false;
        self.lines.values_mut().for_each(|line| line.end_of_the_storm(self.now));
        let ends_at = self.now + CALM_MS_MAX;
        while !self.is_quiet() {
            if self.now > ends_at {
                return Err(self.why_not_quiet());
            }
            self.tick()?;
        }
        self.check_end()
    }

    fn tick(&mut self) -> Result<(), Violation> {
        self.now += TICK_MS;
        if self.stormy {
            self.strike()?;
            (0..self.clients.len()).for_each(|client| self.let_work(client));
        }
        self.carry()?;
        self.server.advance(self.now, &mut self.random, self.stormy, &mut self.tally)?;
        self.post();
        for index in 0..self.clients.len() {
            self.wake(index);
            self.serve_client(index)?;
        }
        self.check_some()
    }

    /// Faults.
    fn strike(&mut self) -> Result<(), Violation> {
        if self.random.one_in(400) {
            self.tally.restarts += 1;
            self.server.crash(self.now, &mut self.random)?;
            for line in self.lines.values_mut() {
                line.up.lose_all();
                line.down.lose_some(&mut self.random);
                line.down.close(self.now + self.random.below(500));
            }
        }
        for index in 0..self.clients.len() {
            if self.random.one_in(2_000) {
                self.renew(index);
                self.serve_client(index)?;
            }
        }
        for (id, line) in &mut self.lines {
            if self.random.one_in(150) {
                self.tally.cuts += 1;
                match self.random.below(3) {
                    0 => line.cut_for_the_client(self.now, &mut self.random),
                    1 => {
                        self.server.close(*id);
                        line.cut_for_the_server(self.now, &mut self.random);
                    }
                    _ => line.go_dark(self.now, &mut self.random),
                }
            }
        }
        Ok(())
    }

    /// A device goes on under a new id, as one does that is a copy of another.
    fn renew(&mut self, index: usize) {
        self.tally.new_ids += 1;
        self.clients[index].take_new_id(self.now);
    }

    /// Someone may do something.
    fn let_work(&mut self, index: usize) {
        let random = &mut self.random;
        if !random.one_in(30) {
            return;
        }
        if random.one_in(6) {
            return self.let_withdraw(index);
        }
        let client = &mut self.clients[index];
        let copy = client.replica.book(BOOK).expect("the book is open");
        let base = copy.seen().at(Seq(copy.seq().0.saturating_sub(random.below(3))));
        let ops = S::random_ops(random, &copy.view().domain);
        let id = MutationId(Uuid::from_u128(u128::from(random.next())));
        let made_at = UnixMillis(AT.0 + self.now as i64 - random.below(100_000) as i64);
        // The view may say no at once; then nothing was made.
        if let Ok(n) = client.replica.mutate(BOOK, NewMutation { id, made_at, base, ops, undoes: None }) {
            self.tally.mutations += 1;
            self.made.push(Made { client: index, n, id, withdrawn: false });
        }
    }

    /// Someone may take something back that waits.
    fn let_withdraw(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let copy = client.replica.book(BOOK).expect("the book is open");
        let waiting: Vec<MutationId> = copy.pending().map(|pending| pending.mutation.id).collect();
        let Some(id) = waiting.get(self.random.below(waiting.len().max(1) as u64) as usize) else { return };
        if client.replica.withdraw(BOOK, *id).is_some() {
            let made = self.made.iter_mut().find(|made| made.id == *id).expect("someone made it");
            made.withdrawn = true;
        }
    }

    /// Delivers what is due on the lines.
    fn carry(&mut self) -> Result<(), Violation> {
        let ids: Vec<LineId> = self.lines.keys().copied().collect();
        for id in ids {
            let line = self.lines.get_mut(&id).expect("it was there");
            let (ups, downs, client) = (line.up.due(self.now), line.down.due(self.now), line.client);
            for parcel in ups {
                match parcel {
                    Parcel::Text(text) => self.server.handle_text(id, &text, &mut self.tally)?,
                    Parcel::Closed => self.server.close(id),
                }
            }
            for parcel in downs {
                if self.clients[client].line != Some(id) {
                    break;
                }
                match parcel {
                    Parcel::Text(text) => {
                        self.check_word(client, &text)?;
                        self.clients[client].handle_text(self.now, &text)?;
                    }
                    Parcel::Closed => self.clients[client].handle_closed(self.now),
                }
                self.serve_client(client)?;
            }
            let in_use = self.server.has(id) || self.clients[client].line == Some(id) || !self.lines[&id].is_empty();
            if !in_use {
                self.lines.remove(&id);
            }
        }
        Ok(())
    }

    /// Puts on the lines what the server says.
    fn post(&mut self) {
        while let Some((id, text)) = self.server.poll_frame() {
            if let Some(line) = self.lines.get_mut(&id) {
                line.down.send(self.now + self.random.delay(self.stormy), Parcel::Text(text));
            }
        }
    }

    /// Timers, connections and snapshots of a client.
    fn wake(&mut self, index: usize) {
        let client = &mut self.clients[index];
        if client.replica.poll_timeout().is_some_and(|at| at <= Monotonic(self.now)) {
            client.replica.handle_timeout(Monotonic(self.now));
        }
        if client.connects_at.is_some_and(|at| at <= self.now) {
            client.connects_at = None;
            let reached = self.server.is_up(self.now) && !(self.stormy && self.random.one_in(5));
            if reached {
                self.lines_made += 1;
                let id = LineId(self.lines_made);
                self.lines.insert(id, Line::new(index));
                self.server.open(id);
                client.line = Some(id);
                client.replica.handle_opened(Monotonic(self.now));
            } else {
                client.handle_closed(self.now);
            }
        }
        client.fetch_snapshots(self.now, &self.server, &mut self.random, self.stormy, &mut self.tally);
    }

    /// Does what a client asks for.
    fn serve_client(&mut self, index: usize) -> Result<(), Violation> {
        while let Some(wish) = self.clients[index].poll_wish(self.now)? {
            let client = &mut self.clients[index];
            match wish {
                Wish::Send(text) => {
                    let line = client.line.and_then(|id| self.lines.get_mut(&id));
                    if let Some(line) = line {
                        line.up.send(self.now + self.random.delay(self.stormy), Parcel::Text(text));
                    }
                }
                Wish::Disconnect => {
                    if let Some(line) = client.line.and_then(|id| self.lines.get_mut(&id)) {
                        line.cut_for_the_client(self.now, &mut self.random);
                    }
                    client.handle_closed(self.now);
                }
                Wish::NewReplica => self.renew(index),
                Wish::Connect => client.connects_at = Some(self.now + self.random.delay(self.stormy)),
                Wish::FetchSnapshot => client.ask_for_snapshot(self.now + self.random.delay(self.stormy)),
            }
        }
        Ok(())
    }
}
