//! One socket on the server: the shipped session, and its task: one thing after the other, and nothing while the
//! line is full or a subscription is being looked up.

use std::collections::{BTreeMap, VecDeque};

use tidebook_authority::{Action, Identity, Opened, Outcome, SyncSession};
use tidebook_book::{Author, BookId, EncodedEntry, Epoch, ReplicaId, Seq, UserId};
use tidebook_protocol::{RawMutation, Refusal, Subscribe};

use super::actor::{Command, Push, Request, refuse_all};
use super::presence::Told;
use super::{Effect, Server, clock, spoil};
use crate::disk::Disk;
use crate::line::LineId;
use crate::plant::Plant;
use crate::queue::Ms;

/// Frames a line takes before its reader has to take one in: what the buffers of a connection hold, and little enough
/// that a slow reader is noticed in a short run.
const WINDOW_FRAMES: usize = 6;

/// Pushes of one socket that may wait for their commit, as in the shipped server. While there are more, it is not read.
const PUSHES_WAITING_MAX: usize = 32;

/// Who is further behind is sent to a snapshot by the session.
const FAR_BEHIND_ENTRIES: u64 = 20_000;

/// Entries read at a time, so that catching up takes several frames in a short run.
const READ_ENTRIES_MAX: usize = 16;

#[derive(Debug)]
pub(super) struct Socket {
    user: UserId,
    session: SyncSession,
    inbox: VecDeque<String>,
    answers: VecDeque<(BookId, Seq, Vec<Outcome>)>,
    pushes_waiting: usize,
    books: BTreeMap<BookId, Followed>,
    is_opening: bool,
    frames_in_flight: usize,
    is_blocked: bool,
    times_blocked: u64,
}

/// What was last told of a followed book.
#[derive(Debug)]
struct Followed {
    people: u64,
    presence: Told,
    /// As whom this socket is present there itself.
    present_as: Option<Author>,
}

impl Socket {
    pub(super) fn new(user: UserId) -> Self {
        Self {
            user,
            session: SyncSession::new(Some(Identity { user, name: "someone".into() })),
            inbox: VecDeque::new(),
            answers: VecDeque::new(),
            pushes_waiting: 0,
            books: BTreeMap::new(),
            is_opening: false,
            frames_in_flight: 0,
            is_blocked: false,
            times_blocked: 0,
        }
    }

    pub(super) fn receive(&mut self, text: String) {
        self.inbox.push_back(text);
    }

    /// What became of a push that came when entries up to `sent` had been sent.
    pub(super) fn answer(&mut self, book: BookId, sent: Seq, outcomes: Vec<Outcome>) {
        self.answers.push_back((book, sent, outcomes));
    }

    /// Whether that ends a wait.
    pub(super) fn handle_read(&mut self) -> bool {
        self.frames_in_flight = self.frames_in_flight.saturating_sub(1);
        std::mem::take(&mut self.is_blocked)
    }

    pub(super) fn follows(&self, book: BookId) -> bool {
        self.books.contains_key(&book)
    }

    /// Its person is in the book, where it follows that.
    pub(super) fn enter(&mut self, book: BookId) -> Option<Author> {
        let author = self.session.author()?;
        self.books.get_mut(&book)?.present_as = Some(author);
        Some(author)
    }

    /// It speaks for nobody any more. Where it did.
    pub(super) fn vanish(&mut self) -> Vec<(BookId, Author)> {
        let present = self.books.iter_mut().map(|(book, followed)| Some((*book, followed.present_as.take()?)));
        present.flatten().collect()
    }

    pub(super) fn told_of_presence(&mut self) -> impl Iterator<Item = (BookId, &mut Told)> {
        self.books.iter_mut().map(|(book, followed)| (*book, &mut followed.presence))
    }

    /// One more is on its way.
    pub(super) fn count_frame(&mut self) {
        self.frames_in_flight += 1;
    }

    pub(super) fn is_blocked_since(&self, times: u64) -> bool {
        self.is_blocked && self.times_blocked == times
    }

    /// The server goes away: says so and closes, without waiting for room.
    pub(super) fn drain(&mut self, line: LineId, retry_after_ms: u64, effects: &mut VecDeque<Effect>) {
        self.session.handle_drain(retry_after_ms);
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Send(frame) => effects.push_back(Effect::Send { line, text: text_of(frame) }),
                Action::Close { code, .. } => effects.push_back(Effect::Close { line, code }),
                _ => {}
            }
        }
    }

    /// What comes next: answers to pushes before what is new to read, as in the shipped server.
    fn next_turn(&mut self) -> Option<Turn> {
        if let Some((book, sent, outcomes)) = self.answers.pop_front() {
            self.pushes_waiting -= 1;
            return Some(Turn::Pushed(book, sent, outcomes));
        }
        let may_read = self.pushes_waiting < PUSHES_WAITING_MAX;
        if may_read { self.inbox.pop_front().map(Turn::Incoming) } else { None }
    }
}

