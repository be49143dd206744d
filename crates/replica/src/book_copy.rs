//! A copy of one book: confirmed state, outbox, and the view they make.
//!
//! There is one state in memory, the view. Whatever touches what is below the outbox (entries, fates, a snapshot, a new
//! replica id, a withdrawal) takes the outbox off, does its work on the confirmed state, and replays what is left.
//! [`following`] is about the server, [`keeping`] about the store, [`confirmed`] about what outlasts a start over.

mod confirmed;
mod following;
mod keeping;

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use tidebook_book::{
    Author, BookChange, BookId, BookState, ChainHash, Change, Domain, Draft, Entry, Epoch, Knows, Mutation, MutationId,
    MutationNumber, Person, Rejected, ReplicaId, Role, Seq, SortedMap, UnixMillis, read_by_name,
};
use tidebook_protocol::PeerPresence;

use crate::answer::Answer;
use crate::contradiction::Contradiction;
use crate::fetch::Fetch;
use crate::outbox::{Outbox, Pending, Saved};
use crate::presence::Peers;
use crate::{Contradictions, Held, Keeps, Monotonic};

use confirmed::NewStart;
pub use confirmed::retried_id;
use following::Phase;
pub(crate) use following::{NextTry, Parting, SnapshotFate};
use keeping::Kept;

/// A copy of a book on this device.
#[derive(Debug)]
pub struct BookCopy<D: Domain> {
    book: BookId,
    author: Author,
    epoch: Option<Epoch>,
    /// The last entry applied, and the chain's hash there.
    seq: Seq,
    hash: ChainHash,
    /// What the server last said its head was; it may be behind `seq`, where a store was ahead of the line.
    head: Seq,
    /// Confirmed state with the outbox applied on top.
    view: BookState<D>,
    pub(crate) outbox: Outbox<D>,
    /// The last number given to a mutation of this book under this replica id.
    last_n: MutationNumber,
    people: Vec<Person>,
    role: Option<Role>,
    pub(crate) peers: Peers,
    phase: Phase,
    /// Subscriptions on this line that have no answer yet. Only that to the last counts.
    unanswered: u32,
    /// Where the copy was when it last subscribed; it may be further since, by what its store has.
    asked_after: (Seq, ChainHash),
    /// What its store has was read since then.
    read_since_asked: bool,
    pub(crate) answer: Answer,
    fetch: Fetch,
    /// When a push was last refused for its epoch. The book is subscribed to again at once, unless that was just now.
    wrong_epoch_at: Option<Monotonic>,
    contradictions: Contradictions,
    /// Grows only with what the person typed, and shrinks as they decide: to let go of one would be to lose it.
    rejections: Vec<Rejection<D>>,
    /// Own mutations that entered lately, as rows by the seqs of their entries; where there is a store, those that it does
    /// not have yet.
    confirmed: Vec<(Seq, String)>,
    /// The snapshot this copy starts from, until nothing of what its history lacks can be lost.
    new_start: Option<NewStart>,
    /// How it stands with its store on this device, where it has one.
    kept: Option<Kept>,
    /// How often it started over, in this program.
    starts: u32,
    /// Of what was read before the last of these, no more than this counts as seen.
    seen_before: Seq,
    /// How far entries have come over the line, where the copy is further by what its store has.
    line_at: Option<(Seq, ChainHash)>,
}

/// A mutation that became a rejection. What the person typed stays here until they edit, retry or discard it.
#[derive(Debug, Clone)]
pub struct Rejection<D: Domain> {
    pub mutation: Mutation<D::Op>,
    pub rejected: Rejected,
    /// It is tried again by itself once the view takes it.
    pub(crate) again: bool,
}

/// What incoming entries changed.
#[derive(Debug)]
pub(crate) struct Applied<D: Domain> {
    pub(crate) touched: BTreeSet<D::Touched>,
    pub(crate) news: BTreeSet<D::Touched>,
    pub(crate) rejected: Vec<MutationId>,
}

impl<D: Domain> Applied<D> {
    fn nothing() -> Self {
        Self { touched: BTreeSet::new(), news: BTreeSet::new(), rejected: Vec::new() }
    }
}

/// What a mutation asked for that a person took back, and what the view shows otherwise without it.
#[derive(Debug)]
pub(crate) struct Withdrawn<D: Domain> {
    pub(crate) ops: Vec<D::Op>,
    pub(crate) touched: BTreeSet<D::Touched>,
}

/// As much of an own entry as tells its mutation's fate: what it changed is in the state already, readable here or not.
struct Fate {
    id: MutationId,
    seq: Seq,
    replica: ReplicaId,
    n: MutationNumber,
    rejected: Option<Rejected>,
}

read_by_name!(Fate { id, seq, replica, n; rejected });

