//! What a copy that starts over still knows of its former history: how much of the new one was seen in it, and own mutations
//! that were confirmed. A server restored from a backup may have lost those, and gets them back from here.

use std::collections::{BTreeSet, VecDeque};

use tidebook_book::{Domain, HashedId, Mutation, MutationId, MutationNumber, ReplicaId, Role, Seq, SortedMap};

use super::keeping::HISTORY_ENTRIES;
use super::{Applied, Fate};
use crate::outbox::encode;
use crate::stored::{Confirmed, confirmed_row};
use crate::{BookCopy, Pending, Seen, StoredError};

/// How much of them stays in memory where there is no store, as text. In a store they are about as long as the entries
/// beside them, and go with those.
const CONFIRMED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a snapshot tells of its history.
#[derive(Debug)]
pub(super) struct NewStart {
    /// Each replica's last number.
    pub(super) replicas: SortedMap<ReplicaId, MutationNumber>,
    /// The last seq of this history that may have been seen here. What it lacks of what was confirmed can lower that.
    pub(super) seen_at_most: Seq,
    /// Should it be another than the one before: they part at this seq or before it.
    pub(super) parted_at: Seq,
    /// The server has not said that it is another.
    pub(super) may_be_same_history: bool,
    /// It is another by all that the snapshot tells, whatever it lacks.
    pub(super) is_another_history: bool,
}

/// What a snapshot's history has of the mutations that were confirmed before, and what it lacks.
struct Compared<D: Domain> {
    there: Vec<(Confirmed, Mutation<D::Op>)>,
    /// In the order of their old entries.
    lacking: VecDeque<Pending<D>>,
    /// All of it was confirmed under the numbers of this replica.
    is_own: bool,
    seen_at_most: Seq,
}

