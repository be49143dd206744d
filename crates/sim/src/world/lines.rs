//! Between devices and the server: frames, connections, and what devices ask for.

use tidebook_book::{BookId, ReplicaId, Snapshot};
use tidebook_ledger::Ledger;
use tidebook_replica::Monotonic;
use uuid::Uuid;

use super::node::shortened;
use super::{Event, World};
use crate::check::{Checked, Invariant};
use crate::client::Wish;
use crate::device::Task;
use crate::fault::Fault;
use crate::line::{DeviceEnd, Frame, Line, LineId, Parcel, Way};
use crate::plant::Plant;
use crate::queue::Ms;

/// After this long a device gives up a line that says nothing, as its driver's pings tell it.
pub(super) const DEVICE_NOTICES_MS: (u64, u64) = (2_000, 30_000);

/// Pushes a device's other tabs may send again.
const PUSHES_KEPT_MAX: usize = 8;

/// A snapshot that could not be had is asked for again after this.
pub(super) const SNAPSHOT_RETRY_MS: u64 = 800;

impl World {
    /// Puts something on a line, to come out after a delay.
    pub(super) fn put(&mut self, id: LineId, way: Way, parcel: Parcel) {
        let due = self.now + self.delay();
        let is_lost = self.weather.rate(Fault::FrameLost) > 0
            && self.lines.contains_key(&id)
            && self.weather.strikes(Fault::FrameLost, &mut self.random);
        if is_lost {
            return self.go_dark(id, way);
        }
        let Some(line) = self.lines.get_mut(&id) else { return };
        if let Some(due) = line.pipe(way).send(due, parcel) {
            self.queue.put(due, Event::Deliver(id, way));
        }
    }

    /// What is put in from now on is lost; each end notices some time later.
    pub(super) fn go_dark(&mut self, id: LineId, way: Way) {
        let name = self.line_name(id);
        self.say(|| format!("{name}: a frame on its way {way:?} is lost, and the line with it"));
        for way in [way, if way == Way::Up { Way::Down } else { Way::Up }] {
            let after = self.random.between(DEVICE_NOTICES_MS.0, DEVICE_NOTICES_MS.1);
            self.close_pipe(id, way, after, None);
        }
    }

    /// That end of the line finds it closed after a while.
    pub(super) fn close_pipe(&mut self, id: LineId, way: Way, after: Ms, code: Option<u16>) {
        let due = self.now + after;
        if way == Way::Up {
            self.plan_not_heard(id, after);
        }
        let Some(line) = self.lines.get_mut(&id) else { return };
        if let Some(due) = line.pipe(way).close(due, code) {
            self.queue.put(due, Event::Deliver(id, way));
        }
    }

    pub(super) fn deliver(&mut self, id: LineId, way: Way) -> Checked {
        while let Some(line) = self.lines.get_mut(&id) {
            let client = &self.clients[line.client];
            let is_reading = line.device_end != DeviceEnd::Replica || client.reads_at <= self.now;
            if way == Way::Down && !is_reading {
                self.queue.put(client.reads_at, Event::Deliver(id, way));
                return Ok(());
            }
            let Some(parcel) = line.pipe(way).take_due(self.now) else { return Ok(()) };
            match way {
                Way::Up => self.deliver_up(id, parcel)?,
                Way::Down => self.deliver_down(id, parcel)?,
            }
            self.forget_if_unused(id);
        }
        Ok(())
    }

    fn deliver_up(&mut self, id: LineId, parcel: Parcel) -> Checked {
        let node = self.lines[&id].node;
        match parcel {
            Parcel::Text(frame) if self.nodes[node].is_up() => {
                let name = self.line_name(id);
                self.say(|| format!("from {name}: {}", shortened(&frame.text)));
                self.nodes[node].server.handle_text(self.now, &self.disk, id, frame.text);
            }
            Parcel::Text(_) => {}
            Parcel::Closed(_) => self.nodes[node].server.handle_closed(self.now, &self.disk, id),
        }
        self.settle()
    }

