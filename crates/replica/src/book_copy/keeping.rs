//! What of a copy its store on this device has, and what is still to be written there.

use std::collections::VecDeque;

use tidebook_book::{BookState, ChainHash, Domain, Entry, MutationId, MutationNumber, Seq, SortedMap};

use super::following::Phase;
use super::{Applied, ParsedEntry, Rejection};
use crate::answer::Answer;
use crate::contradiction::Contradiction;
use crate::outbox::{Pending, Saved, encode};
use crate::stored::{FORMAT, Head, Rows, StoredRejection, StoredState};
use crate::{BookCopy, Forget, Lacking, StoreWrite, Stored, StoredError, Unsent};

/// How many entries are stored after the state before the state is written anew: what opening has to replay at most.
const STATE_AFTER_ENTRIES: u64 = 4_096;

/// How many entries before the state stay, for history and undo without a network.
pub(super) const HISTORY_ENTRIES: u64 = 4_096;

/// How a copy stands with its store.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    place: Place,
    due: Due,
    /// What the driver is writing just now, and the place to go back to should it fail.
    writing: Option<(Due, Place)>,
    /// The stored state did not read, and no snapshot has come since.
    pub(super) is_lost: bool,
    /// All that the store has of confirmed mutations was read for the next write, which forgets them there.
    pub(super) has_confirmed: bool,
}

/// What is stored, as far as this copy knows.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    revision: u64,
    starts: u64,
    /// Where the stored state stands.
    state_seq: Seq,
}

/// In what the store differs from the copy.
#[derive(Debug, Default)]
struct Due {
    head: bool,
    started_over: bool,
    /// Bounded like what arrives between two writes.
    entries: Vec<(Seq, String)>,
    outbox: SortedMap<MutationId, ()>,
    rejections: SortedMap<MutationId, ()>,
    /// Only while they are written.
    confirmed: Vec<(Seq, String)>,
}

impl Due {
    fn is_empty(&self) -> bool {
        !self.head
            && !self.started_over
            && self.entries.is_empty()
            && self.outbox.is_empty()
            && self.rejections.is_empty()
    }

    /// What was not written after all, and what came since.
    fn followed_by(mut self, later: Self) -> Self {
        if later.started_over {
            self.entries.clear();
        }
        self.entries.extend(later.entries);
        self.outbox.extend(later.outbox);
        self.rejections.extend(later.rejections);
        let (head, started_over) = (self.head || later.head, self.started_over || later.started_over);
        Self { head, started_over, ..self }
    }
}

impl Kept {
    pub(crate) fn note_entry(&mut self, seq: Seq, bytes: &str) {
        self.due.entries.push((seq, bytes.to_owned()));
    }

    pub(crate) fn note_mutation(&mut self, id: MutationId) {
        self.due.outbox.insert(id, ());
    }

    pub(crate) fn note_rejection(&mut self, id: MutationId) {
        self.due.rejections.insert(id, ());
    }

    pub(crate) fn note_start(&mut self) {
        self.due.started_over = true;
        self.due.entries.clear();
    }
}

