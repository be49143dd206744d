//! The server in the world: its nodes, their effects, their disk, and their deaths.

use std::collections::BTreeMap;

use tidebook_authority::Batch;
use tidebook_book::{BookId, Seq};

use super::lines::SNAPSHOT_RETRY_MS;
use super::{Event, World};
use crate::check::{Checked, Invariant};
use crate::disk::{BookLog, Disk};
use crate::fault::Fault;
use crate::line::{DeviceEnd, Frame, LineId, Parcel, Way};
use crate::plant::Plant;
use crate::queue::Ms;
use crate::random::Random;
use crate::server::{Effect, Server, Settings};

/// A reader that has taken nothing in for this long is closed, as in the shipped server.
const READ_WITHIN_MS: u64 = 10_000;

/// How wrong the server's clock may be when it comes back: it jumps by years, ahead or back.
const CLOCK_AHEAD_MS_MAX: u64 = 10 * 365 * 24 * 3_600_000;

/// Devices come back from a drain within this, as in the shipped server.
const DRAIN_RETRY_AFTER_MS: u64 = 2_000;

/// Before that no book is put away.
const ARCHIVED_AFTER_MS: Ms = 20 * 60_000;

/// A node looks at the log this often at least, whether or not it is told to.
pub(super) const LOOKS_EVERY_MS: Ms = 2_000;

/// A commit takes no longer. While its own is on its way a node does not look.
const COMMIT_MS_MAX: Ms = 3_000;

/// So long a node may not know yet what another has written.
pub(super) const UNHEARD_MS_MAX: Ms = LOOKS_EVERY_MS + COMMIT_MS_MAX;

/// One process of the server.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) server: Server,
    /// None while it is up.
    pub(super) down_until: Option<Ms>,
    /// Counts its starts.
    life: u64,
    clock_ahead_ms: Ms,
    /// Batches on their way to the disk.
    writing: BTreeMap<BookId, Batch>,
}

impl Node {
    /// One that is still to be started.
    pub(super) fn new(settings: Settings) -> Self {
        let server = Server::start(settings, &Disk::default(), Random::new(0));
        Self { server, down_until: Some(0), life: 0, clock_ahead_ms: 0, writing: BTreeMap::new() }
    }

    pub(super) fn is_up(&self) -> bool {
        self.down_until.is_none()
    }

    /// It is up, and all that was decided is on disk and was told.
    pub(super) fn is_settled(&self) -> bool {
        self.is_up() && self.writing.is_empty() && self.server.is_settled()
    }
}

