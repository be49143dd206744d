//! One node of the server: the shipped committers and sessions, and between them what the shipped server has as tasks, done
//! at once and in one order.
//!
//! Feed it what came (`handle_*`), then do what [`Server::poll_effect`] says until it says nothing. What is on the disk
//! is passed in to be read; only the world writes there.

mod actor;
mod ask;
mod presence;
mod socket;
mod spoil;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tidebook_authority::{Authority, Batch, Outcome};
use tidebook_book::{Author, BookId, Seq, UnixMillis, UserId};
use tidebook_ledger::Ledger;
use tidebook_protocol::Refusal;

use crate::disk::Disk;
use crate::line::LineId;
use crate::plant::Plant;
use crate::queue::Ms;
use crate::random::Random;
use actor::{Actor, Call, Command, Push, Request, refuse_all};
use presence::Present;
use socket::Socket;

pub(crate) use ask::{Answer, Ask, CallId, What};

/// The server's clock when the run begins.
const BEGINS_AT: i64 = 1_700_000_000_000;

/// A clock that is right.
pub(crate) fn clock(now: Ms) -> UnixMillis {
    UnixMillis(BEGINS_AT + i64::try_from(now).expect("a run is short"))
}

/// Something for the world to do.
#[derive(Debug)]
pub(crate) enum Effect {
    Send {
        line: LineId,
        text: String,
    },
    Close {
        line: LineId,
        code: u16,
    },
    /// The line takes no more; unless it does in time, call `handle_too_slow`.
    Blocked {
        line: LineId,
        times: u64,
    },
    /// Write this, and call `handle_committed` or `handle_failed`.
    Commit {
        book: BookId,
        batch: Batch,
    },
    /// Put this beside the log.
    KeepSnapshot {
        book: BookId,
        seq: Seq,
        text: String,
    },
    Answer {
        call: CallId,
        answer: Answer,
    },
    /// `None`: there is no such book for this person.
    SnapshotFor {
        client: usize,
        book: BookId,
        text: Option<String>,
    },
    /// A replica was sent to a snapshot.
    SentToSnapshot,
    /// A list of who is present was put off: call `handle_presence_due` then.
    PresenceDue {
        line: LineId,
        after: Ms,
    },
}

/// Something to tell, once what it speaks of is on disk.
#[derive(Debug)]
pub(crate) enum Say {
    Pushed { push: Push, outcomes: Vec<Outcome> },
    Answer { asked: Call, answer: Answer },
}

/// What the node was told of how it is to work.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) plant: Option<Plant>,
    /// Entries between two snapshots of a book.
    pub(crate) snapshot_every: u64,
}

#[derive(Debug)]
pub(crate) struct Server {
    settings: Settings,
    actors: BTreeMap<BookId, Actor>,
    sockets: BTreeMap<LineId, Socket>,
    present: BTreeMap<BookId, Present>,
    effects: VecDeque<Effect>,
    /// Books and sockets that may have something to do.
    books_to_run: BTreeSet<BookId>,
    sockets_to_run: BTreeSet<LineId>,
    /// Subscriptions answered with a snapshot, in a thousand.
    pub(crate) snapshots_per_mille: u32,
    /// How wrong its clock is.
    pub(crate) clock_ahead_ms: Ms,
    /// On a clock that nobody sets.
    now: Ms,
    random: Random,
}

impl Say {
    /// The same, where the server could not write.
    fn unavailable(self) -> Self {
        match self {
            Self::Pushed { push, .. } => {
                let detail = "the server could not write; try again";
                let outcomes = refuse_all(&push.mutations, Refusal::Unavailable, detail);
                Self::Pushed { push, outcomes }
            }
            Self::Answer { asked, .. } => Self::Answer { asked, answer: Answer::Unavailable },
        }
    }

    /// What it would have been said to.
    fn into_command(self) -> Command {
        match self {
            Self::Pushed { push, .. } => Command::Push(push),
            Self::Answer { asked, .. } => Command::Call(asked),
        }
    }
}

impl Server {
    /// A server that has just started, with what is on the disk.
    pub(crate) fn start(settings: Settings, disk: &Disk, random: Random) -> Self {
        let load = |(book, log)| (book, Actor::load(book, log, &settings));
        let actors = disk.logs().map(load).collect();
        Self {
            actors,
            settings,
            sockets: BTreeMap::new(),
            present: BTreeMap::new(),
            effects: VecDeque::new(),
            books_to_run: BTreeSet::new(),
            sockets_to_run: BTreeSet::new(),
            snapshots_per_mille: 0,
            clock_ahead_ms: 0,
            now: 0,
            random,
        }
    }

    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub(crate) fn has(&self, line: LineId) -> bool {
        self.sockets.contains_key(&line)
    }

    /// Whether all that was decided is on disk and was told.
    pub(crate) fn is_settled(&self) -> bool {
        self.actors.values().all(Actor::is_settled)
    }

    pub(crate) fn authority_of(&self, book: BookId) -> Option<&Authority<Ledger>> {
        self.actors.get(&book).map(Actor::authority)
    }

    /// How far it knows the log.
    pub(crate) fn head_of(&self, book: BookId) -> Option<Seq> {
        self.actors.get(&book).map(|actor| actor.head().seq)
    }

    pub(crate) fn handle_opened(&mut self, line: LineId, user: UserId) {
        self.sockets.insert(line, Socket::new(user));
    }

    pub(crate) fn handle_closed(&mut self, now: Ms, disk: &Disk, line: LineId) {
        self.remove(line);
        self.run(now, disk);
    }