enum Turn {
    Incoming(String),
    Pushed(BookId, Seq, Vec<Outcome>),
}

/// Whether the task goes on at once.
#[derive(PartialEq)]
enum Next {
    GoOn,
    /// There was nothing to do.
    Nothing,
    /// Something has to come first, or the socket is closed.
    Wait,
}

impl Server {
    /// Until the socket waits for something.
    pub(super) fn run_socket(&mut self, now: Ms, disk: &Disk, line: LineId) {
        loop {
            match self.act(disk, line) {
                Next::Wait => return,
                Next::GoOn => continue,
                Next::Nothing => {}
            }
            if self.is_blocked(line) {
                return;
            }
            if self.send_entries(disk, line) == Next::GoOn || self.send_presence(line) {
                continue;
            }
            let Some(socket) = self.sockets.get_mut(&line) else { return };
            match socket.next_turn() {
                None => return,
                Some(Turn::Incoming(text)) => socket.session.handle_text(clock(now), &text),
                Some(Turn::Pushed(book, sent, outcomes)) => socket.session.handle_pushed(book, sent, outcomes),
            }
        }
    }

    /// Whether the reader has to take something in first.
    fn is_blocked(&mut self, line: LineId) -> bool {
        let Some(socket) = self.sockets.get_mut(&line) else { return true };
        let is_full = socket.frames_in_flight >= WINDOW_FRAMES;
        if is_full && !socket.is_blocked {
            (socket.is_blocked, socket.times_blocked) = (true, socket.times_blocked + 1);
            self.effects.push_back(Effect::Blocked { line, times: socket.times_blocked });
        }
        is_full
    }

    /// Does one thing that the session asks for. What it has to say of one turn counts as sent at once.
    fn act(&mut self, disk: &Disk, line: LineId) -> Next {
        let Some(socket) = self.sockets.get_mut(&line) else { return Next::Wait };
        if socket.is_opening {
            return Next::Wait;
        }
        let Some(action) = socket.session.poll_action() else { return Next::Nothing };
        match action {
            Action::Send(frame) => {
                socket.frames_in_flight += 1;
                self.effects.push_back(Effect::Send { line, text: text_of(frame) });
            }
            Action::Authenticate { .. } => unreachable!("the handshake has told who it is"),
            Action::Open(subscribe) => self.ask_to_open(line, subscribe),
            Action::Forget(book) => self.forget(line, book),
            Action::Push { book, author, epoch, mutations } => self.push(line, book, author, epoch, mutations),
            Action::ReadFates { book, seqs } => self.read_fates(disk, line, book, &seqs),
            Action::Presence(said) => self.say_presence(line, said),
            Action::Close { code, .. } => self.close(line, code),
        }
        Next::GoOn
    }

    fn forget(&mut self, line: LineId, book: BookId) {
        let Some(socket) = self.sockets.get_mut(&line) else { return };
        let present = socket.books.remove(&book).and_then(|followed| followed.present_as);
        self.leave(line, present.map(|author| (book, author)));
    }

    fn ask_to_open(&mut self, line: LineId, subscribe: Subscribe) {
        self.forget(line, subscribe.book);
        let Some(socket) = self.sockets.get(&line) else { return };
        let (book, user) = (subscribe.book, socket.user);
        let replica = socket.session.author().map(|author| author.replica);
        let may = replica.filter(|_| self.access(user, book));
        let Some(socket) = self.sockets.get_mut(&line) else { return };
        match may {
            None => socket.session.handle_opened(&subscribe, None),
            Some(replica) => {
                socket.is_opening = true;
                self.command(book, Command::Request(Request::Open { line, user, replica, subscribe }));
            }
        }
    }

    /// At a moment when all that was decided is on disk.
    pub(super) fn open(&mut self, disk: &Disk, line: LineId, user: UserId, replica: ReplicaId, subscribe: &Subscribe) {
        let (book, plant) = (subscribe.book, self.settings.plant);
        let sends_to_snapshot = self.random.per_mille(self.snapshots_per_mille);
        let (Some(actor), Some(log)) = (self.actors.get(&book), disk.log(book)) else { return };
        let Some(socket) = self.sockets.get_mut(&line) else { return };
        socket.is_opening = false;
        self.sockets_to_run.insert(line);
        // They may have been removed while this waited.
        let Some(role) = actor.role_of(user).or(spoil::role_of_stranger(plant)) else {
            return socket.session.handle_opened(subscribe, None);
        };
        let mut subscribe = subscribe.clone();
        let mut hash_there = log.hash_at(subscribe.after);
        let common = subscribe.epoch.filter(|named| *named != actor.epoch()).and_then(|named| log.common_with(named));
        let (epoch, mut head, accepted) = (actor.epoch(), actor.head(), actor.last_number(replica));
        if sends_to_snapshot {
            // The log is said to be so much longer than it is that the replica is too far behind.
            head.seq = Seq(head.seq.0 + FAR_BEHIND_ENTRIES);
            self.effects.push_back(Effect::SentToSnapshot);
        }
        spoil::cursor(plant, head.seq, &mut subscribe, &mut hash_there, log);
        let opened = Opened { epoch, role, head, accepted, people: log.people(), hash_there, common };
        socket.session.handle_opened(&subscribe, Some(opened));
        if socket.session.cursor(book).is_none() {
            return;
        }
        socket
            .books
            .insert(book, Followed { people: actor.people_changes(), presence: Told::default(), present_as: None });
        let from = subscribe.pending_from.filter(|_| subscribe.after > Seq::ZERO && plant != Some(Plant::FateLost));
        if let Some(from) = from {
            socket.session.handle_fates(book, &log.fates(replica, from, subscribe.after));
        }
    }