impl Fate {
    fn of<C>(Entry { id, seq, replica, n, rejected, .. }: Entry<C>) -> Self {
        Self { id, seq, replica, n, rejected }
    }
}

impl<D: Domain> BookCopy<D> {
    /// A copy that has nothing yet. `last_n`: the last number this replica gave to a mutation of the book. The seed
    /// spreads its attempts to start over.
    pub(crate) fn new(book: BookId, author: Author, last_n: MutationNumber, keeps: Keeps, seed: u64) -> Self {
        Self {
            book,
            author,
            epoch: None,
            seq: Seq::ZERO,
            hash: ChainHash::ZERO,
            head: Seq::ZERO,
            view: BookState::default(),
            outbox: Outbox::default(),
            last_n,
            people: Vec::new(),
            role: None,
            peers: Peers::default(),
            phase: Phase::Apart,
            unanswered: 0,
            asked_after: (Seq::ZERO, ChainHash::ZERO),
            read_since_asked: false,
            answer: Answer::NotDue,
            fetch: Fetch::new(seed),
            wrong_epoch_at: None,
            contradictions: Contradictions::default(),
            rejections: Vec::new(),
            confirmed: Vec::new(),
            new_start: None,
            kept: match keeps {
                Keeps::InStore => Some(Kept::default()),
                Keeps::InMemory => None,
            },
            starts: 0,
            seen_before: Seq(u64::MAX),
            line_at: None,
        }
    }

    /// The confirmed state with the outbox replayed on top: what the screen shows.
    #[must_use]
    pub fn view(&self) -> &BookState<D> {
        &self.view
    }

    /// The last entry applied.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The chain's hash at [`Self::seq`].
    #[must_use]
    pub fn hash(&self) -> ChainHash {
        self.hash
    }

