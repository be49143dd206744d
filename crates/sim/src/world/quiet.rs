//! The end of a run: faults stop, everything heals, and all must be done within a bound.

use tidebook_book::Role;
use tidebook_protocol::Refusal;

use super::{Event, World};
use crate::check::{Checked, Ending, Invariant};
use crate::line::{LineId, Way};
use crate::queue::Ms;
use crate::server::Server;

/// How long it may take, once all has healed: what a device gives a line without a way up to answer, the longest back-off,
/// and 5 s. No device is told to hurry: nobody knows when it ends that nothing works.
const QUIET_WITHIN_MS: Ms = 35_000;

const LOOK_EVERY_MS: Ms = 100;

impl World {
    pub(super) fn begin_quiet(&mut self) -> Checked {
        self.say(|| "all faults stop".into());
        self.weather.end();
        self.quiet_since = Some(self.now);
        self.full_until = self.now;
        for (number, node) in self.nodes.iter_mut().enumerate() {
            node.server.snapshots_per_mille = 0;
            if node.down_until.is_some() {
                node.down_until = Some(self.now);
                self.queue.put(self.now, Event::NodeUp(number));
            }
        }
        self.heal_lines();
        self.devices.iter_mut().for_each(|device| device.full_until = self.now);
        for index in 0..self.clients.len() {
            self.heal_device(index)?;
        }
        self.at_in(LOOK_EVERY_MS, Event::LookForQuiet);
        Ok(())
    }

    /// Lines that are dead close now, those that stand still go on, and the others stay, even those without a way up: from
    /// them a device must come back by itself.
    fn heal_lines(&mut self) {
        let lines: Vec<LineId> = self.lines.keys().copied().collect();
        for id in lines {
            let line = self.lines.get_mut(&id).expect("it was there");
            for way in [Way::Up, Way::Down] {
                line.pipe(way).hurry(self.now);
                self.queue.put(self.now, Event::Deliver(id, way));
            }
        }
    }

    fn heal_device(&mut self, index: usize) -> Checked {
        let client = &mut self.clients[index];
        (client.offline_until, client.reads_at) = (self.now, self.now);
        if client.is_off(self.now) || !client.is_open {
            client.off_until = self.now;
            self.at_in(0, Event::SwitchOn(index));
        }
        if !self.clients[index].is_open {
            return Ok(());
        }
        self.catch_up(index);
        self.ask_for_books_again(index);
        if self.is_unknown_somewhere(index) {
            // The server that knows it is another program: no line outlives that.
            self.hang_up(index);
        }
        self.serve(index)?;
        self.settle()
    }

    /// Whether the server did not know what a device wrote.
    fn is_unknown_somewhere(&self, index: usize) -> bool {
        let client = &self.clients[index];
        let is_unknown = |book| client.copy(book).held().is_some_and(|held| held.code == Refusal::UnknownOp);
        client.line.is_some() && client.books().into_iter().any(is_unknown)
    }

    /// Who was let in again after a removal hears of it from people, and asks. Whether somebody was.
    fn ask_for_books_again(&mut self, index: usize) -> bool {
        let mut asks = false;
        for book in self.clients[index].books() {
            let user = self.clients[index].user;
            let is_member = self.checker.book(book).role_of(user).is_some();
            // What a server did not know was perhaps on its way when that came to know it.
            let copy = self.clients[index].copy(book);
            let is_unknown = copy.held().is_some_and(|held| held.code == Refusal::UnknownOp);
            if is_member && (copy.is_removed() || is_unknown) {
                self.clients[index].replica.subscribe_again(book);
                asks = true;
            }
        }
        asks
    }

    pub(super) fn look_for_quiet(&mut self) -> Checked {
        let since = self.quiet_since.expect("quiet has begun");
        let unrest = self.unrest();
        if unrest.is_none() {
            self.end_run();
            let (clients, devices) = (&self.clients, &self.devices);
            let servers: Vec<&Server> = self.nodes.iter().map(|node| &node.server).collect();
            let ending = Ending { disk: &self.disk, servers: &servers, clients, devices };
            return self.checker.check_end(ending);
        }
        let in_time = self.now < since + QUIET_WITHIN_MS;
        Invariant::Liveness.require(in_time, || unrest.unwrap_or_default())?;
        for index in 0..self.clients.len() {
            if self.ask_for_books_again(index) {
                self.serve(index)?;
                self.settle()?;
            }
        }
        self.at_in(LOOK_EVERY_MS, Event::LookForQuiet);
        Ok(())
    }

    fn end_run(&mut self) {
        self.is_over = true;
        self.client_ms = self.now * self.devices.len() as u64;
        self.say(|| "all is quiet".into());
    }

    /// What is not done yet, in words.
    fn unrest(&self) -> Option<String> {
        if let Some(node) = self.nodes.iter().position(|node| !node.is_settled()) {
            return Some(format!("node {} is at work", node + 1));
        }
        for (book, log) in self.disk.logs() {
            if let Some(node) = self.nodes.iter().position(|node| node.server.head_of(book) != Some(log.head())) {
                return Some(format!("node {} lacks entries of {}", node + 1, self.book_name(book)));
            }
        }
        if self.calls.values().any(|call| call.is_begun() && !call.is_over()) {
            return Some("a request has no answer".into());
        }
        if let Some(device) = self.devices.iter().find(|device| !device.is_idle() || device.news_until >= self.now) {
            return Some(format!("the store of {} is at work, or tabs have not heard of it", device.name));
        }
        (0..self.clients.len()).find_map(|index| self.unrest_at(index))
    }

    fn unrest_at(&self, index: usize) -> Option<String> {
        let client = &self.clients[index];
        let name = &client.name;
        let line = client.line.and_then(|id| self.lines.get(&id));
        let Some(line) = line else { return Some(format!("{name} has no line")) };
        if !line.is_empty() || client.snapshots_awaited > 0 {
            return Some(format!("{name} has something on its way"));
        }
        if client.screens.len() < client.follows.len() || client.is_keeping {
            return Some(format!("{name} is at work in its store"));
        }
        client.books().into_iter().find_map(|book| {
            let role = self.checker.book(book).role_of(client.user)?;
            let (copy, head) = (client.copy(book), self.head(book));
            // What a book that was put away does not take waits until it may be taken.
            let held = copy.held().map(|held| held.code);
            let may_wait = self.checker.book(book).is_archived() && held == Some(Refusal::Archived);
            let is_done = copy.seq() == head && (role < Role::Editor || copy.is_current() || may_wait);
            if is_done {
                return self.wrong_presence(index, book);
            }
            let (seq, pending, held) = (copy.seq(), copy.pending().count(), copy.held());
            Some(format!("{name}, {role:?}, is at {seq} of {head}, {pending} wait, held: {held:?}"))
        })
    }
}