    pub(crate) fn handle_text(&mut self, now: Ms, disk: &Disk, line: LineId, text: String) {
        if let Some(socket) = self.sockets.get_mut(&line) {
            socket.receive(text);
            self.sockets_to_run.insert(line);
            self.run(now, disk);
        }
    }

    /// The device took a frame in: there is room for another.
    pub(crate) fn handle_read(&mut self, now: Ms, disk: &Disk, line: LineId) {
        if self.sockets.get_mut(&line).is_some_and(Socket::handle_read) {
            self.sockets_to_run.insert(line);
            self.run(now, disk);
        }
    }

    /// The line was blocked for as long as is borne.
    pub(crate) fn handle_too_slow(&mut self, now: Ms, disk: &Disk, line: LineId, times: u64) -> bool {
        let is_over = self.sockets.get(&line).is_some_and(|socket| socket.is_blocked_since(times));
        if is_over {
            self.close(line, tidebook_protocol::close::TOO_SLOW);
            self.run(now, disk);
        }
        is_over
    }

    /// A request over HTTP.
    pub(crate) fn handle_call(&mut self, now: Ms, disk: &Disk, call: CallId, author: Author, ask: Ask) {
        let book = ask.book;
        // Whoever lets themself in holds an invite.
        match ask.is_for_invited() || self.access(author.user, book) {
            true => self.command(book, Command::Call(Call { call, author, ask })),
            false => self.effects.push_back(Effect::Answer { call, answer: Answer::Denied }),
        }
        self.run(now, disk);
    }

    /// A request for a snapshot.
    pub(crate) fn handle_snapshot_call(&mut self, now: Ms, disk: &Disk, client: usize, user: UserId, book: BookId) {
        if self.access(user, book) {
            self.command(book, Command::Request(Request::Snapshot { client, user }));
        } else {
            self.effects.push_back(Effect::SnapshotFor { client, book, text: None });
        }
        self.run(now, disk);
    }

    pub(crate) fn handle_committed(&mut self, now: Ms, disk: &Disk, book: BookId) {
        if let Some(actor) = self.actors.get_mut(&book) {
            let says = actor.handle_committed();
            self.say_all(says);
            self.wake_followers(book);
            self.run(now, disk);
        }
    }

    /// The batch cleanly failed.
    pub(crate) fn handle_failed(&mut self, now: Ms, disk: &Disk, book: BookId) {
        if let Some(actor) = self.actors.get_mut(&book) {
            let withdrawn = actor.handle_failed(&self.settings);
            self.say_all(withdrawn.into_iter().map(Say::unavailable).collect());
            // It could not while this was on its way.
            self.look(disk, book);
            self.books_to_run.insert(book);
            self.run(now, disk);
        }
    }

    /// Another node's batch came first: what was decided is decided again on top of it, and nobody hears of it.
    pub(crate) fn handle_overtaken(&mut self, now: Ms, disk: &Disk, book: BookId) {
        if let (Some(actor), Some(log)) = (self.actors.get_mut(&book), disk.log(book)) {
            actor.handle_overtaken(log, self.settings.plant);
            self.wake_followers(book);
            self.run(now, disk);
        }
    }

    /// Another node has written.
    pub(crate) fn handle_bell(&mut self, now: Ms, disk: &Disk, book: BookId) {
        self.look(disk, book);
        self.run(now, disk);
    }

    /// The server says that it goes away.
    pub(crate) fn handle_drain(&mut self, retry_after_ms: u64) {
        for (line, socket) in &mut self.sockets {
            socket.drain(*line, retry_after_ms, &mut self.effects);
        }
        self.sockets.clear();
        self.present.clear();
    }

    /// Whether this person may have this book.
    fn access(&self, user: UserId, book: BookId) -> bool {
        let actor = self.actors.get(&book);
        let is_open = self.settings.plant == Some(Plant::StrangerServed);
        actor.is_some_and(|actor| is_open || actor.role_of(user).is_some())
    }

    fn command(&mut self, book: BookId, command: Command) {
        self.actors.get_mut(&book).expect("access was given").take(command);
        self.books_to_run.insert(book);
    }

    /// Until nobody has anything to do any more.
    fn run(&mut self, now: Ms, disk: &Disk) {
        self.now = now;
        let now = now + self.clock_ahead_ms;
        loop {
            if let Some(book) = self.books_to_run.pop_first() {
                self.run_actor(now, disk, book);
            } else if let Some(line) = self.sockets_to_run.pop_first() {
                self.run_socket(now, disk, line);
            } else {
                return;
            }
        }
    }

    fn wake_followers(&mut self, book: BookId) {
        let followers = self.sockets.iter().filter(|(_, socket)| socket.follows(book)).map(|(line, _)| *line);
        self.sockets_to_run.extend(followers);
        self.books_to_run.insert(book);
    }

    fn say_all(&mut self, says: Vec<Say>) {
        for say in says {
            match say {
                Say::Answer { asked, answer } => self.effects.push_back(Effect::Answer { call: asked.call, answer }),
                Say::Pushed { push, outcomes } => {
                    if let Some(socket) = self.sockets.get_mut(&push.line) {
                        socket.answer(push.book, push.sent, outcomes);
                        self.sockets_to_run.insert(push.line);
                    }
                }
            }
        }
    }

    fn remove(&mut self, line: LineId) {
        if let Some(mut socket) = self.sockets.remove(&line) {
            self.leave(line, socket.vanish());
        }
    }

    fn close(&mut self, line: LineId, code: u16) {
        self.remove(line);
        self.effects.push_back(Effect::Close { line, code });
    }
}