    /// The server's head as last heard of.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head.max(self.seq)
    }

    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The person's role, once the server has told it; none while they are no member.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// Where other replicas of the book are now, those of the same person too. Nobody without a line.
    #[must_use]
    pub fn peers(&self) -> &[PeerPresence] {
        self.peers.others()
    }

    /// The person is no longer a member: the book is not followed any more, and what they wrote meanwhile is still in
    /// [`Self::pending`].
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.phase == Phase::Removed
    }

    /// How often this copy had to start over because what the server said did not fit it.
    #[must_use]
    pub fn contradictions(&self) -> &Contradictions {
        &self.contradictions
    }

    /// Mutations without an entry, oldest first; those withdrawn too, without ops.
    pub fn pending(&self) -> impl DoubleEndedIterator<Item = &Pending<D>> {
        self.outbox.iter()
    }

    /// What the server rejected and nobody has dealt with yet.
    #[must_use]
    pub fn rejections(&self) -> &[Rejection<D>] {
        &self.rejections
    }

    /// Why the server does not take the outbox, where it does not.
    #[must_use]
    pub fn held(&self) -> Option<&Held> {
        self.outbox.held()
    }

    /// Everything this person wrote is in the log, and the log is here up to the head.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.is_following() && self.outbox.len() == 0 && self.seq >= self.head
    }

    pub(crate) fn last_number(&self) -> MutationNumber {
        self.last_n
    }

    /// Decides a new mutation on the view. On a rejection the view is as it was.
    pub(crate) fn add(
        &mut self,
        mutation: Mutation<D::Op>,
        encoded: String,
        at: UnixMillis,
    ) -> Result<BTreeSet<D::Touched>, Rejected> {
        let draft = self.draft(&mutation, self.outbox.len(), at);
        let decided = self.view.decide_and_apply(&mutation.ops, draft)?;
        let mut touched = BTreeSet::new();
        touch::<D>(&mut touched, &decided.changes, &self.view);
        self.last_n = mutation.n;
        let (predicted, undos) = (decided.changes, decided.undos);
        if let Some(kept) = &mut self.kept {
            kept.note_mutation(mutation.id);
        }
        let saved = if self.kept.is_none() { Saved::AsItIs } else { Saved::Never };
        self.outbox.push(Pending { mutation, encoded, sent: false, saved, is_from_before: false, predicted, undos });
        Ok(touched)
    }

    /// The person takes a mutation back: it goes on without ops, and the view without what it did.
    pub(crate) fn withdraw(&mut self, mutation: MutationId) -> Option<Withdrawn<D>> {
        self.outbox.find(mutation).filter(|pending| !pending.is_withdrawn())?;
        let mut ops = None;
        let applied = self.taking_the_outbox_off(|copy, _| ops = copy.outbox.withdraw(mutation));
        self.outbox.lift_hold_about_ops();
        self.note_change_of(mutation);
        Some(Withdrawn { ops: ops?, touched: applied.touched })
    }

    /// Goes on under another replica id, whose numbers start from 1.
    pub(crate) fn renumber(&mut self, replica: ReplicaId) -> BTreeSet<D::Touched> {
        self.author.replica = replica;
        self.outbox.lift_hold_for_new_replica();
        let applied = self.taking_the_outbox_off(|copy, _| copy.last_n = copy.outbox.renumber(MutationNumber::ZERO));
        self.note_whole_outbox();
        applied.touched
    }

    /// Own entries of up to the copy's seq: they empty the outbox, their changes are in the state already.
    pub(crate) fn handle_fates(&mut self, raw: &[Box<RawValue>]) -> Result<Applied<D>, Contradiction> {
        if !self.is_following() {
            return Ok(Applied::nothing());
        }
        let fates: Result<Vec<Fate>, _> = raw.iter().map(|raw| serde_json::from_str(raw.get())).collect();
        let mut fates = fates?;
        fates.retain(|fate| self.outbox.find(fate.id).is_some());
        if fates.is_empty() {
            return Ok(Applied::nothing());
        }
        Ok(self.taking_the_outbox_off(|copy, applied| {
            for fate in fates {
                copy.settle(fate, applied);
            }
        }))
    }

    /// Entries in order. One rebase for all of them.
    pub(crate) fn handle_entries(&mut self, raw: &[Box<RawValue>]) -> Result<Applied<D>, Contradiction> {
        if !self.is_following() {
            return Ok(Applied::nothing());
        }
        let entries = parse_entries::<D>(raw)?;
        self.compare_with_the_line(&entries)?;
        let mine = self.waiting_among(&entries);
        let (mut here, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(entry, _)| entry.seq <= self.seq);
        // A store had them from another tab before it was known there that they were waited for.
        here.retain(|(entry, _)| mine.contains_key(&entry.id));
        for (expected, (entry, _)) in (self.seq.0 + 1..).zip(&entries) {
            if entry.seq.0 != expected {
                return Err(Contradiction::Gap { expected: Seq(expected), got: entry.seq });
            }
        }
        if entries.is_empty() && here.is_empty() {
            return Ok(Applied::nothing());
        }
        let as_predicted = here.is_empty() && self.predicted(&entries);
        if !entries.is_empty() {
            self.fetch.note_overtaken();
            self.fetch.reset();
        }
        let mut applied = self.taking_the_outbox_off(|copy, applied| {
            here.into_iter().for_each(|(entry, _)| copy.settle(Fate::of(entry), applied));
            for (entry, bytes) in entries {
                if let Some(kept) = &mut copy.kept {
                    kept.note_entry(entry.seq, bytes.get());
                }
                let is_mine = mine.contains_key(&entry.id);
                copy.apply(entry, bytes.get(), is_mine, applied);
            }
        });
        if as_predicted {
            applied.touched.clear();
        }
        self.head = self.head.max(self.seq);
        self.check_claim();
        Ok(applied)
    }

    /// Those of the outbox, which may be long, in one look through it.
    fn waiting_among(&self, entries: &[ParsedEntry<'_, D>]) -> SortedMap<MutationId, ()> {
        let mut coming = SortedMap::new();
        coming.extend(entries.iter().map(|(entry, _)| (entry.id, ())));
        let ids = self.outbox.iter().map(|pending| pending.mutation.id).filter(|id| coming.contains_key(id));
        let mut waiting = SortedMap::new();
        waiting.extend(ids.map(|id| (id, ())));
        waiting
    }

    /// The entries are what the outbox begins with and say what the view shows: nothing on a screen changes.
    fn predicted(&self, entries: &[ParsedEntry<'_, D>]) -> bool {
        let mut pending = self.outbox.iter();
        entries.iter().all(|(entry, _)| {
            let foreseen = |pending: &Pending<D>| pending.mutation.id == entry.id && pending.predicted == entry.changes;
            entry.replica == self.author.replica && pending.next().is_some_and(foreseen)
        })
    }

    /// `is_mine`: its mutation is in the outbox.
    fn apply(&mut self, entry: Entry<BookChange<D>>, bytes: &str, is_mine: bool, applied: &mut Applied<D>) {
        self.view.apply_entry(&entry);
        self.seq = entry.seq;
        self.hash = self.hash.followed_by(bytes.as_bytes());
        touch::<D>(&mut applied.touched, &entry.changes, &self.view);
        if entry.replica != self.author.replica && !is_mine {
            touch::<D>(&mut applied.news, &entry.changes, &self.view);
        }
        if is_mine {
            self.settle(Fate::of(entry), applied);
        }
    }

    /// Puts another confirmed state below the outbox.
    fn replace_state(&mut self, state: BookState<D>) {
        self.view = state;
        if let Some(kept) = &mut self.kept {
            kept.note_start();
        }
        // The old view is gone, and with it what the undos would have taken back.
        self.outbox.iter_mut().for_each(|pending| pending.undos.clear());
        self.replay_the_outbox(&mut BTreeSet::new());
    }

    /// Drops a rejection the person has dealt with.
    pub(crate) fn discard_rejection(&mut self, mutation: MutationId) -> Option<Rejection<D>> {
        let place = self.rejections.iter().position(|rejection| rejection.mutation.id == mutation)?;
        if let Some(kept) = &mut self.kept {
            kept.note_rejection(mutation);
        }
        Some(self.rejections.remove(place))
    }

    /// Runs `change` on the confirmed state, then puts what is left of the outbox back on top.
    fn taking_the_outbox_off(&mut self, change: impl FnOnce(&mut Self, &mut Applied<D>)) -> Applied<D> {
        let mut applied = self.take_the_outbox_off();
        change(self, &mut applied);
        self.replay_the_outbox(&mut applied.touched);
        applied
    }

    #[inline(never)]
    fn take_the_outbox_off(&mut self) -> Applied<D> {
        let mut applied = Applied::nothing();
        for pending in self.outbox.iter_mut().rev() {
            touch::<D>(&mut applied.touched, &pending.predicted, &self.view);
            self.view.revert_all(std::mem::take(&mut pending.undos));
        }
        applied
    }

    /// What the outbox did to the view before was taken off and touched, or everything is to be looked at again.
    fn replay_the_outbox(&mut self, touched: &mut BTreeSet<D::Touched>) {
        let (seq, author) = (self.seq, self.author);
        for (index, pending) in self.outbox.iter_mut().enumerate() {
            let draft = draft_of(&pending.mutation, seq, index, author, pending.mutation.made_at);
            let (predicted, undos) = match self.view.decide_and_apply(&pending.mutation.ops, draft) {
                Ok(decided) => (decided.changes, decided.undos),
                Err(_) => (Vec::new(), Vec::new()),
            };
            pending.undos = undos;
            // What is predicted as before was touched when it was taken off.
            if predicted != pending.predicted {
                touch::<D>(touched, &predicted, &self.view);
                pending.predicted = predicted;
            }
        }
    }

    /// The entry is its mutation's fate, under whatever number: the outbox lets go of it, and a rejection is kept for the
    /// person. Of what they took back themselves nothing is kept.
    fn settle(&mut self, fate: Fate, applied: &mut Applied<D>) {
        let Some(pending) = self.outbox.take(fate.id) else { return };
        if let Some(kept) = &mut self.kept {
            kept.note_mutation(fate.id);
        }
        touch::<D>(&mut applied.touched, &pending.predicted, &self.view);
        if pending.is_withdrawn() {
            return;
        }
        let again = pending.is_from_before && pending.predicted.is_empty();
        let mutation = pending.mutation;
        match fate.rejected {
            None => self.remember(&fate, mutation),
            Some(rejected) => {
                applied.rejected.push(fate.id);
                if let Some(kept) = &mut self.kept {
                    kept.note_rejection(fate.id);
                }
                self.rejections.push(Rejection { mutation, rejected, again });
            }
        }
    }

    fn draft(&self, mutation: &Mutation<D::Op>, place: usize, at: UnixMillis) -> Draft {
        draft_of(mutation, self.seq, place, self.author, at)
    }
}

/// The entry a pending mutation would become if nothing else came.
fn draft_of<Op>(mutation: &Mutation<Op>, seq: Seq, place: usize, author: Author, at: UnixMillis) -> Draft {
    Draft {
        seq: Seq(seq.0 + 1 + place as u64),
        at,
        author,
        mutation: mutation.id,
        made_at: mutation.made_at,
        base: mutation.base,
        knows: Knows::Everything,
        index: 0,
    }
}

/// Adds what an observer of the view has to look at again after these changes.
#[inline(never)]
fn touch<D: Domain>(touched: &mut BTreeSet<D::Touched>, changes: &[BookChange<D>], view: &BookState<D>) {
    let domain_changes = changes.iter().filter_map(|change| match change {
        Change::Domain(change) => Some(change),
        Change::Member(_) => None,
    });
    touched.extend(domain_changes.flat_map(|change| D::touches(change, &view.domain)));
}

type ParsedEntry<'a, D> = (Entry<BookChange<D>>, &'a RawValue);

fn parse_entries<D: Domain>(raw: &[Box<RawValue>]) -> Result<Vec<ParsedEntry<'_, D>>, serde_json::Error> {
    raw.iter().map(|raw| Ok((serde_json::from_str(raw.get())?, &**raw))).collect()
}