    fn deliver_down(&mut self, id: LineId, parcel: Parcel) -> Checked {
        let line = &self.lines[&id];
        let (index, node, device_end) = (line.client, line.node, line.device_end);
        if self.nodes[node].is_up() {
            self.nodes[node].server.handle_read(self.now, &self.disk, id);
        }
        if device_end != DeviceEnd::Replica || self.clients[index].line != Some(id) {
            return self.settle();
        }
        match parcel {
            Parcel::Text(Frame { text, told }) => {
                if let Some((book, seqs)) = told {
                    self.checker.books.get_mut(&book).expect("a book of this world").note_acked(&seqs);
                }
                self.clients[index].replica.handle_text(Monotonic(self.now), &text);
                if self.plant() == Some(Plant::RebaseDropsOne) && text.starts_with(r#"{"type":"entries""#) {
                    self.clients[index].drop_one(self.now);
                }
            }
            Parcel::Closed(code) => self.clients[index].handle_closed(self.now, code),
        }
        self.serve(index)?;
        self.settle()
    }

    fn forget_if_unused(&mut self, id: LineId) {
        let Some(line) = self.lines.get(&id) else { return };
        let in_use =
            self.nodes[line.node].server.has(id) || self.clients[line.client].line == Some(id) || !line.is_empty();
        if !in_use {
            self.lines.remove(&id);
        }
    }

    /// Does what a device asks for, and looks at what it has.
    pub(super) fn serve(&mut self, index: usize) -> Checked {
        if !self.clients[index].is_open {
            return Ok(());
        }
        while let Some(wish) = self.clients[index].poll_wish(self.now)? {
            match wish {
                Wish::Send(text) => self.send_up(index, text),
                Wish::Connect => {
                    self.clients[index].attempt += 1;
                    let attempt = self.clients[index].attempt;
                    let after = self.delay();
                    self.at_in(after, Event::Connected { client: index, attempt });
                }
                Wish::NewReplica => self.renew_replica(index)?,
                Wish::Disconnect(reason) => self.disconnect(index, &reason)?,
                Wish::FetchSnapshot(book) => {
                    self.clients[index].snapshots_awaited += 1;
                    let (after, life) = (self.delay(), self.clients[index].life);
                    self.at_in(after, Event::SnapshotAsked { client: index, life, book });
                }
            }
        }
        self.keep(index);
        self.plan_to_wake(index);
        let store_life = self.devices[self.clients[index].device].store_life;
        self.checker.check_device(index, &self.clients[index], store_life)?;
        self.look_sometimes(index)
    }

    /// A server that has lost what a replica numbered leaves it no other way.
    fn renew_replica(&mut self, index: usize) -> Checked {
        let (name, books) = (self.clients[index].name.clone(), self.clients[index].books());
        let was_restored = books.into_iter().any(|book| self.checker.book(book).was_restored());
        // Tabs without their store offer the same, each under an id of its own; and a copy goes on from the same numbers.
        let may_renew = self.devices[self.clients[index].device].may_renew;
        Invariant::Honest.require(was_restored || may_renew, || format!("{name} needs another replica id"))?;
        self.say(|| format!("{name} goes on under another replica id"));
        let fresh = ReplicaId(Uuid::from_u128(self.random.wide()));
        let outworn = self.clients[index].replica.id();
        self.checker.handle_renewed(outworn, fresh, self.clients[index].user);
        match self.clients[index].keeps_in {
            Some(_) => self.begin(index, Task::Renew { outworn, fresh }),
            None => self.clients[index].renew(self.now, fresh),
        }
        Ok(())
    }

