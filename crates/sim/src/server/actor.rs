//! One book on the server: its committer, who waits for what, and who may have it. As the shipped actor does, it decides
//! while the disk is busy; reads and changes of members wait for a moment when all that was decided is on disk.

use std::collections::{BTreeMap, VecDeque};

use tidebook_authority::{Authority, Committer, Head, Known, Lookups, Outcome, Write, Written};
use tidebook_book::{Author, BookId, EncodedEntry, Epoch, MutationNumber, ReplicaId, Role, Seq, UserId};
use tidebook_ledger::Ledger;
use tidebook_protocol::{RawMutation, Refusal, Refused, Subscribe};

use super::ask::What;
use super::{Answer, Ask, CallId, Effect, Say, Server, Settings, clock, spoil};
use crate::disk::{BookLog, Disk, snapshot_of};
use crate::line::LineId;
use crate::plant::Plant;
use crate::queue::Ms;

/// What is asked of a book.
#[derive(Debug)]
pub(super) enum Command {
    Push(Push),
    Call(Call),
    Request(Request),
}

/// Mutations from a line, to which entries up to `sent` had gone when they came.
#[derive(Debug)]
pub(crate) struct Push {
    pub(super) line: LineId,
    pub(super) book: BookId,
    pub(super) author: Author,
    pub(super) epoch: Epoch,
    pub(super) sent: Seq,
    pub(super) mutations: Vec<RawMutation>,
}

/// A request over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(super) call: CallId,
    pub(super) author: Author,
    pub(super) ask: Ask,
}

/// What waits for a moment when all that was decided is on disk.
#[derive(Debug)]
pub(super) enum Request {
    Open { line: LineId, user: UserId, replica: ReplicaId, subscribe: Subscribe },
    Snapshot { client: usize, user: UserId },
    Member(Call),
}

#[derive(Debug)]
pub(super) struct Actor {
    book: BookId,
    committer: Committer<Ledger, Say>,
    /// Of the log on disk.
    head: Head,
    /// Who may have the book, as of the head.
    members: BTreeMap<UserId, Role>,
    /// Counts changes of who is in the book.
    people: u64,
    is_committing: bool,
    mailbox: VecDeque<Command>,
    waiting: VecDeque<Request>,
    snapshot: Seq,
    /// Told before they are on disk, where that is the planted bug.
    told_early: Vec<EncodedEntry>,
}

