//! One book's server: the shipped committer and sessions over a log in memory, and between them what the shipped server has
//! as tasks, done at once and in one order. When the disk has something, and when that is told, is for the world to say.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tidebook_authority::{Action, Authority, Batch, Committer, Head, Identity, Opened, Outcome, SyncSession};
use tidebook_book::{Author, BookId, Domain, EncodedEntry, Epoch, Person, Seq, Snapshot, UnixMillis, UserId};
use tidebook_protocol::{RawMutation, Subscribe};
use uuid::Uuid;

use crate::log::Log;

pub(super) const BOOK: BookId = BookId(Uuid::from_u128(0xb00c));

/// A line, and the tab at its other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LineId {
    pub(super) tab: usize,
    pub(super) number: u64,
}

/// Something for the world to do.
#[derive(Debug)]
pub(super) enum Effect {
    Send(LineId, String),
    Close(LineId, u16),
    /// Call `append`, and then `handle_committed`.
    Write,
    /// For this run of a tab's program.
    Snapshot((usize, u64), String),
}

/// What is asked of the book. What is read waits until all that was decided is on disk.
#[derive(Debug)]
enum Asked {
    Push { line: LineId, author: Author, epoch: Epoch, sent: Seq, mutations: Vec<RawMutation> },
    Open(LineId, Subscribe),
    Snapshot((usize, u64)),
}

/// What became of a push that came when entries up to `sent` had been sent.
#[derive(Debug)]
struct Pushed {
    line: LineId,
    sent: Seq,
    outcomes: Vec<Outcome>,
}

#[derive(Debug)]
pub(super) struct Server<S: Domain> {
    pub(super) log: Log,
    pub(super) epoch: Epoch,
    /// Epochs it had before, with the seqs they ended at.
    former: Vec<(Epoch, Seq)>,
    committer: Committer<S, Pushed>,
    head: Head,
    /// On its way to the disk.
    writing: Option<Batch>,
    lines: BTreeMap<LineId, SyncSession>,
    to_run: BTreeSet<LineId>,
    asked: VecDeque<Asked>,
    effects: VecDeque<Effect>,
    /// The last one made; it serves until something changes.
    snapshot: Option<(Seq, String)>,
    pub(super) clock: UnixMillis,
}

impl<S: Domain> Server<S> {
    /// One that has just started, with what is on disk.
    pub(super) fn start(log: Log, epoch: Epoch, former: Vec<(Epoch, Seq)>) -> Self {
        let authority: Authority<S> = log.authority(epoch);
        let head = Head { seq: log.head(), hash: log.hash_at(log.head()).expect("the log has its head") };
        Self {
            log,
            epoch,
            former,
            committer: Committer::new(authority),
            head,
            writing: None,
            lines: BTreeMap::new(),
            to_run: BTreeSet::new(),
            asked: VecDeque::new(),
            effects: VecDeque::new(),
            snapshot: None,
            clock: UnixMillis(0),
        }
    }

    /// All that is only in memory is gone.
    pub(super) fn restart(&mut self) {
        let (log, former) = (std::mem::take(&mut self.log), std::mem::take(&mut self.former));
        *self = Self { clock: self.clock, ..Self::start(log, self.epoch, former) };
    }

    /// The disk is as it was when the log ended here. Where that is declared, another history begins.
    pub(super) fn restore(&mut self, until: Seq, declared: Option<Epoch>) {
        while self.log.head() > until {
            self.log.lose_last();
        }
        let last = |replica| self.log.places.iter().rev().find(|place| place.replica == replica).map(|place| place.n);
        let mut numbers = self.log.numbers.clone();
        numbers.retain(|replica, row| last(*replica).map(|n| row.n = n).is_some());
        self.log.numbers = numbers;
        if let Some(epoch) = declared {
            self.former.push((std::mem::replace(&mut self.epoch, epoch), until));
        }
        self.restart();
    }

    /// The same disk, served by another version of the program.
    pub(super) fn upgraded<N: Domain>(self) -> Server<N> {
        Server { clock: self.clock, ..Server::start(self.log, self.epoch, self.former) }
    }

    pub(super) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// All that was decided is on disk and was told.
    pub(super) fn is_settled(&self) -> bool {
        self.committer.is_settled() && self.asked.is_empty()
    }

    pub(super) fn state_hash(&self) -> tidebook_book::ChainHash {
        self.committer.authority().state().hash()
    }

    pub(super) fn open(&mut self, line: LineId, user: UserId) {
        self.lines.insert(line, SyncSession::new(Some(Identity { user, name: "someone".into() })));
    }

    pub(super) fn hang_up(&mut self, line: LineId) {
        self.lines.remove(&line);
    }

    pub(super) fn handle_text(&mut self, line: LineId, text: &str) {
        if let Some(session) = self.lines.get_mut(&line) {
            session.handle_text(self.clock, text);
            self.to_run.insert(line);
            self.run();
        }
    }

    pub(super) fn ask_for_snapshot(&mut self, asker: (usize, u64)) {
        self.asked.push_back(Asked::Snapshot(asker));
        self.run();
    }

    /// What is on its way is on the disk, and nobody knows it yet.
    pub(super) fn append(&mut self) {
        let batch = self.writing.take().expect("something is on its way");
        self.log.append(batch).expect("the log takes what the authority decided");
    }

    pub(super) fn handle_committed(&mut self) {
        let committed = self.committer.handle_committed();
        if let Some(last) = committed.entries.last() {
            self.head = Head { seq: last.seq, hash: last.hash };
        }
        self.to_run.extend(self.lines.keys());
        committed.released.into_iter().for_each(|pushed| self.answer(pushed));
        self.run();
    }

