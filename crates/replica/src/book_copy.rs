//! A copy of one book: confirmed state, outbox, and the view they make.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use tidebook_book::{
    Author, BookChange, BookId, BookState, ChainHash, Change, Domain, Draft, Entry, Epoch, Mutation, MutationId,
    MutationNumber, Person, Rejected, Role, Seq, Snapshot, UnixMillis,
};
use tidebook_protocol::{Subscribe, Subscribed};

use crate::outbox::{Outbox, Pending};

/// A copy of a book on this device.
#[derive(Debug)]
pub struct BookCopy<D: Domain> {
    book: BookId,
    author: Author,
    epoch: Option<Epoch>,
    /// The last entry applied, and the chain's hash there.
    seq: Seq,
    hash: ChainHash,
    /// What the server last said its head was.
    head: Seq,
    /// Confirmed state with the outbox applied on top.
    view: BookState<D>,
    pub(crate) outbox: Outbox<D>,
    last_n: MutationNumber,
    people: Vec<Person>,
    role: Option<Role>,
    pub(crate) subscribed: bool,
    /// The server does not go on from where this copy stands.
    needs_snapshot: bool,
    rejections: Vec<Rejection<D>>,
}

/// A mutation that became a rejection. What the person typed stays here until they edit, retry or discard it.
#[derive(Debug, Clone)]
pub struct Rejection<D: Domain> {
    pub mutation: Mutation<D::Op>,
    pub rejected: Rejected,
}

/// What incoming entries changed.
#[derive(Debug)]
pub(crate) struct Applied<D: Domain> {
    pub(crate) touched: BTreeSet<D::Touched>,
    pub(crate) news: BTreeSet<D::Touched>,
    pub(crate) rejected: Vec<MutationId>,
}

