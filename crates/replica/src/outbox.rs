//! Mutations whose entry has not come back yet, in the order of their numbers.

use std::collections::VecDeque;

use tidebook_book::{BookChange, Domain, Mutation, MutationId, MutationNumber, StateUndo};
use tidebook_protocol::FRAME_UP_BYTES_MAX;

/// What may be on its way unanswered, in bytes: enough to keep a server busy through a round trip, little enough that
/// a lost line loses no time.
const IN_FLIGHT_BYTES_MAX: usize = 1024 * 1024;

/// What a push frame needs beside its mutations.
const PUSH_ENVELOPE_BYTES: usize = 256;

/// A mutation in the outbox.
#[derive(Debug)]
pub struct Pending<D: Domain> {
    pub mutation: Mutation<D::Op>,
    /// As it is pushed.
    pub(crate) encoded: String,
    pub(crate) sent: bool,
    /// What it did to the view; empty where the view does not take it now and the server must decide.
    pub(crate) predicted: Vec<BookChange<D>>,
    pub(crate) undos: Vec<StateUndo<D>>,
}

#[derive(Debug)]
pub(crate) struct Outbox<D: Domain> {
    pending: VecDeque<Pending<D>>,
    in_flight_bytes: usize,
    /// Set by a refusal that time or a person must mend; nothing is sent meanwhile.
    pub(crate) held: Option<String>,
}

impl<D: Domain> Default for Outbox<D> {
    fn default() -> Self {
        Self { pending: VecDeque::new(), in_flight_bytes: 0, held: None }
    }
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

    pub(crate) fn first_number(&self) -> Option<MutationNumber> {
        self.pending.front().map(|pending| pending.mutation.n)
    }

    pub(crate) fn push(&mut self, pending: Pending<D>) {
        self.pending.push_back(pending);
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

    /// The next frame's worth of mutations to push, marked as sent.
    pub(crate) fn next_batch(&mut self) -> Vec<String> {
        let mut batch = Vec::new();
        let mut bytes = PUSH_ENVELOPE_BYTES;
        if self.held.is_some() {
            return batch;
        }
        for pending in self.pending.iter_mut().filter(|pending| !pending.sent) {
            let size = pending.encoded.len() + 1;
            let fits = bytes + size <= FRAME_UP_BYTES_MAX && self.in_flight_bytes < IN_FLIGHT_BYTES_MAX;
            if !fits {
                break;
            }
            bytes += size;
            self.in_flight_bytes += pending.encoded.len();
            pending.sent = true;
            batch.push(pending.encoded.clone());
        }
        batch
    }
}
