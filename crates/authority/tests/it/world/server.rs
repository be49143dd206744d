//! A stand-in for the server: sessions and a committer around the true authority, as the wire's contract has them.

use std::collections::{BTreeMap, VecDeque};

use tidebook_authority::{Authority, Batch, Known, Outcome};
use tidebook_book::{Author, BookId, ChainHash, EncodedEntry, MutationNumber, Person, Role, Seq, Snapshot, UnixMillis};
use tidebook_protocol::{
    Down, Limits, PROTOCOL, People, Push, RawMutation, Refusal, Refused, RefusedIn, SnapshotRequired, Subscribe,
    Subscribed, Up, Welcome, WelcomeUser, entries_frame, fates_frame,
};
use uuid::Uuid;

use super::network::LineId;
use super::plant::Plant;
use super::random::Random;
use super::{Scenario, Tally, Violation};
use crate::log::Log;
use crate::support::{AT, EDITOR, EPOCH, OWNER, opening};

pub(crate) const BOOK: BookId = BookId(Uuid::from_u128(0xb00c));

/// How far behind a replica is sent to a snapshot: little, so that in a short life some are.
const BEHIND_MAX: u64 = 5;

/// How long the disk takes at most, while there are faults.
const COMMIT_MS_MAX: u64 = 400;

#[derive(Debug, Default)]
struct Session {
    author: Option<Author>,
    subscription: Option<Subscription>,
}

#[derive(Debug)]
struct Subscription {
    /// The last entry sent.
    cursor: Seq,
    /// Where it began: own entries at or below it are told as fates.
    began: Seq,
}

/// An answer that waits for what it speaks of to be on disk.
struct Answer {
    line: LineId,
    outcomes: Vec<Outcome>,
    mutations: Vec<RawMutation>,
}

/// What the disk is busy with.
struct Commit {
    batch: Batch,
    ends_at: u64,
    fails: bool,
}

pub(crate) struct Server<S: Scenario> {
    pub(crate) log: Log,
    pub(crate) authority: Authority<S>,
    plant: Option<Plant>,
    down_until: u64,
    commit: Option<Commit>,
    answers_in_flight: Vec<Answer>,
    answers_staged: Vec<Answer>,
    sessions: BTreeMap<LineId, Session>,
    frames: VecDeque<(LineId, String)>,
    now: u64,
}

impl<S: Scenario> Server<S> {
    pub(crate) fn new(plant: Option<Plant>) -> Self {
        let log = Log::opened::<S>(opening(S::created()), &[(EDITOR, Role::Editor)]);
        Self {
            authority: log.authority(EPOCH),
            log,
            plant,
            down_until: 0,
            commit: None,
            answers_in_flight: Vec::new(),
            answers_staged: Vec::new(),
            sessions: BTreeMap::new(),
            frames: VecDeque::new(),
            now: 0,
        }
    }

    pub(crate) fn is_up(&self, now: u64) -> bool {
        self.down_until <= now
    }

    /// Nothing is being decided or committed.
    pub(crate) fn is_idle(&self) -> bool {
        self.commit.is_none() && self.answers_staged.is_empty() && self.authority.head() == self.log.head()
    }

    pub(crate) fn has(&self, line: LineId) -> bool {
        self.sessions.contains_key(&line)
    }

    pub(crate) fn open(&mut self, line: LineId) {
        self.sessions.insert(line, Session::default());
    }

    pub(crate) fn close(&mut self, line: LineId) {
        self.sessions.remove(&line);
    }

    pub(crate) fn poll_frame(&mut self) -> Option<(LineId, String)> {
        self.frames.pop_front()
    }

    /// Stops dead, and comes back with what is on disk. Of a commit that was on its way nobody knows how it ended.
    pub(crate) fn crash(&mut self, now: u64, random: &mut Random) -> Result<(), Violation> {
        if let Some(Commit { batch, fails: false, .. }) = self.commit.take()
            && random.one_in(2)
        {
            self.log.append(batch)?;
        }
        self.answers_in_flight.clear();
        self.answers_staged.clear();
        self.sessions.clear();
        self.frames.clear();
        self.down_until = now + random.below(1_000);
        self.restart();
        Ok(())
    }

    fn restart(&mut self) {
        let mut state_until = self.log.head();
        match self.plant {
            Some(Plant::LosesTheTail) if self.log.head() > Seq(2) => {
                self.log.lose_last();
                state_until = self.log.head();
            }
            Some(Plant::RestartsFromAnOlderState) if self.log.head() > Seq(2) => state_until = Seq(state_until.0 - 1),
            Some(Plant::ForgetsNumbers) => self.log.numbers.clear(),
            _ => {}
        }
        let (head, numbers) = (self.log.head(), self.log.numbers.values().copied());
        let hash = self.log.hash_at(head).expect("the head");
        self.authority = Authority::new(EPOCH, self.log.replay(state_until), head, hash, numbers);
    }

