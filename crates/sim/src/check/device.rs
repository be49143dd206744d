//! What a device has, after each thing that happened to it.

use tidebook_book::{BookId, BookState, Draft, Knows, MutationId, Seq};
use tidebook_ledger::{Ledger, LedgerBook};
use tidebook_replica::{BookCopy, retried_id};

use super::{BookCheck, Checked, Checker, Invariant, Made, MadeFate};
use crate::client::Client;
use crate::screen::Screen;

/// One copy of a book.
#[derive(Debug, Default)]
pub(super) struct DeviceCheck {
    /// How far the copy has come.
    seen: Seq,
    /// Mutations made here that have no entry yet, as far as this device knows.
    pub(super) waiting: Vec<MutationId>,
}

impl DeviceCheck {
    /// A copy of what is lost may start over from less, and so may a tab with what is stored.
    pub(super) fn go_back_to(&mut self, until: Seq) {
        self.seen = self.seen.min(until);
    }
}

impl Checker {
    /// Something happened to a device.
    pub(crate) fn check_device(&mut self, index: usize, client: &Client, store_life: u64) -> Checked {
        let is_kept = client.keeps_in == Some(store_life);
        for book in client.books() {
            self.note_retried(index, client, book);
            if is_kept {
                self.note_saved(client.copy(book));
            }
            self.check_copy(index, client, book)?;
        }
        Ok(())
    }

    /// What a restored server rejected and is tried again by itself is what its person made, under another id.
    fn note_retried(&mut self, index: usize, client: &Client, book: BookId) {
        let copy = client.copy(book);
        let unknown = copy.pending().filter(|pending| !self.made.contains_key(&pending.mutation.id));
        let retried: Vec<(MutationId, u64)> =
            unknown.map(|pending| (pending.mutation.id, pending.mutation.n.0)).collect();
        for (id, n) in retried {
            let mut made = self.made.iter_mut();
            let (_, rejected) = made.find(|(rejected, _)| retried_id(**rejected) == id).expect("someone made it");
            rejected.fate.discarded = true;
            let (replica, keeps, fate) = (client.replica.id(), client.keeps_in.is_some(), MadeFate::default());
            let again = Made { client: index, replica, n, undoes: None, keeps, fate, ..rejected.clone() };
            self.made.insert(id, again);
        }
    }

    fn check_copy(&mut self, index: usize, client: &Client, book: BookId) -> Checked {
        let (copy, check) = (client.copy(book), self.books.get(&book).expect("a book of this world"));
        let device = self.devices.entry((index, book)).or_default();
        let seq = copy.seq();
        let name = || &client.name;
        let is_right = client.line.is_some() || copy.peers().is_empty();
        Invariant::Presence.require(is_right, || format!("{} has no line and shows who is there", name()))?;
        if check.is_lost(seq, copy.hash()) || is_mixed(check, client, copy) {
            // It has not heard of it yet.
            return Ok(());
        }
        let fits = check.was_restored() || copy.contradictions().count == 0;
        Invariant::Convergence.require(fits, || {
            format!("{} finds a contradiction where there is none: {:?}", name(), copy.contradictions())
        })?;
        Invariant::NeverBack
            .require(seq >= device.seen, || format!("{} goes back from {} to {seq}", name(), device.seen))?;
        device.seen = seq;
        Invariant::GaplessOrder
            .require(check.hash_at(seq) == Some(copy.hash()), || format!("{} has another log at {seq}", name()))?;
        let is_same = copy.pending().map(|pending| &pending.mutation.id).eq(&device.waiting);
        // What a new history lacks of its own it finds in its store, and puts back first.
        if is_same || client.replica.wants_confirmed(book) {
            return Ok(());
        }
        // Others come from the store, or were confirmed and got lost.
        let waits: Vec<MutationId> = copy.pending().map(|pending| pending.mutation.id).collect();
        let before = std::mem::replace(&mut device.waiting, waits);
        let gone = before.into_iter().filter(|id| copy.pending().all(|pending| pending.mutation.id != *id));
        gone.into_iter().try_for_each(|id| self.check_settled(client, book, id))
    }

