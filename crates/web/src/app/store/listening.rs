//! What the store does when something happened in the replica: it looks at what changed, and sets what differs.

use std::collections::{BTreeSet, HashMap};

use reactive_graph::traits::Notify;
use tidebook_ledger::{Balances, BookRecord, ContactId, Ledger, LedgerState, Touched};
use tidebook_replica::{BookCopy, SyncStatus};

use super::{Flash, Store};
use crate::app::driver::{self, News};
use crate::app::format::Surrounding;
use crate::app::presence::devices;
use crate::app::unsent::rejected_changes;
use crate::conflict::cards;
use crate::presence::here;
use crate::summary::summarise;
use crate::waiting::{Waiting, waiting};

impl Store {
    /// Something happened in the replica.
    pub(super) fn hear(self, news: News) {
        if news.signed_out {
            return self.park_driver();
        }
        news.server_errors.into_iter().for_each(|detail| self.say(driver::sentence(&detail)));
        let open = self.book.get_untracked();
        if let Some((_, of_book)) = news.books.iter().find(|(book, _)| Some(*book) == open) {
            if of_book.is_reset {
                self.look_at_all();
            } else {
                self.look_at(&of_book.touched);
            }
            if of_book.people {
                self.look_at_people();
            }
            if of_book.presence {
                self.look_at_presence();
            }
            if of_book.rejected > 0 {
                self.say("The book did not take something you wrote.");
            }
            if !of_book.from_others.is_empty() {
                let rows = of_book.from_others.clone();
                self.flash.update(|flash| *flash = Flash { number: flash.number + 1, rows });
            }
        }
        self.look_at_status();
    }

    fn look_at(self, touched: &BTreeSet<Touched>) {
        let contacts = touched.iter().filter_map(|touched| match touched {
            Touched::Contact(id) => Some(*id),
            _ => None,
        });
        let contacts: Vec<ContactId> = contacts.collect();
        let summaries = self.view(|state| {
            self.look_at_sums(state);
            let around = Surrounding::default();
            contacts.iter().map(|id| (*id, summarise(state, *id, &around))).collect::<Vec<_>>()
        });
        let mut is_changed = false;
        self.summaries.update_untracked(|known| {
            for (id, summary) in summaries.into_iter().flatten() {
                is_changed |= known.get(&id) != summary.as_ref();
                match summary {
                    Some(summary) => drop(known.insert(id, summary)),
                    None => drop(known.remove(&id)),
                }
            }
        });
        if is_changed {
            self.contacts_changed.notify();
        }
        self.contact_changed.with_untracked(|triggers| {
            contacts.iter().filter_map(|id| triggers.get(id)).for_each(|trigger| trigger.notify());
        });
        self.changed.notify();
    }

    pub(crate) fn look_at_all(self) {
        let summaries = self.view(|state| {
            self.look_at_sums(state);
            let around = Surrounding::default();
            let contacts = state.contacts().filter_map(|contact| summarise(state, contact.id, &around));
            contacts.map(|summary| (summary.id, summary)).collect::<HashMap<_, _>>()
        });
        if summaries.is_none() {
            self.totals.put(Balances::new());
            self.facts.put(None);
            self.conflicts.put(Vec::new());
        }
        self.summaries.set(summaries.unwrap_or_default());
        self.contacts_changed.notify();
        self.contact_changed.with_untracked(|triggers| triggers.values().for_each(|trigger| trigger.notify()));
        self.changed.notify();
        self.look_at_people();
        self.look_at_presence();
    }

    fn look_at_sums(self, state: &LedgerState) {
        self.totals.put(state.totals().clone());
        self.facts.put(state.book().map(BookRecord::facts));
        self.conflicts.put(cards(state));
    }

    fn look_at_people(self) {
        let read = |copy: &BookCopy<Ledger>| (copy.people().to_vec(), copy.role(), copy.is_removed());
        let (people, role, is_removed) = self.copy(read).unwrap_or_default();
        self.people.put(people);
        self.role.put(role);
        if let Some(book) = self.book.get_untracked().filter(|_| is_removed) {
            self.lose(book);
        }
    }

    fn look_at_presence(self) {
        let me = self.me.with_untracked(|me| me.as_ref().map(|me| me.id));
        let with = |state: &LedgerState, id| state.transaction(id).map(|transaction| transaction.contact);
        let read = |copy: &BookCopy<Ledger>| here(&devices(copy), me, |id| with(&copy.view().domain, id));
        self.here.put(self.copy(read).unwrap_or_default());
    }

    pub(super) fn look_at_status(self) {
        self.unsaved_now.put(self.unsaved());
        let Some((book, driver)) = self.book.get_untracked().zip(self.driver()) else {
            return self.waiting.put(Waiting::default());
        };
        // While the device's copy is still being read nobody knows what waits there.
        let opened = driver.read(|replica| replica.book(book).map(|_| replica.sync_status(book)));
        let status = opened.unwrap_or(SyncStatus::Saving(0));
        self.status.put(status);
        self.reached.put(driver.reached());
        self.fault.put(driver.fault());
        let is_current =
            self.is_alone() || self.copy(|copy| copy.epoch().is_some() && copy.seq() >= copy.head()).unwrap_or(false);
        if is_current {
            self.was_current.put(true);
        }
        if status == SyncStatus::Synced {
            self.last_synced.set(Some(driver::now()));
        }
        self.rejected.put(self.copy(rejected_changes).unwrap_or_default());
        self.held.put(self.copy(|copy| copy.held().map(|held| held.detail.clone())).flatten());
        self.look_at_waiting();
    }

    fn look_at_waiting(self) {
        if self.is_alone() {
            // It is where it belongs.
            return;
        }
        let (waiting, next_in) = self.copy(|copy| waiting(copy.pending(), driver::now())).unwrap_or_default();
        self.waiting.put(waiting);
        self.mark_alarm.update_untracked(|alarm| match next_in.and_then(|ms| u64::try_from(ms).ok()) {
            Some(ms) => alarm.set(ms, move || self.look_at_waiting()),
            None => alarm.clear(),
        });
    }
}