    pub(crate) fn handle_text(&mut self, line: LineId, text: &str, tally: &mut Tally) -> Result<(), Violation> {
        let Some(session) = self.sessions.get_mut(&line) else { return Ok(()) };
        let message = Up::parse(text).map_err(|error| format!("the server cannot read {text}: {error}"))?;
        match (message, session.author) {
            (Up::Hello(hello), None) => {
                let user = if hello.replica.0.as_u128() % 2 == 0 { OWNER } else { EDITOR };
                session.author = Some(Author { user, replica: hello.replica });
                let user = WelcomeUser { id: user, name: "someone".into() };
                let limits = Limits::default();
                self.send(line, &Down::Welcome(Welcome { protocol: PROTOCOL, server_at: AT, user, limits }));
            }
            (Up::Subscribe(subscribe), Some(author)) => {
                session.subscription = None;
                self.subscribe(line, author, &subscribe, tally);
            }
            (Up::Push(push), Some(author)) => self.push(line, author, push, tally)?,
            (message, author) => return Err(format!("out of turn for {author:?}: {message:?}")),
        }
        Ok(())
    }

    fn subscribe(&mut self, line: LineId, author: Author, subscribe: &Subscribe, tally: &mut Tally) {
        let (epoch, head, after) = (EPOCH, self.log.head(), subscribe.after);
        let known_here = after == Seq::ZERO || subscribe.hash == self.log.hash_at(after);
        let same_history = subscribe.epoch.is_none_or(|theirs| theirs == epoch) && after <= head && known_here;
        let far_behind = head.0.saturating_sub(after.0) > BEHIND_MAX;
        if !same_history || far_behind {
            let required = SnapshotRequired { book: BOOK, epoch, from_seq: None, seq: head };
            return self.send(line, &Down::SnapshotRequired(required));
        }
        let role = self.authority.state().role_of(author.user).expect("a member");
        let accepted = match self.plant {
            Some(Plant::AcceptsWhatIsStaged) => self.authority.last_number(author.replica),
            _ => self.log.last_number(author.replica),
        };
        let head_hash = self.log.hash_at(head).expect("the head");
        self.send(line, &Down::Subscribed(Subscribed { book: BOOK, epoch, role, head, head_hash, accepted }));
        self.send(line, &Down::People(People { book: BOOK, people: self.people() }));
        if let Some(from) = subscribe.pending_from {
            let own = |place: &&tidebook_authority::Place| {
                place.replica == author.replica && place.n >= from && place.seq <= after
            };
            let seqs: Vec<Seq> = self.log.places.iter().filter(own).map(|place| place.seq).collect();
            self.send_fates(line, &seqs, tally);
        }
        let session = self.sessions.get_mut(&line).expect("it asked just now");
        session.subscription = Some(Subscription { cursor: after, began: after });
    }

    fn push(&mut self, line: LineId, author: Author, push: Push, tally: &mut Tally) -> Result<(), Violation> {
        let parsed: Result<Vec<RawMutation>, _> = push.mutations.iter().map(|raw| RawMutation::parse(raw)).collect();
        let mutations = parsed.map_err(|error| error.to_string())?;
        let lookups = self.authority.lookups(author.replica, &mutations);
        let known = match self.plant {
            Some(Plant::ForgetsWhatItKnows) => Known::default(),
            _ => self.log.known(&lookups),
        };
        tally.repetitions += lookups.numbers.len();
        if self.plant == Some(Plant::DecidesRepetitionsAnew) && !lookups.numbers.is_empty() {
            self.forget_number(author, mutations[0].envelope.n);
        }
        let known = if self.plant == Some(Plant::DecidesRepetitionsAnew) { Known::default() } else { known };
        let at = UnixMillis(AT.0 + self.now as i64);
        let outcomes = self.authority.handle_push(at, author, push.epoch, &mutations, &known);
        self.answers_staged.push(Answer { line, outcomes, mutations });
        Ok(())
    }

    /// Makes the authority believe that a number of the replica's line is still to come.
    fn forget_number(&mut self, author: Author, n: MutationNumber) {
        if self.commit.is_none() && self.authority.head() == self.log.head() {
            let row = self.log.numbers.get_mut(&author.replica).expect("a number is there");
            row.n = MutationNumber(n.0 - 1);
            self.authority = self.log.authority(EPOCH);
        }
    }

    /// Lets the disk finish, starts the next commit, and tells everyone what is new.
    pub(crate) fn advance(
        &mut self,
        now: u64,
        random: &mut Random,
        stormy: bool,
        tally: &mut Tally,
    ) -> Result<(), Violation> {
        self.now = now;
        if let Some(Commit { batch, fails, .. }) = self.commit.take_if(|commit| commit.ends_at <= now) {
            if fails {
                tally.failed_commits += 1;
                self.fail(batch);
            } else {
                self.log.append(batch)?;
                self.authority.handle_committed();
                let answers = std::mem::take(&mut self.answers_in_flight);
                self.answer_all(answers, tally)?;
            }
        }
        if self.commit.is_none() {
            let answers = std::mem::take(&mut self.answers_staged);
            match self.authority.poll_batch() {
                Some(batch) => {
                    let ends_at = now + random.below(if stormy { COMMIT_MS_MAX } else { 20 });
                    self.commit = Some(Commit { batch, ends_at, fails: stormy && random.one_in(5) });
                    self.answers_in_flight = answers;
                }
                None => self.answer_all(answers, tally)?,
            }
        }
        self.publish(random);
        Ok(())
    }