/// Why incoming entries could not be applied; the copy is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntriesError {
    #[error("entry {got} came where {expected} was due")]
    Gap { expected: Seq, got: Seq },
    #[error("unreadable entry: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl<D: Domain> BookCopy<D> {
    pub(crate) fn new(book: BookId, author: Author) -> Self {
        Self {
            book,
            author,
            epoch: None,
            seq: Seq::ZERO,
            hash: ChainHash::ZERO,
            head: Seq::ZERO,
            view: BookState::default(),
            outbox: Outbox::default(),
            last_n: MutationNumber::ZERO,
            people: Vec::new(),
            role: None,
            subscribed: false,
            needs_snapshot: false,
            rejections: Vec::new(),
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

    /// The person's role, once the server has told it.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// Mutations without an entry, oldest first.
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
    pub fn held(&self) -> Option<&str> {
        self.outbox.held.as_deref()
    }

    /// Everything this person wrote is in the log, and the log is here up to the head.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.subscribed && self.outbox.len() == 0 && self.seq >= self.head
    }

    pub(crate) fn next_number(&self) -> MutationNumber {
        self.last_n.next()
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
        let touched = touched_by::<D>(&decided.changes, &self.view);
        self.last_n = mutation.n;
        let (predicted, undos) = (decided.changes, decided.undos);
        self.outbox.push(Pending { mutation, encoded, sent: false, predicted, undos });
        Ok(touched)
    }

    pub(crate) fn subscribe_request(&self) -> Subscribe {
        Subscribe {
            book: self.book,
            epoch: self.epoch,
            after: self.seq,
            hash: (self.seq > Seq::ZERO).then_some(self.hash),
            pending_from: self.outbox.first_number(),
        }
    }

    pub(crate) fn handle_subscribed(&mut self, subscribed: &Subscribed) {
        self.epoch = Some(subscribed.epoch);
        self.head = subscribed.head;
        self.role = Some(subscribed.role);
        self.subscribed = true;
        self.needs_snapshot = false;
        self.outbox.held = None;
        self.outbox.offer_again_after(subscribed.accepted);
    }

    pub(crate) fn handle_snapshot_required(&mut self) {
        self.subscribed = false;
        self.needs_snapshot = true;
    }

    pub(crate) fn handle_people(&mut self, people: Vec<Person>) {
        self.people = people;
    }

    pub(crate) fn handle_role(&mut self, role: Option<Role>) {
        self.role = role;
        if role.is_none() {
            self.subscribed = false;
            self.outbox.held = Some("you are no longer a member of this book".into());
        }
    }

    /// Own entries from before the cursor: they empty the outbox, their changes are in the state already.
    pub(crate) fn handle_fates(&mut self, entries: &[Box<RawValue>]) -> Result<Applied<D>, EntriesError> {
        let entries = parse_entries::<D>(entries)?;
        let mut applied = self.taking_the_outbox_off(|copy, applied| {
            for (entry, _) in &entries {
                copy.settle(entry, applied);
            }
        });
        applied.news.clear();
        Ok(applied)
    }

    /// Entries in order. One rebase for all of them.
    pub(crate) fn handle_entries(&mut self, raw: &[Box<RawValue>]) -> Result<Applied<D>, EntriesError> {
        let mut entries = parse_entries::<D>(raw)?;
        entries.retain(|(entry, _)| entry.seq > self.seq);
        for (expected, (entry, _)) in (self.seq.0 + 1..).zip(&entries) {
            if entry.seq.0 != expected {
                return Err(EntriesError::Gap { expected: Seq(expected), got: entry.seq });
            }
        }
        Ok(self.taking_the_outbox_off(|copy, applied| {
            for (entry, bytes) in &entries {
                copy.view.apply_entry(entry);
                copy.seq = entry.seq;
                copy.hash = copy.hash.followed_by(bytes.get().as_bytes());
                let touched = touched_by::<D>(&entry.changes, &copy.view);
                if entry.replica != copy.author.replica {
                    applied.news.extend(touched.iter().cloned());
                }
                applied.touched.extend(touched);
                copy.settle(entry, applied);
            }
            copy.head = copy.head.max(copy.seq);
        }))
    }

    /// Starts over from a snapshot, keeping the outbox. One that comes late, when the copy has gone on by another way,
    /// would take it back in time: it is passed over, and the answer is false.
    pub(crate) fn handle_snapshot(&mut self, snapshot: Snapshot<D>) -> bool {
        if !std::mem::take(&mut self.needs_snapshot) {
            return false;
        }
        self.epoch = Some(snapshot.epoch);
        self.seq = snapshot.seq;
        self.hash = snapshot.hash;
        self.head = snapshot.seq;
        self.people = snapshot.people.clone();
        self.view = snapshot.into_state();
        // The old view is gone, and with it what the undos would have taken back.
        self.outbox.iter_mut().for_each(|pending| pending.undos.clear());
        self.replay_the_outbox(&mut BTreeSet::new());
        true
    }

    /// Drops a rejection the person has dealt with.
    pub(crate) fn discard_rejection(&mut self, mutation: MutationId) -> Option<Rejection<D>> {
        let place = self.rejections.iter().position(|rejection| rejection.mutation.id == mutation)?;
        Some(self.rejections.remove(place))
    }

    /// Runs `change` on the confirmed state, then puts what is left of the outbox back on top.
    fn taking_the_outbox_off(&mut self, change: impl FnOnce(&mut Self, &mut Applied<D>)) -> Applied<D> {
        let mut applied = Applied { touched: BTreeSet::new(), news: BTreeSet::new(), rejected: Vec::new() };
        for pending in self.outbox.iter_mut().rev() {
            applied.touched.extend(touched_by::<D>(&pending.predicted, &self.view));
            self.view.revert_all(std::mem::take(&mut pending.undos));
        }
        change(self, &mut applied);
        self.replay_the_outbox(&mut applied.touched);
        applied
    }

    fn replay_the_outbox(&mut self, touched: &mut BTreeSet<D::Touched>) {
        let (seq, author) = (self.seq, self.author);
        for (index, pending) in self.outbox.iter_mut().enumerate() {
            let draft = draft_of(&pending.mutation, seq, index, author, pending.mutation.made_at);
            (pending.predicted, pending.undos) = match self.view.decide_and_apply(&pending.mutation.ops, draft) {
                Ok(decided) => (decided.changes, decided.undos),
                Err(_) => (Vec::new(), Vec::new()),
            };
            touched.extend(touched_by::<D>(&pending.predicted, &self.view));
        }
    }

    /// The entry is its mutation's fate: the outbox lets go of it, and a rejection is kept for the person.
    fn settle(&mut self, entry: &Entry<BookChange<D>>, applied: &mut Applied<D>) {
        let Some(pending) = self.outbox.take(entry.id) else { return };
        applied.touched.extend(touched_by::<D>(&pending.predicted, &self.view));
        if let Some(rejected) = &entry.rejected {
            applied.rejected.push(entry.id);
            self.rejections.push(Rejection { mutation: pending.mutation, rejected: rejected.clone() });
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
        index: 0,
    }
}

fn touched_by<D: Domain>(changes: &[BookChange<D>], view: &BookState<D>) -> BTreeSet<D::Touched> {
    let domain_changes = changes.iter().filter_map(|change| match change {
        Change::Domain(change) => Some(change),
        Change::Member(_) => None,
    });
    domain_changes.flat_map(|change| D::touches(change, &view.domain)).collect()
}

type ParsedEntry<'a, D> = (Entry<BookChange<D>>, &'a RawValue);

fn parse_entries<D: Domain>(raw: &[Box<RawValue>]) -> Result<Vec<ParsedEntry<'_, D>>, EntriesError> {
    raw.iter().map(|raw| Ok((serde_json::from_str(raw.get())?, &**raw))).collect()
}
