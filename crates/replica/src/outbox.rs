//! Mutations whose entry has not come back yet, in the order of their numbers.
//!
//! ```text
//!   made ──▶ saved ──▶ sent ──▶ its entry comes: taken out, and
//!              ▲         │        with changes   remembered as confirmed, for a server that loses it
//!              └─────────┘        with none and a reason   kept as a rejection, until the person decides
//!    offered again: a new line, a refusal that time mends, a new number or base, withdrawn (and saved as such first)
//! ```
//!
//! Without a store a mutation is as good as saved when it is made. Nothing but its entry takes one out: a withdrawn one
//! stays too, without ops. Numbers ascend by one, except where one between is gone for good; then no push goes
//! across the gap. What is held as a whole ([`Held`]) is not sent, and everything above goes on.
//!
//! Each pending mutation carries what it did to the view and how to take that back, so the outbox comes off the view last
//! one first and goes on again in order.

use std::collections::VecDeque;

use serde::Serialize;
use tidebook_book::{BookChange, Domain, Mutation, MutationId, MutationNumber, Seq, StateUndo};
use tidebook_protocol::{FRAME_BYTES, FRAME_UP_BYTES_MAX, MUTATION_BYTES_MAX, Refusal};

/// What may be on its way unanswered, in bytes: enough to keep a server busy through a round trip, little enough that
/// a lost line loses no time.
const IN_FLIGHT_BYTES_MAX: usize = 1024 * 1024;

/// What a push frame needs beside its mutations.
const PUSH_ENVELOPE_BYTES: usize = 256;

const _: () = assert!(PUSH_ENVELOPE_BYTES + MUTATION_BYTES_MAX < FRAME_UP_BYTES_MAX, "one mutation fits a frame");

/// Whether a mutation outlives the program. It is offered only as it was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saved {
    /// No store ever had it under its number.
    Never,
    /// The store has it as it was before it was withdrawn.
    Before,
    AsItIs,
}

/// A mutation in the outbox.
#[derive(Debug)]
pub struct Pending<D: Domain> {
    /// Without ops where the person withdrew it.
    pub mutation: Mutation<D::Op>,
    /// As it is pushed.
    pub(crate) encoded: String,
    /// On its way on this line, or in the log by the server's word: not to be offered now.
    pub(crate) sent: bool,
    pub(crate) saved: Saved,
    /// It was made in another history than this one, which may lack yet what it names.
    pub(crate) is_from_before: bool,
    /// What it did to the view; empty where the view does not take it now and the server must decide.
    pub(crate) predicted: Vec<BookChange<D>>,
    /// Of what is predicted, in that order; reverted before those of any earlier mutation.
    pub(crate) undos: Vec<StateUndo<D>>,
}

impl<D: Domain> Pending<D> {
    /// The person took it back, and waits for no fate of it.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        // Nothing comes in without ops.
        self.mutation.ops.is_empty()
    }

    /// What it would change as things stand here; nothing where only the server can tell.
    #[must_use]
    pub fn predicted(&self) -> &[BookChange<D>] {
        &self.predicted
    }

    /// It counts as typed by somebody who had seen no more than this.
    pub(crate) fn lower_base(&mut self, ceiling: Seq) {
        if self.mutation.base > ceiling {
            self.mutation.base = ceiling;
            self.encoded = encode(&self.mutation);
            self.sent = false;
        }
    }

    /// It outlives the program, as far as this replica keeps anything.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.saved == Saved::AsItIs
    }
}

/// Why the server does not take an outbox. Nothing of it is sent until that is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub code: Refusal,
    /// For people.
    pub detail: String,
}

impl Held {
    /// The numbers of this replica are another's too, or do not fit the log: no new try under them can help.
    pub(crate) fn needs_new_replica(&self) -> bool {
        matches!(self.code, Refusal::Forked | Refusal::ReplicaTaken)
    }

    fn is_about_the_role(&self) -> bool {
        matches!(self.code, Refusal::ReadOnly | Refusal::NotAMember)
    }
}

/// Grows only with what the person typed and the server has not answered: each mutation is one act of theirs, at most
/// [`tidebook_protocol::MUTATION_BYTES_MAX`] long, and to let go of one would be to lose it.
#[derive(Debug)]
pub(crate) struct Outbox<D: Domain> {
    pending: VecDeque<Pending<D>>,
    in_flight_bytes: usize,
    /// Set by a refusal that time alone does not mend; nothing is sent meanwhile.
    held: Option<Held>,
}

impl<D: Domain> Default for Outbox<D> {
    fn default() -> Self {
        Self { pending: VecDeque::new(), in_flight_bytes: 0, held: None }
    }
}

/// A mutation as it is pushed.
pub(crate) fn encode<Op: Serialize>(mutation: &Mutation<Op>) -> String {
    serde_json::to_string(mutation).expect("a mutation serialises into memory")
}

