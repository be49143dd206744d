//! What devices keep: what was called saved is there, whatever ends in between.

use std::collections::BTreeSet;

use tidebook_book::{BookId, MutationId, ReplicaId};
use tidebook_ledger::Ledger;
use tidebook_replica::{BookCopy, Keeps, Lacking, Replica, ReplicaConfig};

use super::{Checked, Checker, Ending, Invariant};
use crate::client::Client;
use crate::device::Device;

impl Checker {
    /// What a tab shows as saved, its person counts on from now.
    pub(super) fn note_saved(&mut self, copy: &BookCopy<Ledger>) {
        for pending in copy.pending().filter(|pending| pending.is_saved()) {
            let Some(made) = self.made.get_mut(&pending.mutation.id).filter(|made| !made.fate.saved || made.fate.lost)
            else {
                continue;
            };
            // Tabs that wrote at once have agreed on numbers.
            if !made.fate.saved {
                made.n = pending.mutation.n.0;
            }
            (made.fate.saved, made.fate.lost) = (true, false);
        }
    }

    /// A tab begins with what is stored of a book, which may be less than one had before.
    pub(crate) fn handle_started(&mut self, index: usize, book: BookId) {
        if let Some(device) = self.devices.get_mut(&(index, book)) {
            device.go_back_to(tidebook_book::Seq::ZERO);
        }
    }

    /// A tab has ended: what only it had is lost.
    pub(crate) fn handle_ended(&mut self, index: usize, client: &Client) {
        let is_in_memory = client.keeps_in.is_none();
        for made in self.made.values_mut().filter(|made| made.client == index) {
            made.fate.lost |= is_in_memory || !made.fate.saved;
        }
        self.devices.retain(|(of, _), _| *of != index);
    }

    /// A tab keeps nothing any more, and has said so.
    pub(crate) fn handle_in_memory(&mut self, index: usize, device: usize) {
        for made in self.made.values_mut().filter(|made| made.device == device) {
            made.fate.forgotten = true;
            made.keeps &= made.client != index || made.fate.saved;
        }
    }

    /// What a device kept is deleted. What a tab has in memory of it may be all there is.
    pub(crate) fn handle_store_gone(&mut self, device: usize) {
        let theirs = self.made.values_mut().filter(|made| made.device == device);
        theirs.for_each(|made| (made.fate.lost, made.fate.forgotten) = (true, true));
    }

    /// A tab that would start now has what those have that are open.
    pub(super) fn check_stores(&self, ending: Ending<'_>) -> Checked {
        for client in ending.clients.iter().filter(|client| client.is_open) {
            let device = &ending.devices[client.device];
            if client.keeps_in == Some(device.store_life) {
                client.books().into_iter().try_for_each(|book| self.check_stored(client, device, book))?;
            }
        }
        Ok(())
    }

    fn check_stored(&self, client: &Client, device: &Device, book: BookId) -> Checked {
        let Some(store) = &device.store else { return Ok(()) };
        let copy = client.copy(book);
        let Some(head) = store.head(book) else {
            let has_nothing = copy.pending().count() == 0 && copy.seq() == tidebook_book::Seq::ZERO;
            return Invariant::Saved.require(has_nothing, || format!("nothing of {} is stored", client.name));
        };
        let unread = |what: &dyn std::fmt::Display| Invariant::Saved.broken(format!("{} keeps {what}", client.name));
        let lacking = Lacking::all_of(head).map_err(|error| unread(&error))?;
        let mut started = started(client, store.replica);
        started.open_stored_book(book, &store.read(book, lacking)).map_err(|error| unread(&error))?;
        let read = started.book(book).ok_or_else(|| unread(&"no such book"))?;
        let starts_over = store.has_state_of_another_version(book);
        let is_there = starts_over || (read.seq(), read.hash()) == (copy.seq(), copy.hash());
        for (what, is_same) in [
            ("another place in the log", is_there),
            ("another state", starts_over || read.view().hash() == copy.view().hash()),
            ("another outbox", pending(read) == pending(copy)),
            ("other rejections", rejections(read) == rejections(copy)),
        ] {
            Invariant::Saved.require(is_same, || {
                format!("{}, at {}, would start with {what}, at {}", client.name, copy.seq(), read.seq())
            })?;
        }
        Ok(())
    }
}

fn started(client: &Client, replica: ReplicaId) -> Replica<Ledger> {
    let (user, keeps) = (client.user, Keeps::InStore);
    Replica::new(ReplicaConfig { replica, user, client: "sim/1".into(), token: None, seed: 0, keeps })
}

fn pending(copy: &BookCopy<Ledger>) -> Vec<(MutationId, u64)> {
    copy.pending().map(|pending| (pending.mutation.id, pending.mutation.n.0)).collect()
}

fn rejections(copy: &BookCopy<Ledger>) -> BTreeSet<MutationId> {
    copy.rejections().iter().map(|rejection| rejection.mutation.id).collect()
}
