//! The server in the world: its effects, its disk, and its deaths.

use tidebook_authority::Batch;
use tidebook_book::{BookId, Seq};

use super::lines::SNAPSHOT_RETRY_MS;
use super::{Event, World};
use crate::check::{Checked, Invariant};
use crate::fault::Fault;
use crate::line::{DeviceEnd, Frame, LineId, Parcel, Way};
use crate::plant::Plant;
use crate::random::Random;
use crate::server::{Effect, Server};

/// A reader that has taken nothing in for this long is closed, as in the shipped server.
const READ_WITHIN_MS: u64 = 10_000;

/// How wrong the server's clock may be when it comes back: it jumps by years, ahead or back.
const CLOCK_AHEAD_MS_MAX: u64 = 10 * 365 * 24 * 3_600_000;

/// Devices come back from a drain within this, as in the shipped server.
const DRAIN_RETRY_AFTER_MS: u64 = 2_000;

impl World {
    /// Does what the server says until it says nothing.
    pub(super) fn settle(&mut self) -> Checked {
        while let Some(effect) = self.server.poll_effect() {
            match effect {
                Effect::Send { line, text } => self.send_down(line, text)?,
                Effect::Close { line, code } => {
                    let after = self.delay();
                    self.close_pipe(line, Way::Down, after, Some(code));
                }
                Effect::Blocked { line, times } => self.at_in(READ_WITHIN_MS, Event::TooSlow { line, times }),
                Effect::Commit { book, batch } => self.begin_commit(book, batch),
                // It serves to start sooner: where there is no room it is left.
                Effect::KeepSnapshot { .. } if self.full_until > self.now => {}
                Effect::KeepSnapshot { book, seq, text } => self.disk.log_mut(book).keep_snapshot(seq, text),
                Effect::Answer { call, answer } => self.answer_leaves(call, answer)?,
                Effect::SnapshotFor { client, book, text } => self.snapshot_leaves(client, book, text)?,
                Effect::SentToSnapshot => self.weather.note(Fault::Snapshot),
            }
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

    fn snapshot_leaves(&mut self, client: usize, book: BookId, text: Option<String>) -> Checked {
        let asked = self.snapshots_asked.iter().position(|asked| *asked == (client, book));
        // Who asked may have ended since.
        let Some(asked) = asked else { return Ok(()) };
        self.snapshots_asked.remove(asked);
        let Some(text) = text else {
            self.clients[client].snapshots_awaited -= 1;
            self.clients[client].was_denied = true;
            return Ok(());
        };
        self.checker.check_snapshot(self.clients[client].user, book, &text)?;
        let after = self.delay();
        let life = self.clients[client].life;
        self.at_in(after, Event::SnapshotArrives { client, life, text });
        Ok(())
    }

    fn begin_commit(&mut self, book: BookId, batch: Batch) {
        let is_slow = self.weather.strikes(Fault::SlowCommit, &mut self.random);
        let takes = if is_slow { self.random.between(200, 3_000) } else { self.random.between(1, 40) };
        self.writing.insert(book, batch);
        let life = self.life;
        self.at_in(takes, Event::Committed { life, book });
    }

    pub(super) fn commit_ends(&mut self, life: u64, book: BookId) -> Checked {
        if life != self.life {
            return Ok(());
        }
        for (fault, is_written) in [
            (Fault::CrashBeforeCommit, false),
            (Fault::CrashAfterCommit, true),
            (Fault::SyncFailed, self.random.one_in(2)),
        ] {
            if self.weather.strikes(fault, &mut self.random) {
                return self.crash(Some((book, is_written)));
            }
        }
        if self.plant() == Some(Plant::CommitUnknown) && self.weather.strikes(Fault::CommitFailed, &mut self.random) {
            self.writing.remove(&book);
            self.server.handle_committed(self.now, &self.disk, book);
            return self.settle();
        }
        let batch = self.writing.remove(&book).expect("it was being written");
        let is_full = self.full_until > self.now;
        if is_full {
            self.weather.note(Fault::DiskFull);
        }
        if is_full || self.weather.strikes(Fault::CommitFailed, &mut self.random) {
            self.say(|| format!("a commit of {} entries fails", batch.entries.len()));
            if self.plant() == Some(Plant::NumbersAlone) {
                self.disk.log_mut(book).write_numbers(&batch.numbers);
            }
            self.server.handle_failed(self.now, &self.disk, book);
        } else {
            self.write(book, batch)?;
            self.server.handle_committed(self.now, &self.disk, book);
        }
        self.settle()
    }

    fn write(&mut self, book: BookId, batch: Batch) -> Checked {
        self.checker.handle_commit(book, &batch)?;
        let (book_name, entries) = (self.book_name(book), &batch.entries);
        for staged in entries {
            let text = String::from_utf8_lossy(&staged.entry.bytes).into_owned();
            self.trace.say(self.now, || format!("{book_name} has {text}"));
        }
        let refused = |fault| Invariant::ExactlyOnce.broken(format!("the store refuses: {fault}"));
        self.disk.log_mut(book).append(batch).map_err(refused)
    }

    /// The server dies. Of each commit that was on its way nobody knows how it ended, unless it is said.
    pub(super) fn crash(&mut self, known: Option<(BookId, bool)>) -> Checked {
        self.say(|| format!("the server dies, {known:?}"));
        for (book, batch) in std::mem::take(&mut self.writing) {
            let said = known.filter(|(known, _)| *known == book).map(|(_, is_written)| is_written);
            if said.unwrap_or_else(|| self.random.one_in(2)) {
                self.write(book, batch)?;
            }
        }
        if self.plant() == Some(Plant::TailLost) {
            self.books.clone().into_iter().for_each(|book| self.disk.log_mut(book).lose_last());
        }
        if self.plant() == Some(Plant::NumberReused) {
            self.books.clone().into_iter().for_each(|book| self.disk.log_mut(book).forget_numbers());
        }
        let lines: Vec<LineId> = self.lines.keys().copied().collect();
        for id in lines {
            let after = self.random.below(1_000);
            let line = self.lines.get_mut(&id).expect("it was there");
            line.up.lose_all();
            line.down.lose_some(&mut self.random);
            self.close_pipe(id, Way::Down, after, None);
        }
        self.go_down();
        Ok(())
    }

    fn go_down(&mut self) {
        self.life += 1;
        self.writing.clear();
        for (client, book) in std::mem::take(&mut self.snapshots_asked) {
            let life = self.clients[client].life;
            self.at_in(SNAPSHOT_RETRY_MS, Event::SnapshotAsked { client, life, book });
        }
        self.server = Server::start(self.settings.clone(), &crate::disk::Disk::default(), Random::new(0));
        let down_ms = self.random.between(100, 8_000);
        self.down_until = Some(self.now + down_ms);
        self.at_in(down_ms, Event::ServerUp);
    }

    pub(super) fn server_up(&mut self) -> Checked {
        if self.down_until.is_none_or(|until| until > self.now) {
            return Ok(());
        }
        self.say(|| "the server is up".into());
        self.checker.check_disk(&self.disk)?;
        self.start_server();
        Ok(())
    }

    pub(super) fn start_server(&mut self) {
        self.down_until = None;
        self.server = Server::start(self.settings.clone(), &self.disk, Random::new(self.random.next()));
        self.server.snapshots_per_mille = self.weather.rate(Fault::Snapshot);
        if self.life > 0 && self.weather.strikes(Fault::ServerClock, &mut self.random) {
            self.clock_ahead_ms = self.random.below(CLOCK_AHEAD_MS_MAX);
        }
        self.server.clock_ahead_ms = self.clock_ahead_ms;
    }

    /// Says that it goes away, and finishes what it has begun.
    pub(super) fn drain(&mut self) -> Checked {
        if self.down_until.is_some() {
            return Ok(());
        }
        self.weather.note(Fault::Drain);
        self.say(|| "the server drains".into());
        self.server.handle_drain(DRAIN_RETRY_AFTER_MS);
        self.settle()?;
        self.at_in(20, Event::ServerStops);
        Ok(())
    }

    /// After a drain, once all that was accepted is on disk.
    pub(super) fn server_stops(&mut self) -> Checked {
        if self.down_until.is_some() {
            return Ok(());
        }
        if !self.server.is_settled() {
            self.at_in(20, Event::ServerStops);
            return Ok(());
        }
        self.say(|| "the server stops".into());
        let lines: Vec<LineId> = self.lines.keys().copied().collect();
        lines.into_iter().for_each(|id| self.close_pipe(id, Way::Down, 0, None));
        self.go_down();
        Ok(())
    }

    pub(super) fn too_slow(&mut self, line: LineId, times: u64) -> Checked {
        if self.server.handle_too_slow(line, times) {
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