impl<D: Domain> Outbox<D> {
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Pending<D>> {
        self.pending.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Pending<D>> {
        self.pending.iter_mut()
    }

    /// Something was pushed over this line, or is in the log by the server's word, and its entry has not come.
    pub(crate) fn is_in_flight(&self) -> bool {
        self.in_flight_bytes > 0
    }

    pub(crate) fn find(&self, id: MutationId) -> Option<&Pending<D>> {
        self.pending.iter().find(|pending| pending.mutation.id == id)
    }

    pub(crate) fn first_number(&self) -> Option<MutationNumber> {
        self.pending.front().map(|pending| pending.mutation.n)
    }

    /// Later numbers wait here, but not this one, which the server must have first.
    pub(crate) fn lacks(&self, n: MutationNumber) -> bool {
        let next = self.pending.iter().map(|pending| pending.mutation.n).find(|there| *there >= n);
        next.is_some_and(|next| next != n)
    }

    /// It has all numbers that were given after `last`.
    pub(crate) fn is_whole(&self, last: MutationNumber, last_given: MutationNumber) -> bool {
        self.pending.iter().map(|pending| pending.mutation.n.0).eq(last.0 + 1..=last_given.0)
    }

    pub(crate) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    pub(crate) fn push(&mut self, pending: Pending<D>) {
        self.pending.push_back(pending);
    }

    /// Takes everything out, for another order.
    pub(crate) fn take_all(&mut self) -> VecDeque<Pending<D>> {
        std::mem::take(&mut self.pending)
    }

    pub(crate) fn put_back(&mut self, pending: VecDeque<Pending<D>>) {
        self.pending = pending;
        let sent = self.pending.iter().filter(|pending| pending.sent);
        self.in_flight_bytes = sent.map(|pending| pending.encoded.len()).sum();
    }

    /// Its entry came: takes the mutation out.
    pub(crate) fn take(&mut self, id: MutationId) -> Option<Pending<D>> {
        // The oldest is nearly always the one.
        let place = self.pending.iter().position(|pending| pending.mutation.id == id)?;
        let pending = self.pending.remove(place)?;
        if pending.sent {
            self.in_flight_bytes -= pending.encoded.len();
        }
        Some(pending)
    }

    /// Takes the ops out, to be offered under the same id and number without them. Some other content never is.
    pub(crate) fn withdraw(&mut self, id: MutationId) -> Option<Vec<D::Op>> {
        let pending = self.pending.iter_mut().find(|pending| pending.mutation.id == id)?;
        if std::mem::take(&mut pending.sent) {
            self.in_flight_bytes -= pending.encoded.len();
        }
        let ops = std::mem::take(&mut pending.mutation.ops);
        pending.encoded = encode(&pending.mutation);
        Some(ops)
    }

    /// Whatever was on its way may be lost: offers again all after `accepted`, the last number the log holds.
    pub(crate) fn offer_again_after(&mut self, accepted: MutationNumber) {
        self.in_flight_bytes = 0;
        for pending in &mut self.pending {
            pending.sent = pending.mutation.n <= accepted;
            if pending.sent {
                self.in_flight_bytes += pending.encoded.len();
            }
        }
    }

    /// Offers again what the log is said to hold and has not shown: asked by its id, the server answers with its fate.
    pub(crate) fn offer_again_up_to(&mut self, accepted: MutationNumber) {
        for pending in self.pending.iter_mut().take_while(|pending| pending.mutation.n <= accepted) {
            if std::mem::take(&mut pending.sent) {
                self.in_flight_bytes -= pending.encoded.len();
            }
        }
    }

    /// Numbers from the one after `last` on, the rest as it was, all to be offered. Returns the last number given.
    pub(crate) fn renumber(&mut self, mut last: MutationNumber) -> MutationNumber {
        for pending in &mut self.pending {
            last = last.next();
            pending.mutation.n = last;
            pending.encoded = encode(&pending.mutation);
        }
        self.offer_again_after(MutationNumber::ZERO);
        last
    }

    /// Nothing later than `ceiling` counts as seen by the author any more. All is to be offered again.
    pub(crate) fn lower_bases(&mut self, ceiling: Seq) {
        self.pending.iter_mut().for_each(|pending| pending.lower_base(ceiling));
        self.offer_again_after(MutationNumber::ZERO);
    }

    /// Sends nothing more until that is mended. What needs a new replica id is mended by nothing else.
    pub(crate) fn hold(&mut self, held: Held) {
        if !self.held.as_ref().is_some_and(Held::needs_new_replica) {
            self.held = Some(held);
        }
    }

    /// The server is ready for another try.
    pub(crate) fn lift_hold(&mut self) {
        self.held.take_if(|held| !held.needs_new_replica());
    }

    pub(crate) fn lift_hold_for_new_replica(&mut self) {
        self.held.take_if(|held| held.needs_new_replica());
    }

    /// The person may write (again): what was refused for their role is offered again.
    pub(crate) fn lift_hold_about_role(&mut self) {
        if self.held.take_if(|held| held.is_about_the_role()).is_some() {
            self.offer_again_after(MutationNumber::ZERO);
        }
    }

    /// The op the server did not know may have been the one withdrawn.
    pub(crate) fn lift_hold_about_ops(&mut self) {
        if self.held.take_if(|held| held.code == Refusal::UnknownOp).is_some() {
            self.offer_again_after(MutationNumber::ZERO);
        }
    }

    /// The next frame's worth of mutations to push, marked as sent. Their numbers follow one another without a gap.
    pub(crate) fn next_batch(&mut self) -> Vec<String> {
        let mut batch = Vec::new();
        let mut bytes = PUSH_ENVELOPE_BYTES;
        // The outbox may be long, and each new mutation asks for a batch.
        if self.held.is_some() || self.in_flight_bytes >= IN_FLIGHT_BYTES_MAX {
            return batch;
        }
        let mut due = None;
        for pending in self.pending.iter_mut().skip_while(|pending| pending.sent) {
            let n = pending.mutation.n;
            let follows = pending.is_saved() && !pending.sent && due.is_none_or(|due| due == n);
            let size = pending.encoded.len() + 1;
            let fits = bytes + size <= FRAME_BYTES || batch.is_empty();
            let fits = fits && self.in_flight_bytes < IN_FLIGHT_BYTES_MAX;
            if !follows || !fits {
                break;
            }
            due = Some(n.next());
            bytes += size;
            self.in_flight_bytes += pending.encoded.len();
            pending.sent = true;
            batch.push(pending.encoded.clone());
        }
        batch
    }
}