impl World {
    /// A node that is up.
    pub(super) fn any_node(&mut self) -> Option<usize> {
        let up: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_up()).collect();
        if up.len() > 1 { self.random.pick(&up).copied() } else { up.first().copied() }
    }

    /// Does what the server says until it says nothing.
    pub(super) fn settle(&mut self) -> Checked {
        for node in 0..self.nodes.len() {
            while let Some(effect) = self.nodes[node].server.poll_effect() {
                self.do_effect(node, effect)?;
            }
        }
        Ok(())
    }

    fn do_effect(&mut self, node: usize, effect: Effect) -> Checked {
        match effect {
            Effect::Send { line, text } => self.send_down(line, text)?,
            Effect::Close { line, code } => {
                let after = self.delay();
                self.close_pipe(line, Way::Down, after, Some(code));
            }
            Effect::Blocked { line, times } => self.at_in(READ_WITHIN_MS, Event::TooSlow { line, times }),
            Effect::Commit { book, batch } => self.begin_commit(node, book, batch),
            // It serves to start sooner: where there is no room it is left.
            Effect::KeepSnapshot { .. } if self.full_until > self.now => {}
            Effect::KeepSnapshot { book, seq, text } => self.disk.log_mut(book).keep_snapshot(seq, text),
            Effect::Answer { call, answer } => self.answer_leaves(call, answer)?,
            Effect::SnapshotFor { client, book, text } => self.snapshot_leaves(node, client, book, text)?,
            Effect::PresenceDue { line, after } => self.at_in(after, Event::PresenceDue(line)),
            Effect::SentToSnapshot => self.weather.note(Fault::Snapshot),
        }
        Ok(())
    }

    fn send_down(&mut self, id: LineId, text: String) -> Checked {
        let Some(line) = self.lines.get(&id) else { return Ok(()) };
        let author = self.clients[line.client].author();
        let told = match line.device_end {
            DeviceEnd::Liar => self.checker.check_sent_to_liar(author.user, &text)?,
            _ => self.checker.check_sent(author.user, author.replica, &text)?,
        };
        let name = self.line_name(id);
        self.say(|| format!("to {name}: {}", shortened(&text)));
        self.put(id, Way::Down, Parcel::Text(Frame { text, told }));
        Ok(())
    }

    fn snapshot_leaves(&mut self, node: usize, client: usize, book: BookId, text: Option<String>) -> Checked {
        let asked = self.snapshots_asked.iter().position(|asked| *asked == (node, (client, book)));
        // Who asked may have ended since.
        let Some(asked) = asked else { return Ok(()) };
        self.snapshots_asked.remove(asked);
        if let Some(text) = &text {
            self.checker.check_snapshot(self.clients[client].user, book, text)?;
        }
        let after = self.delay();
        let life = self.clients[client].life;
        self.at_in(after, Event::SnapshotArrives { client, life, book, text });
        Ok(())
    }

    fn begin_commit(&mut self, node: usize, book: BookId, batch: Batch) {
        let is_slow = self.weather.strikes(Fault::SlowCommit, &mut self.random);
        // Where several nodes write, the log may be further away.
        let usual = if self.nodes.len() > 1 { 120 } else { 40 };
        let takes = if is_slow { self.random.between(200, COMMIT_MS_MAX) } else { self.random.between(1, usual) };
        self.nodes[node].writing.insert(book, batch);
        let life = self.nodes[node].life;
        self.at_in(takes, Event::Committed { node, life, book });
    }

    pub(super) fn commit_ends(&mut self, node: usize, life: u64, book: BookId) -> Checked {
        if life != self.nodes[node].life {
            return Ok(());
        }
        for (fault, is_written) in [
            (Fault::CrashBeforeCommit, false),
            (Fault::CrashAfterCommit, true),
            (Fault::SyncFailed, self.random.one_in(2)),
        ] {
            if self.weather.strikes(fault, &mut self.random) {
                return self.crash(node, Some((book, is_written)));
            }
        }
        let batch = self.nodes[node].writing.remove(&book).expect("it was being written");
        let log = self.disk.log(book).expect("a book of this world");
        let is_overtaken = log.is_ahead_of(&batch);
        let server = &mut self.nodes[node].server;
        if self.settings.plant == Some(Plant::CommitUnknown)
            && self.weather.strikes(Fault::CommitFailed, &mut self.random)
        {
            server.handle_committed(self.now, &self.disk, book);
            return self.settle();
        }
        let is_full = self.full_until > self.now;
        if is_full {
            self.weather.note(Fault::DiskFull);
        }
        if is_full || self.weather.strikes(Fault::CommitFailed, &mut self.random) {
            self.trace.say(self.now, || format!("a commit of {} entries fails", batch.entries.len()));
            if self.settings.plant == Some(Plant::NumbersAlone) {
                self.disk.log_mut(book).write_numbers(&batch.numbers);
            }
            server.handle_failed(self.now, &self.disk, book);
        } else if is_overtaken {
            self.trace.say(self.now, || format!("a commit of node {} comes too late", node + 1));
            self.weather.note(Fault::Overtaken);
            server.handle_overtaken(self.now, &self.disk, book);
        } else {
            self.write(node, book, batch)?;
            self.nodes[node].server.handle_committed(self.now, &self.disk, book);
        }
        self.settle()
    }

    /// The log takes it, and the other nodes are told to look.
    fn write(&mut self, node: usize, book: BookId, batch: Batch) -> Checked {
        self.checker.handle_commit(book, &batch)?;
        let (book_name, entries) = (self.book_name(book), &batch.entries);
        for staged in entries {
            let text = String::from_utf8_lossy(&staged.entry.bytes).into_owned();
            self.trace.say(self.now, || format!("{book_name} has {text}"));
        }
        let refused = |fault| Invariant::ExactlyOnce.broken(format!("the store refuses: {fault}"));
        self.disk.log_mut(book).append(batch).map_err(refused)?;
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            let is_lost = self.weather.strikes(Fault::BellLost, &mut self.random);
            let after = if is_lost { LOOKS_EVERY_MS } else { self.random.between(1, 1_500) };
            self.at_in(after, Event::BellRings { node: other, book });
        }
        Ok(())
    }

    pub(super) fn ring(&mut self, node: usize, book: BookId) -> Checked {
        if self.nodes[node].is_up() {
            self.nodes[node].server.handle_bell(self.now, &self.disk, book);
            let head = self.disk.log(book).map(BookLog::head);
            if self.nodes[node].server.head_of(book) != head {
                // It has something of its own on its way.
                self.at_in(LOOKS_EVERY_MS, Event::BellRings { node, book });
            }
        }
        self.settle()
    }

    /// A node dies. Of each commit that was on its way nobody knows how it ended, unless it is said.
    pub(super) fn crash(&mut self, node: usize, known: Option<(BookId, bool)>) -> Checked {
        self.say(|| format!("node {} dies, {known:?}", node + 1));
        for (book, batch) in std::mem::take(&mut self.nodes[node].writing) {
            let said = known.filter(|(known, _)| *known == book).map(|(_, is_written)| is_written);
            let is_written = said.unwrap_or_else(|| self.random.one_in(2));
            if is_written && !self.disk.log(book).is_some_and(|log| log.is_ahead_of(&batch)) {
                self.write(node, book, batch)?;
            }
        }
        if self.plant() == Some(Plant::TailLost) {
            self.books.clone().into_iter().for_each(|book| self.disk.log_mut(book).lose_last());
        }
        if self.plant() == Some(Plant::NumberReused) {
            self.books.clone().into_iter().for_each(|book| self.disk.log_mut(book).forget_numbers());
        }
        for id in self.lines_of(node) {
            let after = self.random.below(1_000);
            let line = self.lines.get_mut(&id).expect("it was there");
            line.up.lose_all();
            line.down.lose_some(&mut self.random);
            self.close_pipe(id, Way::Down, after, None);
        }
        self.go_down(node);
        Ok(())
    }

    fn lines_of(&self, node: usize) -> Vec<LineId> {
        self.lines.iter().filter(|(_, line)| line.node == node).map(|(id, _)| *id).collect()
    }

    fn go_down(&mut self, node: usize) {
        let asked = self.snapshots_asked.extract_if(.., |(of, _)| *of == node);
        for (_, (client, book)) in asked.collect::<Vec<_>>() {
            let life = self.clients[client].life;
            self.at_in(SNAPSHOT_RETRY_MS, Event::SnapshotAsked { client, life, book });
        }
        let down_ms = self.random.between(100, 8_000);
        let Node { life, clock_ahead_ms, .. } = self.nodes[node];
        self.nodes[node] = Node {
            life: life + 1,
            clock_ahead_ms,
            down_until: Some(self.now + down_ms),
            ..Node::new(self.settings.clone())
        };
        self.at_in(down_ms, Event::NodeUp(node));
    }

    pub(super) fn node_up(&mut self, node: usize) -> Checked {
        if self.nodes[node].down_until.is_none_or(|until| until > self.now) {
            return Ok(());
        }
        self.say(|| format!("node {} is up", node + 1));
        self.checker.check_disk(&self.disk)?;
        self.start_node(node);
        Ok(())
    }

    pub(super) fn start_node(&mut self, number: usize) {
        let mut server = Server::start(self.settings.clone(), &self.disk, Random::new(self.random.next()));
        server.snapshots_per_mille = self.weather.rate(Fault::Snapshot);
        let node = &mut self.nodes[number];
        if node.life > 0 && self.weather.strikes(Fault::ServerClock, &mut self.random) {
            node.clock_ahead_ms = self.random.below(CLOCK_AHEAD_MS_MAX);
        }
        server.clock_ahead_ms = node.clock_ahead_ms;
        (node.server, node.down_until) = (server, None);
    }

    /// A book is put away, late in the run, for nothing happens there then; the nodes find it at their next look.
    pub(super) fn archive(&mut self) -> Checked {
        let book = self.any_book();
        if self.now < ARCHIVED_AFTER_MS || self.checker.book(book).is_archived() || self.full_until > self.now {
            return Ok(());
        }
        self.weather.note(Fault::Archived);
        let name = self.book_name(book);
        self.say(|| format!("{name} is archived"));
        self.disk.log_mut(book).is_archived = true;
        self.checker.archive(book);
        (0..self.nodes.len()).try_for_each(|node| self.ring(node, book))
    }

    /// A node says that it goes away, and finishes what it has begun.
    pub(super) fn drain(&mut self) -> Checked {
        let Some(node) = self.any_node() else { return Ok(()) };
        self.weather.note(Fault::Drain);
        self.say(|| format!("node {} drains", node + 1));
        self.nodes[node].server.handle_drain(DRAIN_RETRY_AFTER_MS);
        self.settle()?;
        self.at_in(20, Event::NodeStops(node));
        Ok(())
    }

    /// After a drain, once all that was accepted is on disk.
    pub(super) fn node_stops(&mut self, node: usize) -> Checked {
        if !self.nodes[node].is_up() {
            return Ok(());
        }
        if !self.nodes[node].server.is_settled() {
            self.at_in(20, Event::NodeStops(node));
            return Ok(());
        }
        self.say(|| format!("node {} stops", node + 1));
        self.lines_of(node).into_iter().for_each(|id| self.close_pipe(id, Way::Down, 0, None));
        self.go_down(node);
        Ok(())
    }

    pub(super) fn too_slow(&mut self, line: LineId, times: u64) -> Checked {
        let node = self.lines.get(&line).map(|line| line.node);
        if node.is_some_and(|node| self.nodes[node].server.handle_too_slow(self.now, &self.disk, line, times)) {
            let name = self.line_name(line);
            self.say(|| format!("{name} is too slow"));
        }
        self.settle()
    }

    pub(super) fn book_name(&self, book: BookId) -> String {
        let number = self.books.iter().position(|other| *other == book);
        format!("book {}", number.map_or(0, |number| number + 1))
    }

    pub(super) fn head(&self, book: BookId) -> Seq {
        self.checker.book(book).head()
    }
}

/// As the story has it: ids without what all of them begin with, and not all of it.
pub(super) fn shortened(text: &str) -> String {
    const CHARS_MAX: usize = 240;
    let text = text.replace("00000000-0000-0000-0000-0000", "");
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(CHARS_MAX).collect();
    if chars.next().is_some() { format!("{start} …") } else { start }
}
