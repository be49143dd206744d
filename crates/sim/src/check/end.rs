//! What must have come about once faults have stopped and all is quiet.

use tidebook_authority::{Authority, Head};
use tidebook_book::{BookId, Role, Snapshot};
use tidebook_ledger::{Ledger, LedgerBook};
use tidebook_replica::BookCopy;

use super::{Checked, Checker, Invariant, MadeFate};
use crate::client::Client;
use crate::device::Device;
use crate::disk::{Disk, snapshot_of};
use crate::server::Server;

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) disk: &'a Disk,
    pub(crate) servers: &'a [&'a Server],
    pub(crate) clients: &'a [Client],
    pub(crate) devices: &'a [Device],
}

impl<'a> Ending<'a> {
    /// The copies that a device has of a book.
    pub(super) fn copies(self, device: usize, book: BookId) -> impl Iterator<Item = &'a BookCopy<Ledger>> + Clone {
        let tabs = self.clients.iter().filter(move |client| client.device == device && client.is_open);
        tabs.filter_map(move |client| client.replica.book(book))
    }
}

impl Checker {
    /// All have the same, it is what the log says, and every mutation has its fate.
    pub(crate) fn check_end(&self, ending: Ending<'_>) -> Checked {
        self.check_disk(ending.disk)?;
        self.books.keys().try_for_each(|book| self.check_book(ending, *book))?;
        for (index, client) in ending.clients.iter().enumerate().filter(|(_, client)| client.is_open) {
            for book in client.books() {
                self.check_client(index, client, book)?;
            }
        }
        self.check_stores(ending)?;
        self.check_fates(ending)
    }

    fn check_book(&self, Ending { disk, servers, .. }: Ending<'_>, book: BookId) -> Checked {
        let (check, log) = (self.book(book), disk.log(book).expect("the disk has the book"));
        check.compare()?;
        let expected = check.state().hash();
        let same = |state: &LedgerBook, whose: &str| {
            Invariant::Convergence.require(state.hash() == expected, || format!("{whose} is another state"))
        };
        same(&log.replay(log.head()), "a replay from nothing")?;
        same(&log.load(log.head()), "what a server loads")?;
        servers.iter().try_for_each(|server| {
            let authority = server.authority_of(book).expect("the server has the book");
            same(authority.state(), "an authority's")?;
            same(&round_trip(book, authority, log.head_and_hash()), "what a snapshot carries")
        })
    }

    fn check_client(&self, index: usize, client: &Client, book: BookId) -> Checked {
        self.look_closely(client, book)?;
        self.check_outbox(index, client, book)?;
        let check = self.book(book);
        let Some(role) = check.role_of(client.user) else { return Ok(()) };
        let (copy, head) = (client.copy(book), check.head());
        let is_there = copy.seq() == head;
        Invariant::Liveness.require(is_there, || format!("{} is at {} of {head}", client.name, copy.seq()))?;
        if role < Role::Editor {
            return Ok(());
        }
        let pending = copy.pending().count();
        if check.is_archived() && pending > 0 {
            return Ok(());
        }
        Invariant::Liveness.require(pending == 0, || format!("{} still holds {pending}", client.name))?;
        let same = copy.view().hash() == check.state().hash();
        Invariant::Convergence.require(same, || format!("{} ends with another state", client.name))
    }

    /// Each is in the log, in the outbox of who may not write, or shown as a rejection with what was typed.
    fn check_fates(&self, ending: Ending<'_>) -> Checked {
        for (id, made) in &self.made {
            let check = self.book(made.book);
            let copies = ending.copies(made.device, made.book);
            // On a copy of its device, too.
            let anywhere = (0..ending.devices.len()).flat_map(|device| ending.copies(device, made.book));
            let waits = anywhere.clone().flat_map(BookCopy::pending).any(|pending| pending.mutation.id == *id);
            let has_lost_store = ending.devices[made.device].store_life > 0;
            let mut rejections = copies.chain(anywhere.filter(|_| has_lost_store)).flat_map(BookCopy::rejections);
            let shown = rejections.find(|rejection| rejection.mutation.id == *id);
            let MadeFate { lost, forgotten, .. } = made.fate;
            let dealt_with = made.fate.is_dealt_with();
            let Some(seq) = check.place_of(*id) else {
                let may_not = check.role_of(ending.devices[made.device].user).is_none();
                // Of an entry that is lost, a rejection stays with its person, and who was removed since is asked for nothing.
                // Whatever else was confirmed has come back.
                // Where a copy has used its number in the history that a restored server goes on with, it passes for there.
                let forgotten = forgotten || ending.devices[made.device].may_renew;
                let is_known = check.was_restored() && (shown.is_some() || dealt_with || may_not || forgotten);
                Invariant::Fate
                    .require(waits || is_known || lost, || format!("mutation {id} has no entry and waits nowhere"))?;
                continue;
            };
            let entry = check.read(seq);
            let as_made = (entry.replica, entry.n.0) == (made.replica, made.n);
            Invariant::ExactlyOnce.require(as_made || check.may_use_up_numbers(made.replica), || {
                format!("mutation {id} entered as number {}", entry.n)
            })?;
            // Who is no member any more may not have been told.
            if entry.rejected.is_some() && !waits && !dealt_with && !lost {
                // What another tab of this world offered to a restored server, nobody hears the fate of: it was confirmed.
                let is_whole = shown.map_or(check.was_restored(), |rejection| rejection.mutation.ops == made.ops);
                Invariant::Fate.require(is_whole, || format!("the rejection of {id} is not shown as it was typed"))?;
            }
        }
        Ok(())
    }
}

/// The authority's state as a snapshot brings it to a device.
fn round_trip(book: BookId, authority: &Authority<Ledger>, head: Head) -> LedgerBook {
    let snapshot = snapshot_of(book, authority, head);
    let text = serde_json::to_string(&snapshot).expect("a snapshot serialises");
    let read: Snapshot<Ledger> = serde_json::from_str(&text).expect("a snapshot reads back");
    read.into_state()
}