impl<D: Domain> BookCopy<D> {
    /// The next write forgets what the store has, and some of that is to stay.
    pub(crate) fn wants_confirmed(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.writing.is_none() && kept.due.started_over)
    }

    /// Something here is not in the store yet, and nothing is being written.
    pub(crate) fn has_to_be_written(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.writing.is_none() && !kept.due.is_empty())
    }

    /// What somebody else wrote into the store, going by its head, where they did.
    pub(crate) fn lacking(&self, head: &str) -> Result<Option<Lacking>, StoredError> {
        let Some(kept) = &self.kept else { return Ok(None) };
        let head: Head = serde_json::from_str(head)?;
        let Place { revision, starts, .. } = kept.place;
        // A new start, not stored yet, and less than what another program has stored since. Should the store's be another
        // history after all, the server says so when it is asked for the book.
        let may_be_same = self.new_start.as_ref().is_some_and(|start| start.may_be_same_history);
        let is_overtaken = may_be_same && head.epoch == self.epoch && head.seq > self.seq;
        // Neither started over, and each heard of its epoch from the server, one of them after a restore.
        let is_another =
            self.epoch.zip(head.epoch).is_some_and(|(ours, theirs)| ours != theirs) && self.new_start.is_none();
        let is_same_start = revision > 0 && head.starts == starts && !is_another;
        Ok(if head.revision == revision {
            None
        } else if is_same_start && self.seq >= head.state_seq && !is_overtaken {
            Some(Lacking::EntriesAfter(self.seq))
        } else {
            Some(Lacking::Everything(head.state_seq))
        })
    }

    /// Takes in what is stored. What is here and not there yet stays, after it.
    pub(crate) fn handle_stored(&mut self, stored: &Stored) -> Result<Applied<D>, StoredError> {
        let mut rows = Rows::<D>::read(stored)?;
        self.read_since_asked = true;
        let (base, seq_before, hash_before) = (rows.state.take(), self.seq, self.hash);
        let applied = self.taking_the_outbox_off(|copy, applied| {
            let mut seen_at_most = Seq(u64::MAX);
            if let Lacking::Everything(_) = stored.lacking {
                seen_at_most = copy.seen_of(&rows.head);
                copy.starts += 1;
                copy.seen_before = copy.seen_before.min(seen_at_most);
                copy.start_from(&rows.head, base);
            }
            copy.follow(&stored.entries, &rows, applied);
            copy.merge_rejections(&mut rows);
            copy.merge_outbox(rows, seen_at_most);
        });
        if self.seq > seq_before || matches!(stored.lacking, Lacking::Everything(_)) {
            // Another program went on while this one waits for a snapshot: an older one would take it back.
            self.fetch.note_overtaken();
        }
        if !self.is_more_due() {
            // The store had what the server was asked for.
            self.answer = Answer::NotDue;
        }
        if self.seq > seq_before && self.is_following() {
            self.line_at.get_or_insert((seq_before, hash_before));
        }
        Ok(applied)
    }

    /// What the store had is what comes over the line after it, unless another program heard it of a history that is gone:
    /// a server that was restored and does not say so is known by nothing else.
    pub(super) fn compare_with_the_line(&mut self, entries: &[ParsedEntry<'_, D>]) -> Result<(), Contradiction> {
        let Some((mut seq, mut hash)) = self.line_at.take() else { return Ok(()) };
        for (entry, bytes) in entries {
            if entry.seq == seq.next() && seq < self.seq {
                (seq, hash) = (entry.seq, hash.followed_by(bytes.get().as_bytes()));
            }
        }
        if seq < self.seq {
            self.line_at = Some((seq, hash));
            return Ok(());
        }
        if hash == self.hash { Ok(()) } else { Err(Contradiction::AnotherLog(seq)) }
    }

    /// How much of the stored copy's history was seen here at most. Where another parts from the one left is not told here, nor
    /// whether a start over was into another, for a restored server may go on under the same epoch: then nothing counts.
    fn seen_of(&self, head: &Head) -> Seq {
        let is_same_start = self.kept.as_ref().is_some_and(|kept| kept.place.starts == head.starts);
        if is_same_start && self.epoch == head.epoch { self.seq.min(head.state_seq) } else { Seq::ZERO }
    }

    fn start_from(&mut self, head: &Head, base: Option<StoredState<D>>) {
        // The entries that are stored follow from a state that does not read, and go with it.
        let is_unreadable = base.is_none() && head.state_seq > Seq::ZERO;
        let is_lost = is_unreadable || head.lost;
        let (seq, hash, state) = match base {
            Some(base) => (base.seq, base.hash, base.into_state()),
            // It takes all of it from the server.
            None => (Seq::ZERO, ChainHash::ZERO, BookState::default()),
        };
        self.new_start = None;
        (self.seq, self.hash, self.view) = (seq, hash, state);
        (self.epoch, self.role, self.people) = (head.epoch, head.role, head.people.clone());
        if self.is_following() {
            self.phase = Phase::Apart;
        }
        if is_lost && !self.is_removed() {
            self.start_from_nothing_known();
        }
        if let Some(kept) = &mut self.kept {
            kept.is_lost = is_lost;
            kept.due.entries.clear();
            kept.due.started_over = is_unreadable;
            // What entered the history left, and is in the store's outbox still, may be lacking in this one.
            let Due { outbox, rejections, .. } = &mut kept.due;
            outbox.retain(|id, ()| self.outbox.find(*id).is_some() || rejections.contains_key(id));
            self.confirmed.clear();
        }
    }

    /// Entries that the store has, up to its last one: as if they came, but for writing them.
    fn follow(&mut self, entries: &[String], rows: &Rows<D>, applied: &mut Applied<D>) {
        if self.kept.as_ref().is_some_and(|kept| kept.due.started_over) {
            // They do not follow from what is here, and go when it is written.
            return;
        }
        for text in entries {
            // What this version cannot read it will ask the server about.
            let Ok(entry) = serde_json::from_str::<Entry<_>>(text) else { break };
            if entry.seq.0 == self.seq.0 + 1 {
                // Who stored the entry stored what became of the mutation, too, unless they did not know yet that it waits.
                if rows.outbox.iter().all(|(mutation, _)| mutation.id != entry.id) {
                    self.outbox.take(entry.id);
                }
                let is_mine = self.outbox.find(entry.id).is_some();
                self.apply(entry, text, is_mine, applied);
            }
        }
        self.head = self.head.max(self.seq);
        self.epoch = self.epoch.or(rows.head.epoch);
        if let Some(kept) = &mut self.kept {
            kept.due.entries.retain(|(due, _)| *due > rows.head.seq);
        }
    }

    fn merge_rejections(&mut self, rows: &mut Rows<D>) {
        let Some(kept) = &self.kept else { return };
        let mut mine = std::mem::take(&mut self.rejections);
        for StoredRejection { mutation, rejected, again } in std::mem::take(&mut rows.rejections) {
            let is_here = mine.iter().any(|known| known.mutation.id == mutation.id);
            // The person dealt with it here, which is still to be written.
            let is_gone = !is_here && kept.due.rejections.contains_key(&mutation.id);
            mine.retain(|known| known.mutation.id != mutation.id);
            if !is_gone {
                self.rejections.push(Rejection { mutation, rejected, again });
            }
        }
        mine.retain(|known| kept.due.rejections.contains_key(&known.mutation.id));
        self.rejections.append(&mut mine);
    }

    /// What is stored comes first and keeps its numbers; what is only here gets numbers after it, and counts as typed by
    /// somebody who had seen no more than this.
    fn merge_outbox(&mut self, rows: Rows<D>, seen_at_most: Seq) {
        let Some(kept) = &mut self.kept else { return };
        let is_same_line = rows.head.replica == self.author.replica;
        let mut merged: VecDeque<Pending<D>> = VecDeque::new();
        for (mutation, encoded) in rows.outbox {
            let is_due = kept.due.outbox.contains_key(&mutation.id);
            match self.outbox.take(mutation.id) {
                Some(mut known) if is_due => {
                    known.give_number(mutation.n);
                    // Whoever stored it may know better what had been seen.
                    known.lower_base(mutation.base);
                    merged.push_back(known);
                }
                Some(Pending { sent, is_from_before, .. }) => {
                    merged.push_back(Pending { sent, is_from_before, ..Pending::stored(mutation, encoded) });
                }
                // Its fate is known here, which is still to be written.
                None if is_due => {}
                None => merged.push_back(Pending::stored(mutation, encoded)),
            }
        }
        let mut last_n = if is_same_line { rows.head.last_n } else { MutationNumber::ZERO };
        // What was stored and is not any more found its fate elsewhere, were it withdrawn here since.
        for mut pending in self.outbox.take_all().into_iter().filter(|pending| pending.saved == Saved::Never) {
            pending.lower_base(seen_at_most);
            merged.push_back(pending);
            if let Some(pending) = merged.back_mut().filter(|_| is_same_line) {
                last_n = last_n.next();
                pending.give_number(last_n);
            }
        }
        let Head { revision, starts, state_seq, .. } = rows.head;
        kept.place = Place { revision, starts, state_seq };
        self.outbox.put_back(merged);
        self.last_n = last_n;
        if !is_same_line {
            self.last_n = self.outbox.renumber(MutationNumber::ZERO);
            self.note_whole_outbox();
        }
    }

    /// Something in the head is not as it was stored.
    pub(super) fn note_head(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.due.head = true;
        }
    }

    /// It is not as it was stored, and is to be written before it is sent.
    pub(super) fn note_change_of(&mut self, id: MutationId) {
        let Some(kept) = &mut self.kept else { return };
        kept.note_mutation(id);
        let changed = self.outbox.iter_mut().filter(|pending| pending.mutation.id == id && pending.is_saved());
        changed.for_each(|pending| pending.saved = Saved::Before);
    }

    /// What was typed counts as typed by somebody who had seen no more than this.
    pub(super) fn lower_bases(&mut self, ceiling: Seq) {
        self.seen_before = self.seen_before.min(ceiling);
        if let Some(kept) = &mut self.kept {
            let lowered = self.outbox.iter().filter(|pending| pending.mutation.base > ceiling);
            lowered.for_each(|pending| kept.note_mutation(pending.mutation.id));
        }
        self.outbox.lower_bases(ceiling);
    }

    /// All of the outbox is to be written before it is sent.
    pub(super) fn note_whole_outbox(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.due.head = true;
            for pending in self.outbox.iter_mut() {
                pending.saved = Saved::Never;
                kept.note_mutation(pending.mutation.id);
            }
        }
    }

    /// The next write, for a store whose head was compared in the same transaction.
    pub(crate) fn take_write(&mut self) -> Option<StoreWrite> {
        let kept = self.kept.as_mut().filter(|kept| kept.writing.is_none() && !kept.due.is_empty())?;
        let has_confirmed = std::mem::take(&mut kept.has_confirmed);
        if kept.due.started_over && !has_confirmed {
            return None;
        }
        let (mut due, before) = (std::mem::take(&mut kept.due), kept.place);
        due.confirmed = std::mem::take(&mut self.confirmed);
        let with_state = due.started_over || self.seq.0.saturating_sub(before.state_seq.0) > STATE_AFTER_ENTRIES;
        let state_seq = if with_state { self.seq } else { before.state_seq };
        let (revision, starts) =
            (before.revision.wrapping_add(1), before.starts.wrapping_add(u64::from(due.started_over)));
        kept.place = Place { revision, starts, state_seq };
        let forget = match with_state {
            _ if due.started_over => Forget::All,
            true => Forget::UpTo(Seq(self.seq.0.saturating_sub(HISTORY_ENTRIES))),
            false => Forget::Nothing,
        };
        let head = Head {
            format: FORMAT,
            revision,
            starts,
            replica: self.author.replica,
            last_n: self.last_n,
            epoch: self.epoch,
            seq: self.seq,
            state_seq,
            lost: kept.is_lost,
            head: self.head,
            role: self.role,
            people: self.people.clone(),
        };
        let row = |id: &MutationId| (*id, self.outbox.find(*id).map(|pending| pending.encoded.clone()));
        let outbox = due.outbox.keys().map(row).collect();
        let rejections = due.rejections.keys().map(|id| (*id, self.rejection_row(*id))).collect();
        let (entries, confirmed) = (due.entries.clone(), due.confirmed.clone());
        if let Some(kept) = &mut self.kept {
            kept.writing = Some((due, before));
        }
        let state = with_state.then(|| self.state_row());
        Some(StoreWrite { head: text(&head), state, forget, entries, confirmed, outbox, rejections })
    }

    fn rejection_row(&self, id: MutationId) -> Option<String> {
        self.rejections.iter().find(|rejection| rejection.mutation.id == id).map(row_of)
    }

    /// What the person wrote that is in no book: mutations as they are pushed, and rejections as they are stored.
    #[must_use]
    pub fn unsent(&self) -> Unsent {
        let standing = self.outbox.iter().filter(|pending| !pending.is_withdrawn());
        let mutations = standing.map(|pending| pending.encoded.clone()).collect();
        Unsent { mutations, rejections: self.rejections.iter().map(row_of).collect() }
    }

    /// The confirmed state.
    fn state_row(&mut self) -> String {
        let mut row = String::new();
        self.taking_the_outbox_off(|copy, _| {
            let BookState { members, domain } = std::mem::take(&mut copy.view);
            let (version, seq, hash) = (D::STATE_VERSION, copy.seq, copy.hash);
            let stored = StoredState::<D> { version, seq, hash, members, state: domain };
            row = text(&stored);
            copy.view = stored.into_state();
        });
        row
    }

    /// It is in the store, for good. True where the server may be asked for the book from now on.
    pub(crate) fn handle_written(&mut self) -> bool {
        let Some(kept) = &mut self.kept else { return false };
        let Some((written, _)) = kept.writing.take() else { return false };
        for pending in self.outbox.iter_mut() {
            let id = &pending.mutation.id;
            match kept.due.outbox.contains_key(id) {
                _ if !written.outbox.contains_key(id) => {}
                false => pending.saved = Saved::AsItIs,
                true if pending.is_withdrawn() => pending.saved = Saved::Before,
                // It has another number since.
                true => {}
            }
        }
        self.new_start.take_if(|_| written.started_over && !kept.due.started_over).is_some()
    }

    /// Nothing of it is in the store.
    pub(crate) fn handle_write_failed(&mut self) {
        let Some(kept) = &mut self.kept else { return };
        let Some((mut unwritten, before)) = kept.writing.take() else { return };
        unwritten.confirmed.append(&mut self.confirmed);
        self.confirmed = std::mem::take(&mut unwritten.confirmed);
        kept.place = before;
        kept.due = unwritten.followed_by(std::mem::take(&mut kept.due));
    }

    /// There is no store any more: what is here is offered as it is.
    pub(crate) fn go_on_in_memory(&mut self) {
        let writing = self.kept.take().and_then(|kept| kept.writing);
        self.start_without_store(writing.map(|(due, _)| due.confirmed).unwrap_or_default());
        self.outbox.iter_mut().for_each(|pending| pending.saved = Saved::AsItIs);
    }

    /// Entries that the store may not have yet, in order; for a history that is read from there.
    pub fn unwritten(&self) -> impl Iterator<Item = &str> + Clone {
        let kept = self.kept.as_ref();
        let writing = kept.and_then(|kept| kept.writing.as_ref()).map(|(due, _)| &due.entries);
        let entries = writing.into_iter().chain(kept.map(|kept| &kept.due.entries)).flatten();
        entries.map(|(_, text)| text.as_str())
    }

    /// How many mutations would be lost with the program.
    #[must_use]
    pub fn unsaved(&self) -> usize {
        match self.kept {
            Some(_) => self.outbox.iter().filter(|pending| !pending.is_saved()).count(),
            None => self.outbox.len(),
        }
    }
}

impl<D: Domain> Pending<D> {
    pub(super) fn stored(mutation: tidebook_book::Mutation<D::Op>, encoded: String) -> Self {
        let (predicted, undos) = (Vec::new(), Vec::new());
        Self { mutation, encoded, sent: false, saved: Saved::AsItIs, is_from_before: false, predicted, undos }
    }

    fn give_number(&mut self, n: MutationNumber) {
        if self.mutation.n != n {
            self.mutation.n = n;
            self.encoded = encode(&self.mutation);
            self.sent = false;
        }
    }
}

fn row_of<D: Domain>(Rejection { mutation, rejected, again }: &Rejection<D>) -> String {
    text(&StoredRejection { mutation: mutation.clone(), rejected: rejected.clone(), again: *again })
}

fn text(row: &impl serde::Serialize) -> String {
    serde_json::to_string(row).expect("a row serialises into memory")
}