    fn push(&mut self, line: LineId, book: BookId, author: Author, epoch: Epoch, mutations: Vec<RawMutation>) {
        let may = self.access(author.user, book);
        let Some(socket) = self.sockets.get_mut(&line) else { return };
        if !may {
            let refused = refuse_all(&mutations, Refusal::NotAMember, "there is no such book for you");
            return socket.session.handle_pushed(book, Seq::ZERO, refused);
        }
        let sent = socket.session.cursor(book).unwrap_or(Seq::ZERO);
        socket.pushes_waiting += 1;
        self.command(book, Command::Push(Push { line, book, author, epoch, sent, mutations }));
    }

    fn read_fates(&mut self, disk: &Disk, line: LineId, book: BookId, seqs: &[Seq]) {
        let Some(log) = disk.log(book) else { return };
        let Some(socket) = self.sockets.get(&line) else { return };
        // They may have been removed since the push came.
        let may = self.access(socket.user, book) && self.settings.plant != Some(Plant::FateLost);
        let entries: Vec<EncodedEntry> = seqs.iter().filter_map(|seq| log.entry(*seq).cloned()).collect();
        if let Some(socket) = self.sockets.get_mut(&line).filter(|_| may) {
            socket.session.handle_fates(book, &entries);
        }
    }

    /// Hands the session entries of one book that it lacks.
    fn send_entries(&mut self, disk: &Disk, line: LineId) -> Next {
        let Some(socket) = self.sockets.get(&line) else { return Next::Nothing };
        let books: Vec<BookId> = socket.books.keys().copied().collect();
        for book in books {
            if self.look_at_people(disk, line, book) == Next::GoOn
                || self.send_entries_of(disk, line, book) == Next::GoOn
            {
                return Next::GoOn;
            }
        }
        Next::Nothing
    }

    /// Tells of changes of who is in a book. Who is not any more gets nothing of it from here on.
    fn look_at_people(&mut self, disk: &Disk, line: LineId, book: BookId) -> Next {
        self.look_who_may_be_present(book);
        let (Some(actor), Some(log)) = (self.actors.get(&book), disk.log(book)) else { return Next::Nothing };
        let Some(socket) = self.sockets.get_mut(&line) else { return Next::Nothing };
        let Some(told) = socket.books.get_mut(&book).filter(|told| told.people != actor.people_changes()) else {
            return Next::Nothing;
        };
        told.people = actor.people_changes();
        if self.settings.plant != Some(Plant::RemovalUnseen) {
            match actor.role_of(socket.user) {
                None => socket.session.handle_removed(book),
                Some(_) => socket.session.handle_people(book, log.people()),
            }
        }
        Next::GoOn
    }

    fn send_entries_of(&mut self, disk: &Disk, line: LineId, book: BookId) -> Next {
        let (Some(actor), Some(log)) = (self.actors.get(&book), disk.log(book)) else { return Next::Nothing };
        let Some(socket) = self.sockets.get_mut(&line) else { return Next::Nothing };
        let Some(cursor) = socket.session.cursor(book).filter(|cursor| *cursor < actor.head().seq) else {
            return Next::Nothing;
        };
        // What another node wrote may be there already, and is not known here.
        let on_disk = log.after(cursor).iter().take_while(|entry| entry.seq <= actor.head().seq);
        let told_early = actor.told_early().iter().filter(|entry| entry.seq > cursor);
        let entries: Vec<EncodedEntry> = on_disk.chain(told_early).take(READ_ENTRIES_MAX).cloned().collect();
        let entries = spoil::entries(self.settings.plant, entries, book, disk, &mut self.random);
        if entries.is_empty() {
            return Next::Nothing;
        }
        socket.session.handle_entries(book, &entries);
        Next::GoOn
    }
}

fn text_of(frame: Vec<u8>) -> String {
    String::from_utf8(frame).expect("frames are text")
}