    fn send_up(&mut self, index: usize, text: String) {
        // What belongs to a history that is lost no other tab says again: it would ask first where the book is.
        let is_lost = self.has_lost_copy(index);
        let client = &mut self.clients[index];
        let Some(line) = client.line else { return };
        // Until the end, when the server is of that version too.
        let is_newer = client.is_newer && self.quiet_since.is_none();
        let is_push = text.starts_with(r#"{"type":"push""#);
        if is_newer && is_push {
            self.weather.note(Fault::NewerApp);
        }
        let text = if is_newer { as_a_newer_app_says_it(&text) } else { text };
        if is_push && !is_lost {
            client.pushes.push(text.clone());
            let surplus = client.pushes.len().saturating_sub(PUSHES_KEPT_MAX);
            client.pushes.drain(..surplus);
        }
        self.put(line, Way::Up, Parcel::Text(Frame { text, told: None }));
    }

    fn has_lost_copy(&self, index: usize) -> bool {
        let client = &self.clients[index];
        client.books().into_iter().any(|book| {
            let copy = client.copy(book);
            self.checker.book(book).is_lost(copy.seq(), copy.hash())
        })
    }

    /// A replica wants its line closed. An honest server gives few reasons.
    fn disconnect(&mut self, index: usize, reason: &str) -> Checked {
        const NO_ANSWER: &str = "the server did not answer";
        const HONEST: [&str; 4] = [
            NO_ANSWER,
            "the server did not say welcome",
            "the server is restarting",
            "this device goes on under a new replica id",
        ];
        let name = self.clients[index].name.clone();
        Invariant::Honest.require(HONEST.contains(&reason), || format!("{name} disconnects: {reason}"))?;
        if reason == NO_ANSWER {
            Invariant::Liveness.require(self.is_answer_owed(index), || self.told_of_forgotten(index))?;
            if self.plant() == Some(Plant::AnswerNotMissed) {
                return Ok(());
            }
        }
        self.say(|| format!("{name} disconnects: {reason}"));
        self.hang_up(index);
        Ok(())
    }

    fn told_of_forgotten(&self, index: usize) -> String {
        let client = &self.clients[index];
        let books = client.books().into_iter().map(|book| {
            let copy = client.copy(book);
            let (seq, head, waiting) = (copy.seq(), copy.head(), copy.pending().count());
            format!("{} at {seq} of {head}, {waiting} waiting", self.book_name(book))
        });
        format!("the server forgets {}: {}", client.name, books.collect::<Vec<_>>().join("; "))
    }

    /// The answer may well be late: the line is no good, or somebody is still at work.
    fn is_answer_owed(&self, index: usize) -> bool {
        let line = self.clients[index].line.and_then(|id| self.lines.get(&id));
        line.is_none_or(|line| !line.is_sound() || !line.is_empty() || !self.nodes[line.node].is_settled())
    }

    /// The device closes its line; the server hears of it in time.
    pub(super) fn hang_up(&mut self, index: usize) {
        if let Some(line) = self.clients[index].line {
            let after = self.delay();
            self.close_pipe(line, Way::Up, after, None);
            if let Some(line) = self.lines.get_mut(&line) {
                line.down.lose_all();
            }
        }
        self.clients[index].handle_closed(self.now, None);
    }

    fn plan_to_wake(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(Monotonic(at)) = client.replica.poll_timeout() else { return };
        let at = at.max(self.now).max(client.off_until);
        if client.wakes_at.is_none_or(|planned| at < planned) {
            client.wakes_at = Some(at);
            self.queue.put(at, Event::Wake(index));
        }
    }

    pub(super) fn wake(&mut self, index: usize) -> Checked {
        let client = &mut self.clients[index];
        if client.wakes_at != Some(self.now) || client.is_off(self.now) || !client.is_open {
            return Ok(());
        }
        client.wakes_at = None;
        client.replica.handle_timeout(Monotonic(self.now));
        self.serve(index)
    }

    pub(super) fn switch_on(&mut self, index: usize) -> Checked {
        let client = &mut self.clients[index];
        if client.is_off(self.now) {
            return Ok(());
        }
        if !client.is_open {
            return self.start_tab(index);
        }
        let name = client.name.clone();
        // What it waited for as it was switched off it waits for no more, be it an attempt to connect.
        client.wakes_at = None;
        client.attempt += 1;
        // It may have been switched on before, where all healed early.
        self.hang_up(index);
        self.clients[index].replica.connect_now(Monotonic(self.now));
        self.say(|| format!("{name} is on"));
        self.catch_up(index);
        self.serve(index)
    }

    pub(super) fn connect(&mut self, index: usize, attempt: u64) -> Checked {
        let client = &self.clients[index];
        if client.attempt != attempt || client.line.is_some() || client.is_off(self.now) || !client.is_open {
            return Ok(());
        }
        let node = if client.is_offline(self.now) { None } else { self.any_node() };
        match node {
            None => self.clients[index].handle_closed(self.now, None),
            Some(node) => {
                let id = self.open_line(index, node, DeviceEnd::Replica);
                self.clients[index].line = Some(id);
                self.clients[index].replica.handle_opened(Monotonic(self.now));
                let (name, node) = (self.clients[index].name.clone(), node + 1);
                self.say(|| format!("{name} connects to node {node} as line {}", id.0));
            }
        }
        self.serve(index)
    }

    /// A line to a node, which is up.
    pub(super) fn open_line(&mut self, index: usize, node: usize, device_end: DeviceEnd) -> LineId {
        self.lines_made += 1;
        let id = LineId(self.lines_made);
        self.lines.insert(id, Line::new(index, node, device_end));
        self.nodes[node].server.handle_opened(id, self.clients[index].user);
        id
    }

    pub(super) fn ask_for_snapshot(&mut self, index: usize, life: u64, book: BookId) -> Checked {
        let client = &self.clients[index];
        if client.life != life {
            return Ok(());
        }
        let reaches = !client.is_offline(self.now) && !client.is_off(self.now);
        let node = if reaches { self.any_node() } else { None };
        let Some(node) = node else {
            self.at_in(SNAPSHOT_RETRY_MS, Event::SnapshotAsked { client: index, life, book });
            return Ok(());
        };
        let client = &self.clients[index];
        let (user, name, book_name) = (client.user, client.name.clone(), self.book_name(book));
        self.say(|| format!("{name} asks for a snapshot of {book_name}"));
        self.snapshots_asked.push((node, (index, book)));
        self.nodes[node].server.handle_snapshot_call(self.now, &self.disk, index, user, book);
        self.settle()
    }

    /// `None`: it was denied.
    pub(super) fn take_snapshot(&mut self, index: usize, life: u64, book: BookId, text: Option<&str>) -> Checked {
        if self.clients[index].life != life {
            return Ok(());
        }
        let read = |text| serde_json::from_str::<Snapshot<Ledger>>(text).expect("the server writes what reads back");
        let (snapshot, name) = (text.map(read), self.clients[index].name.clone());
        let place = snapshot.as_ref().map(|snapshot| snapshot.seq);
        self.say(|| match place {
            Some(seq) => format!("{name} has a snapshot at {seq}"),
            None => format!("{name} is denied a snapshot"),
        });
        let (now, client) = (Monotonic(self.now), &mut self.clients[index]);
        client.snapshots_awaited -= 1;
        match snapshot {
            Some(snapshot) => client.replica.handle_snapshot(now, snapshot),
            None => client.replica.handle_snapshot_failed(now, book),
        }
        self.serve(index)
    }

    pub(super) fn line_name(&self, id: LineId) -> String {
        let client = self.lines.get(&id).map(|line| self.clients[line.client].name.as_str());
        format!("line {} of {}", id.0, client.unwrap_or("nobody"))
    }

    /// Few of the many occasions, for it takes long.
    fn look_sometimes(&mut self, index: usize) -> Checked {
        const ONE_IN: u64 = 64;
        if !self.looks.one_in(ONE_IN) {
            return Ok(());
        }
        let books = self.clients[index].books();
        let book = *self.looks.pick(&books).unwrap_or(&self.books[0]);
        if books.contains(&book) { self.checker.look_closely(&self.clients[index], book) } else { Ok(()) }
    }
}

/// With fields that nobody knows here, and an op by a name of its own.
fn as_a_newer_app_says_it(text: &str) -> String {
    text.replace(r#"{"op":"update_book","#, r#"{"op":"tint_book","#).replace(r#"{"op":""#, r#"{"tint":"red","op":""#)
}