    /// Until nobody has anything to do, or all wait for the disk.
    fn run(&mut self) {
        loop {
            if let Some(batch) = self.committer.poll_commit() {
                self.writing = Some(batch);
                self.effects.push_back(Effect::Write);
            }
            let said = self.committer.release();
            said.into_iter().for_each(|pushed| self.answer(pushed));
            if let Some(line) = self.to_run.pop_first() {
                self.run_line(line);
                continue;
            }
            let may_read = self.committer.is_settled();
            let is_due = self.asked.front().is_some_and(|asked| may_read || matches!(asked, Asked::Push { .. }));
            let Some(asked) = is_due.then(|| self.asked.pop_front()).flatten() else { return };
            match asked {
                Asked::Push { line, author, epoch, sent, mutations } => {
                    let outcomes = self.decide(author, epoch, &mutations);
                    self.committer.hold(Pushed { line, sent, outcomes });
                }
                Asked::Open(line, subscribe) => self.open_book(line, &subscribe),
                Asked::Snapshot(asker) => {
                    let text = self.snapshot_text();
                    self.effects.push_back(Effect::Snapshot(asker, text));
                }
            }
        }
    }

    fn decide(&mut self, author: Author, epoch: Epoch, mutations: &[RawMutation]) -> Vec<Outcome> {
        let known = self.log.known(&self.committer.authority().lookups(author.replica, mutations));
        self.committer.authority_mut().handle_push(self.clock, author, epoch, mutations, &known)
    }

    fn answer(&mut self, Pushed { line, sent, outcomes }: Pushed) {
        if let Some(session) = self.lines.get_mut(&line) {
            session.handle_pushed(BOOK, sent, outcomes);
            self.to_run.insert(line);
        }
    }

    /// Does what the session asks for, and sends what it lacks.
    fn run_line(&mut self, line: LineId) {
        let Some(session) = self.lines.get_mut(&line) else { return };
        loop {
            while let Some(action) = session.poll_action() {
                match action {
                    Action::Send(frame) => {
                        let text = String::from_utf8(frame).expect("frames are text");
                        self.effects.push_back(Effect::Send(line, text));
                    }
                    Action::Open(subscribe) => self.asked.push_back(Asked::Open(line, subscribe)),
                    Action::Push { author, epoch, mutations, .. } => {
                        let sent = session.cursor(BOOK).unwrap_or(Seq::ZERO);
                        self.asked.push_back(Asked::Push { line, author, epoch, sent, mutations });
                    }
                    Action::ReadFates { seqs, .. } => session.handle_fates(BOOK, &entries_at(&self.log, seqs)),
                    Action::Authenticate { .. } => unreachable!("the handshake has told who it is"),
                    Action::Forget(_) | Action::Presence(_) => {}
                    Action::Close { code, .. } => {
                        self.lines.remove(&line);
                        self.effects.push_back(Effect::Close(line, code));
                        return;
                    }
                }
            }
            match session.cursor(BOOK).filter(|cursor| *cursor < self.head.seq) {
                None => return,
                Some(Seq(cursor)) => {
                    session.handle_entries(BOOK, &self.log.entries[cursor as usize..self.head.seq.0 as usize]);
                }
            }
        }
    }

    fn open_book(&mut self, line: LineId, subscribe: &Subscribe) {
        let people = self.people();
        let Some(session) = self.lines.get_mut(&line) else { return };
        self.to_run.insert(line);
        let author = session.author().expect("it said hello");
        let authority = self.committer.authority();
        let Some(role) = authority.state().role_of(author.user) else {
            return session.handle_opened(subscribe, None);
        };
        let (epoch, head, accepted) = (self.epoch, self.head, authority.last_number(author.replica));
        let is_named = |former: &&(Epoch, Seq)| Some(former.0) == subscribe.epoch;
        let common = self.former.iter().find(is_named).map(|(_, ended_at)| *ended_at);
        let hash_there = self.log.hash_at(subscribe.after);
        session.handle_opened(subscribe, Some(Opened { epoch, role, head, accepted, people, hash_there, common }));
        if let Some(from) = subscribe.pending_from.filter(|_| session.cursor(BOOK).is_some()) {
            let places = self.log.places.iter().take(subscribe.after.0 as usize);
            let own = places.filter(|place| place.replica == author.replica && place.n >= from);
            let seqs = own.map(|place| place.seq).collect();
            session.handle_fates(BOOK, &entries_at(&self.log, seqs));
        }
    }

    fn snapshot_text(&mut self) -> String {
        if let Some((_, text)) = self.snapshot.as_ref().filter(|(seq, _)| *seq == self.head.seq) {
            return text.clone();
        }
        let (authority, people) = (self.committer.authority(), self.people());
        let snapshot = Snapshot::<S> {
            book: BOOK,
            epoch: self.epoch,
            seq: self.head.seq,
            hash: self.head.hash,
            state_version: S::STATE_VERSION,
            state_hash: authority.state().hash(),
            replicas: authority.last_numbers().collect(),
            people,
            state: authority.state().domain.clone(),
        };
        let text = serde_json::to_string(&snapshot).expect("a snapshot serialises");
        self.snapshot = Some((self.head.seq, text.clone()));
        text
    }

    fn people(&self) -> Vec<Person> {
        let members = &self.committer.authority().state().members;
        members.iter().map(|(id, role)| Person { id: *id, name: "someone".into(), role: Some(*role) }).collect()
    }
}

fn entries_at(log: &Log, seqs: Vec<Seq>) -> Vec<EncodedEntry> {
    seqs.into_iter().map(|seq| log.entries[seq.0 as usize - 1].clone()).collect()
}