    /// A mutation has left an outbox: it is in the log, and where it was rejected it is shown.
    fn check_settled(&self, client: &Client, book: BookId, id: MutationId) -> Checked {
        let check = self.book(book);
        let made = &self.made[&id];
        let is_shown = client.copy(book).rejections().iter().any(|rejection| rejection.mutation.id == id);
        let Some(seq) = check.place_of(id) else {
            // What another tab heard before a restore this one reads after it: then the other tells what is lacking.
            let is_told = client.keeps_in.is_some() || is_shown || made.fate.is_dealt_with() || made.fate.forgotten;
            let is_known = check.was_restored() && is_told;
            let n = made.n;
            return Invariant::Fate
                .require(is_known, || format!("mutation {n} of {} left its outbox without an entry", client.name));
        };
        let is_rejected = check.read(seq).rejected.is_some();
        // Another tab's person may have dealt with it; and what a server rejected that was restored since it may take now. What
        // a tab without its store offers again to a restored server, only that one hears the fate of.
        let is_told = is_shown || made.fate.is_dealt_with() || (check.was_restored() && made.fate.forgotten);
        let fits = if is_rejected { is_told } else { !is_shown || check.was_restored() };
        Invariant::Fate.require(fits, || {
            format!("entry {seq} of {} is rejected: {is_rejected}; and it is shown: {is_shown}", client.name)
        })
    }

    /// A longer look: the view is the log with the outbox on top, and the screen shows the view.
    pub(crate) fn look_closely(&self, client: &Client, book: BookId) -> Checked {
        let copy = client.copy(book);
        if self.book(book).is_lost(copy.seq(), copy.hash()) || is_mixed(self.book(book), client, copy) {
            return Ok(());
        }
        let expected = with_outbox(self.book(book).state_at(copy.seq()), client, copy);
        let same = copy.view().hash() == expected.hash();
        Invariant::NeverBack
            .require(same, || format!("{} shows another state than its log at {}", client.name, copy.seq()))?;
        let drawn = Screen::drawn(&copy.view().domain);
        let stale = client.screens[&book].difference(&drawn);
        Invariant::Screen.require(stale.is_none(), || format!("{} shows {}", client.name, stale.unwrap_or_default()))
    }

    /// Every mutation a device made and that has no entry is in its outbox, with its content.
    pub(super) fn check_outbox(&self, index: usize, client: &Client, book: BookId) -> Checked {
        let Some(device) = self.devices.get(&(index, book)) else { return Ok(()) };
        let copy = client.copy(book);
        // Who was removed while the server was restored is told nothing more, and keeps what was confirmed there as such.
        let is_left = copy.is_removed() && self.book(book).is_lost(copy.seq(), copy.hash());
        device.waiting.iter().filter(|_| !is_left).try_for_each(|id| {
            let pending = copy.pending().find(|pending| pending.mutation.id == *id);
            let made = &self.made[id];
            let is_taken_back =
                |pending: &&tidebook_replica::Pending<Ledger>| pending.is_withdrawn() && made.fate.withdrawn;
            let is_whole = pending.is_some_and(|it| it.mutation.ops == made.ops || is_taken_back(&it));
            Invariant::Fate.require(is_whole, || {
                let now = pending.map(|pending| &pending.mutation.ops);
                format!("what {} wrote as {id}, {:?}, is {now:?}", client.name, made.ops)
            })
        })
    }
}

/// A tab that is in a history that is gone, and has no line to tell it so, takes in what another tab heard of the one that
/// stands. Where a server does not say that it was restored, it finds that out as it asks for the book, and starts over.
fn is_mixed(check: &BookCheck, client: &Client, copy: &BookCopy<Ledger>) -> bool {
    check.was_restored_silently() && client.keeps_in.is_some() && check.hash_at(copy.seq()) != Some(copy.hash())
}

/// The confirmed state with a replica's outbox decided on top.
fn with_outbox(mut state: LedgerBook, client: &Client, copy: &BookCopy<Ledger>) -> LedgerBook {
    for (place, pending) in (1..).zip(copy.pending()) {
        let mutation = &pending.mutation;
        let draft = Draft {
            seq: Seq(copy.seq().0 + place),
            at: mutation.made_at,
            author: client.author(),
            mutation: mutation.id,
            made_at: mutation.made_at,
            base: mutation.base,
            knows: Knows::Everything,
            index: 0,
        };
        // Where the view does not take it any more, the server decides.
        let _decided = BookState::<Ledger>::decide_and_apply(&mut state, &mutation.ops, draft);
    }
    state
}