impl<D: Domain> BookCopy<D> {
    /// What a form shows that opens now: the base of what it will ask for.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen { seq: self.seq, starts: self.starts }
    }

    /// How much of this history somebody has seen who had seen that.
    pub(crate) fn base_of(&self, Seen { seq, starts }: Seen) -> Seq {
        let ceiling = if starts == self.starts { self.seq } else { self.seen_before.min(self.seq) };
        seq.min(ceiling)
    }

    /// The mutation has its entry, and may be lacking one day.
    pub(super) fn remember(&mut self, Fate { seq, replica, n, .. }: &Fate, mut mutation: Mutation<D::Op>) {
        mutation.n = *n;
        self.confirmed.push((*seq, confirmed_row(*seq, *replica, &encode(&mutation))));
        if self.kept.is_none() {
            let oldest = self.seq.0.saturating_sub(HISTORY_ENTRIES);
            let mut bytes: usize = self.confirmed.iter().map(|(_, row)| row.len()).sum();
            self.confirmed.retain(|(seq, row)| {
                let stays = seq.0 > oldest && bytes <= CONFIRMED_BYTES_MAX;
                bytes -= if stays { 0 } else { row.len() };
                stays
            });
        }
    }

    /// Goes on in the history of a snapshot; with a store, once all that was confirmed has been read from there.
    pub(super) fn start_anew(&mut self, start: NewStart) {
        self.starts += 1;
        self.lower_bases(start.seen_at_most);
        if let Some(kept) = &mut self.kept {
            // What was read of the store before was not compared with this start.
            (kept.is_lost, kept.has_confirmed) = (false, false);
        }
        self.new_start = Some(start);
        if self.kept.is_none() {
            if let Ok(compared) = self.compare(Vec::new()) {
                self.offer_what_is_lacking(compared);
            }
            self.new_start = None;
        }
    }

    /// Takes in all confirmed mutations that the store has. What does not read changes nothing.
    pub(crate) fn handle_confirmed(&mut self, stored: Vec<String>) -> Result<Applied<D>, StoredError> {
        let compared = self.compare(stored)?;
        if let Some(kept) = &mut self.kept {
            kept.has_confirmed = true;
        }
        Ok(self.taking_the_outbox_off(|copy, _| copy.offer_what_is_lacking(compared)))
    }

    /// Compares what is stored, and what is only here, with the history of the snapshot.
    fn compare(&self, stored: Vec<String>) -> Result<Compared<D>, StoredError> {
        let start = self.new_start.as_ref();
        let seen_at_most = start.map_or(Seq(u64::MAX), |start| start.seen_at_most);
        let mut compared = Compared { there: Vec::new(), lacking: VecDeque::new(), is_own: true, seen_at_most };
        for text in stored.into_iter().chain(self.confirmed.iter().map(|(_, text)| text.clone())) {
            let confirmed: Confirmed = serde_json::from_str(&text)?;
            let mutation: Mutation<D::Op> = serde_json::from_str(confirmed.mutation.get())?;
            let Confirmed { seq, replica, .. } = confirmed;
            match start {
                Some(start) if mutation.n > start.last_number(replica) => {
                    if seq <= self.seq {
                        // The snapshot would have it, if its history were the same; and if it parted where it was said to.
                        let parted_at = if seq > start.parted_at { start.parted_at } else { Seq::ZERO };
                        compared.seen_at_most = compared.seen_at_most.min(parted_at);
                    }
                    compared.is_own &= replica == self.author.replica;
                    // Two programs over one store may both remember it.
                    if compared.lacking.iter().all(|known| known.mutation.id != mutation.id) {
                        compared.lacking.push_back(Pending::stored(mutation, text));
                    }
                }
                _ => compared.there.push((confirmed, mutation)),
            }
        }
        Ok(compared)
    }

    /// What the new history lacks goes to the front of the outbox; the rest stays remembered. The numbers are as they were
    /// where the new history can take those. Where some are gone for good, a number that was never given leads to a new
    /// replica id ([`Self::check_next_number`]): given anew, an old one would pass for there in a history that has it.
    fn offer_what_is_lacking(&mut self, compared: Compared<D>) {
        let Compared { there, mut lacking, is_own, seen_at_most } = compared;
        // Should a later history lack it, no more counts as seen than does in this one.
        self.confirmed =
            there.into_iter().map(|(row, mutation)| (row.seq, row.lowered(mutation, seen_at_most))).collect();
        let start = self.new_start.as_ref();
        let is_another = !lacking.is_empty() || start.is_some_and(|start| start.is_another_history);
        if let Some(start) = start.filter(|_| !lacking.is_empty()) {
            let last = start.last_number(self.author.replica);
            for pending in &mut lacking {
                // It was put back before, and perhaps withdrawn since.
                if let Some(known) = self.outbox.take(pending.mutation.id) {
                    *pending = known;
                }
            }
            lacking.append(&mut self.outbox.take_all());
            self.outbox.put_back(lacking);
            let is_whole = is_own && self.outbox.is_whole(last, self.last_n);
            self.last_n = self.outbox.renumber(if is_whole { last } else { last.max(self.last_n) });
            self.note_whole_outbox();
        }
        self.outbox.iter_mut().for_each(|pending| pending.is_from_before |= is_another);
        self.lower_bases(seen_at_most);
    }

    /// What was made in another history and rejected in this one, as it did not fit the view either, is made anew once it does:
    /// who has what it names has come back. All tabs make the same of it.
    pub(crate) fn retry_rejected(&mut self) -> BTreeSet<D::Touched> {
        let mut touched = BTreeSet::new();
        if !self.role.is_some_and(Role::may_write) {
            return touched;
        }
        let again = self.rejections.iter().filter(|rejection| rejection.again);
        let waiting: Vec<Mutation<D::Op>> = again.map(|rejection| rejection.mutation.clone()).collect();
        for rejected in waiting {
            let (old, made_at) = (rejected.id, rejected.made_at);
            let mutation = Mutation { id: retried_id(old), n: self.last_n.next(), undoes: None, ..rejected };
            let encoded = encode(&mutation);
            if let Ok(changed) = self.add(mutation, encoded, made_at) {
                self.discard_rejection(old);
                touched.extend(changed);
            }
        }
        touched
    }

    /// There is no store any more: what it would still have to be asked for is out of reach.
    pub(super) fn start_without_store(&mut self, mut unwritten: Vec<(Seq, String)>) {
        unwritten.append(&mut self.confirmed);
        self.confirmed = unwritten;
        if let Some(start) = self.new_start.take() {
            self.start_anew(start);
        }
    }
}

/// The id under which a rejected mutation is tried again by itself.
#[must_use]
pub fn retried_id(rejected: MutationId) -> MutationId {
    MutationId(HashedId::new("tidebook/retried").field(rejected.0.as_bytes()).id())
}

impl Confirmed {
    /// Its row, as of somebody who had seen no more than this.
    fn lowered<Op: serde::Serialize>(&self, mut mutation: Mutation<Op>, ceiling: Seq) -> String {
        mutation.base = mutation.base.min(ceiling);
        confirmed_row(self.seq, self.replica, &encode(&mutation))
    }
}

impl NewStart {
    fn last_number(&self, replica: ReplicaId) -> MutationNumber {
        self.replicas.get(&replica).copied().unwrap_or_default()
    }
}