    fn fail(&mut self, batch: Batch) {
        match self.plant {
            Some(Plant::KeepsWhatFailed) => self.authority.handle_committed(),
            _ => self.authority.handle_failed(),
        }
        if self.plant == Some(Plant::WritesNumbersAlone) {
            self.log.numbers.extend(batch.numbers.into_iter().map(|row| (row.replica, row)));
        }
        let answers = self.answers_in_flight.drain(..).chain(self.answers_staged.drain(..));
        for Answer { line, mutations, .. } in answers.collect::<Vec<_>>() {
            for mutation in mutations {
                let (id, n, code) = (mutation.envelope.id, mutation.envelope.n, Refusal::Unavailable);
                let detail = "the disk is full".into();
                let refused = Refused { id, n, code, detail, expected: None, retry_after_ms: None };
                self.send(line, &Down::Refused(RefusedIn { book: BOOK, refused }));
            }
        }
    }

    fn answer_all(&mut self, answers: Vec<Answer>, tally: &mut Tally) -> Result<(), Violation> {
        for Answer { line, outcomes, .. } in answers {
            let subscription = self.sessions.get(&line).and_then(|session| session.subscription.as_ref());
            let began = subscription.map(|subscription| subscription.began);
            let mut untold = Vec::new();
            for outcome in outcomes {
                match outcome {
                    Outcome::Entry(seq) if began.is_some_and(|began| seq > began) => {}
                    Outcome::Entry(seq) => untold.push(seq),
                    // Everyone here is a member with one history and numbers of their own.
                    Outcome::Refused(refused) if refused.code != Refusal::Gap => {
                        return Err(format!("an honest replica is refused: {refused:?}"));
                    }
                    Outcome::Refused(refused) => {
                        tally.refusals += 1;
                        self.send(line, &Down::Refused(RefusedIn { book: BOOK, refused }));
                    }
                }
            }
            self.send_fates(line, &untold, tally);
        }
        Ok(())
    }

    fn send_fates(&mut self, line: LineId, seqs: &[Seq], tally: &mut Tally) {
        let entries: Vec<&[u8]> = seqs.iter().map(|seq| &*self.log.entries[seq.0 as usize - 1].bytes).collect();
        if !entries.is_empty() && self.plant != Some(Plant::DropsFates) {
            tally.fates += entries.len();
            let frame = String::from_utf8(fates_frame(BOOK, entries)).expect("UTF-8");
            self.frames.push_back((line, frame));
        }
    }

    /// Sends each follower what lies between its cursor and the head, in frames of any size.
    fn publish(&mut self, random: &mut Random) {
        let mut entries: Vec<&EncodedEntry> = self.log.entries.iter().collect();
        if let (Some(Plant::AcksBeforeCommit), Some(Commit { batch, .. })) = (self.plant, &self.commit) {
            entries.extend(batch.entries.iter().map(|staged| &staged.entry));
        }
        for (line, session) in &mut self.sessions {
            let Some(subscription) = &mut session.subscription else { continue };
            while subscription.cursor.0 < entries.len() as u64 {
                if self.plant == Some(Plant::SkipsASeq) && random.one_in(20) {
                    subscription.cursor = subscription.cursor.next();
                    continue;
                }
                let rest = &entries[subscription.cursor.0 as usize..];
                let count = rest.len().min(random.between(1, 10) as usize);
                let frame = entries_frame(BOOK, rest[..count].iter().map(|entry| &*entry.bytes));
                subscription.cursor = Seq(subscription.cursor.0 + count as u64);
                self.frames.push_back((*line, String::from_utf8(frame).expect("UTF-8")));
            }
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot<S> {
        let seq = self.log.head();
        let state = self.log.replay::<S>(seq);
        Snapshot {
            book: BOOK,
            epoch: EPOCH,
            seq,
            hash: self.log.hash_at(seq).unwrap_or(ChainHash::ZERO),
            state_version: S::STATE_VERSION,
            state_hash: state.hash(),
            replicas: self.log.numbers.values().map(|row| (row.replica, row.n)).collect(),
            people: self.people(),
            state: state.domain,
        }
    }

    fn people(&self) -> Vec<Person> {
        let members = &self.authority.state().members;
        members.iter().map(|(id, role)| Person { id: *id, name: "someone".into(), role: Some(*role) }).collect()
    }

    fn send(&mut self, line: LineId, message: &Down) {
        self.frames.push_back((line, message.encode()));
    }
}