impl Actor {
    pub(super) fn load(book: BookId, log: &BookLog, settings: &Settings) -> Self {
        let head = log.head_and_hash();
        let until = match settings.plant {
            Some(Plant::OlderState) => Seq(head.seq.0.saturating_sub(1)),
            _ => head.seq,
        };
        let state = spoil::loaded(settings.plant, log.load(until));
        let members = state.members.clone();
        let mut authority = Authority::new(log.epoch, state, head.seq, head.hash, log.numbers());
        authority.set_archived(log.is_archived && settings.plant != Some(Plant::ArchivedWritten));
        Self {
            book,
            committer: Committer::new(authority),
            head,
            members,
            people: 0,
            is_committing: false,
            mailbox: VecDeque::new(),
            waiting: VecDeque::new(),
            snapshot: log.snapshot_seq(),
            told_early: Vec::new(),
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.committer.is_settled() && self.mailbox.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn authority(&self) -> &Authority<Ledger> {
        self.committer.authority()
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.committer.authority().epoch()
    }

    pub(super) fn role_of(&self, user: UserId) -> Option<Role> {
        self.members.get(&user).copied()
    }

    pub(super) fn people_changes(&self) -> u64 {
        self.people
    }

    /// The last entry that may be told.
    pub(super) fn head(&self) -> Head {
        match self.told_early.last() {
            Some(entry) => Head { seq: entry.seq, hash: entry.hash },
            None => self.head,
        }
    }

    pub(super) fn last_number(&self, replica: ReplicaId) -> MutationNumber {
        self.committer.authority().last_number(replica)
    }

    pub(super) fn told_early(&self) -> &[EncodedEntry] {
        &self.told_early
    }

    pub(super) fn take(&mut self, command: Command) {
        self.mailbox.push_back(command);
    }

    pub(super) fn handle_committed(&mut self) -> Vec<Say> {
        let committed = self.committer.handle_committed();
        self.is_committing = false;
        self.told_early.clear();
        if let Some(last) = committed.entries.last() {
            self.head = Head { seq: last.seq, hash: last.hash };
        }
        if committed.members_changed {
            self.members.clone_from(&self.committer.authority().state().members);
            self.people += 1;
        }
        committed.released
    }

    /// What was to be said and is not true.
    pub(super) fn handle_failed(&mut self, settings: &Settings) -> Vec<Say> {
        if settings.plant == Some(Plant::FailureKept) {
            return self.handle_committed();
        }
        self.is_committing = false;
        self.told_early.clear();
        self.committer.handle_failed()
    }

    /// Takes in what other nodes have written, unless something of its own is on its way: that comes too late then, and
    /// is told so. Whether the log has gone on.
    fn look(&mut self, log: &BookLog, plant: Option<Plant>) -> bool {
        if self.is_committing || !self.told_early.is_empty() {
            return false;
        }
        let before = self.head;
        let tail = log.after(self.head.seq);
        let authority = self.committer.authority_mut();
        authority.handle_tail(tail, log.numbers()).expect("the log goes on from here");
        authority.set_archived(log.is_archived && plant != Some(Plant::ArchivedWritten));
        self.head = log.head_and_hash();
        let members = &self.committer.authority().state().members;
        if self.head.seq > before.seq && self.members != *members && plant != Some(Plant::TailMembersUnseen) {
            self.members.clone_from(members);
            self.people += 1;
        }
        self.head.seq > before.seq
    }

    /// Another node's batch came first: what was decided comes again before all else.
    pub(super) fn handle_overtaken(&mut self, log: &BookLog, plant: Option<Plant>) {
        self.is_committing = false;
        self.told_early.clear();
        let withdrawn = self.committer.handle_failed();
        self.look(log, plant);
        if plant != Some(Plant::LoserForgotten) {
            let later = std::mem::take(&mut self.mailbox);
            self.mailbox = withdrawn.into_iter().map(Say::into_command).chain(later).collect();
        }
    }

    /// Decides a push.
    fn push(&mut self, now: Ms, log: &BookLog, plant: Option<Plant>, push: Push) {
        let Push { author, epoch, ref mutations, .. } = push;
        let (author, mut mutations) = (spoil::author(plant, author, &self.members), mutations.clone());
        spoil::mutations(plant, self.committer.authority().head(), &mut mutations);
        let lookups = self.committer.authority().lookups(author.replica, &mutations);
        let known = look_up(log, &lookups, plant == Some(Plant::DedupeOff));
        let authority = self.committer.authority_mut();
        let outcomes = authority.handle_push(clock(now), author, epoch, &mutations, &known);
        self.committer.hold(Say::Pushed { push, outcomes });
    }

    /// Decides a write over HTTP.
    fn write(&mut self, now: Ms, log: &BookLog, plant: Option<Plant>, author: Author, ask: Ask) -> Answer {
        let What::Write { base, op } = ask.what else { unreachable!("changes of members wait") };
        let is_forgetful = matches!(plant, Some(Plant::DedupeOff | Plant::WriteRepeated));
        let known = look_up(log, &Lookups { ids: vec![ask.id], numbers: Vec::new() }, is_forgetful);
        let authority = self.committer.authority_mut();
        let write = Write { id: ask.id, base: base.unwrap_or(authority.head()), op };
        match authority.handle_write(clock(now), author, write, &known) {
            Ok(Written::Decided { seq, result }) => {
                Answer::Decided { seq, rejected: result.err().map(|rejected| rejected.code) }
            }
            Ok(Written::Repeated(seq)) => Answer::Repeated(seq),
            Err(refused) => Answer::Refused(refused.code),
        }
    }

    fn change_members(&mut self, now: Ms, author: Author, ask: Ask) -> Answer {
        let What::Member(change) = ask.what else { unreachable!("only changes of members wait here") };
        match self.committer.authority_mut().handle_member_change(clock(now), author, ask.id, change) {
            Ok(seq) => Answer::MemberChanged(seq),
            Err(refusal) => Answer::MemberRefused(refusal),
        }
    }

    fn snapshot_text(&self) -> String {
        let snapshot = snapshot_of(self.book, self.committer.authority(), self.head);
        serde_json::to_string(&snapshot).expect("a snapshot serialises into memory")
    }
}

impl Server {
    /// Until the book has nothing to do, or waits for the disk.
    pub(super) fn run_actor(&mut self, now: Ms, disk: &Disk, book: BookId) {
        loop {
            self.start_commit(book);
            let Some(actor) = self.actors.get_mut(&book) else { return };
            let says = actor.committer.release();
            let is_settled = actor.committer.is_settled() && !actor.is_committing;
            let request = if is_settled { actor.waiting.pop_front() } else { None };
            let is_held_up = !actor.waiting.is_empty() || request.is_some();
            let command = if is_held_up { None } else { actor.mailbox.pop_front() };
            self.say_all(says);
            // A replica may have heard from another node what this one has not.
            let opens = request.is_some() || matches!(command, Some(Command::Request(_)));
            let looks = !(opens && self.settings.plant == Some(Plant::OpenedUnlooked));
            if looks && (request.is_some() || command.is_some()) {
                self.look(disk, book);
            }
            match (request, command) {
                (Some(request), _) => self.serve(now, disk, book, request),
                (None, Some(command)) => self.decide(now, disk, book, command),
                (None, None) => return self.keep_snapshot(book),
            }
        }
    }

    /// Looks at the log, and wakes who follows the book where it has gone on.
    pub(super) fn look(&mut self, disk: &Disk, book: BookId) {
        let (Some(actor), Some(log)) = (self.actors.get_mut(&book), disk.log(book)) else { return };
        if actor.look(log, self.settings.plant) {
            self.wake_followers(book);
        }
    }

    fn start_commit(&mut self, book: BookId) {
        let Some(actor) = self.actors.get_mut(&book) else { return };
        let Some(batch) = actor.committer.poll_commit() else { return };
        actor.is_committing = true;
        if self.settings.plant == Some(Plant::AckBeforeCommit) {
            actor.told_early = batch.entries.iter().map(|staged| staged.entry.clone()).collect();
            self.wake_followers(book);
        }
        self.effects.push_back(Effect::Commit { book, batch });
    }

    fn decide(&mut self, now: Ms, disk: &Disk, book: BookId, command: Command) {
        let plant = self.settings.plant;
        let (Some(actor), Some(log)) = (self.actors.get_mut(&book), disk.log(book)) else { return };
        match command {
            Command::Push(push) => actor.push(now, log, plant, push),
            Command::Call(call) if matches!(call.ask.what, What::Member(_)) => {
                actor.waiting.push_back(Request::Member(call));
            }
            Command::Call(asked) => {
                let answer = actor.write(now, log, plant, asked.author, asked.ask.clone());
                match plant {
                    Some(Plant::WriteAnsweredEarly) => {
                        self.effects.push_back(Effect::Answer { call: asked.call, answer });
                    }
                    _ => actor.committer.hold(Say::Answer { asked, answer }),
                }
            }
            Command::Request(Request::Open { line, user, replica, subscribe })
                if plant == Some(Plant::StagedAccepted) =>
            {
                self.open(disk, line, user, replica, &subscribe);
            }
            Command::Request(Request::Snapshot { client, user }) if plant == Some(Plant::SnapshotOfStaged) => {
                self.serve(now, disk, book, Request::Snapshot { client, user });
            }
            Command::Request(request) => actor.waiting.push_back(request),
        }
    }

    /// At a moment when all that was decided is on disk.
    fn serve(&mut self, now: Ms, disk: &Disk, book: BookId, request: Request) {
        let plant = self.settings.plant;
        let Some(actor) = self.actors.get_mut(&book) else { return };
        match request {
            Request::Open { line, user, replica, subscribe } => self.open(disk, line, user, replica, &subscribe),
            Request::Snapshot { client, user } => {
                // They may have been removed while this waited.
                let may = plant == Some(Plant::StrangerServed) || actor.role_of(user).is_some();
                let text = may.then(|| spoil::snapshot(plant, actor.snapshot_text()));
                self.effects.push_back(Effect::SnapshotFor { client, book, text });
            }
            Request::Member(asked) => {
                let answer = actor.change_members(now, asked.author, asked.ask.clone());
                actor.committer.hold(Say::Answer { asked, answer });
            }
        }
    }

    fn keep_snapshot(&mut self, book: BookId) {
        let every = self.settings.snapshot_every;
        let Some(actor) = self.actors.get_mut(&book) else { return };
        if actor.is_settled() && !actor.is_committing && actor.head.seq.0 >= actor.snapshot.0 + every {
            actor.snapshot = actor.head.seq;
            let (seq, text) = (actor.head.seq, actor.snapshot_text());
            self.effects.push_back(Effect::KeepSnapshot { book, seq, text });
        }
    }
}

fn look_up(log: &BookLog, lookups: &Lookups, is_forgetful: bool) -> Known {
    if is_forgetful { Known::default() } else { log.known(lookups) }
}

/// The same refusal for each of them.
pub(super) fn refuse_all(mutations: &[RawMutation], code: Refusal, detail: &str) -> Vec<Outcome> {
    let refuse = |mutation: &RawMutation| {
        let (id, n) = (mutation.envelope.id, mutation.envelope.n);
        Outcome::Refused(Refused { id, n, code, detail: detail.into(), expected: None, retry_after_ms: None })
    };
    mutations.iter().map(refuse).collect()
}
