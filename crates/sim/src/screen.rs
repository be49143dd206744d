//! A screen that looks at nothing but what it is told was touched, to see that it is told of all that changes.

use std::collections::BTreeMap;

use tidebook_book::UnixMillis;
use tidebook_ledger::{Balances, BookFacts, Contact, Created, LedgerState, OpenConflict, Touched, Transaction};

/// What it shows.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Screen(BTreeMap<Touched, Shown>);

/// A record as a screen has it. No screen shows when the server's clock says it was made.
#[derive(Debug, PartialEq)]
enum Shown {
    Book(BookFacts),
    Contact(Box<Contact>, Balances),
    Transaction(Box<Transaction>),
    Conflict(Box<OpenConflict>),
}

impl Screen {
    /// Drawn anew.
    pub(crate) fn drawn(state: &LedgerState) -> Self {
        let contacts = state.contacts().map(|contact| Touched::Contact(contact.id));
        let transactions = state.transactions().map(|transaction| Touched::Transaction(transaction.id));
        let conflicts = state.conflicts().map(|open| Touched::Conflict(open.conflict.id));
        let things = contacts.chain(transactions).chain(conflicts).chain([Touched::Book]);
        Self(things.filter_map(|thing| Some((thing, shown(state, thing)?))).collect())
    }

    /// Looks at one thing again.
    pub(crate) fn show(&mut self, state: &LedgerState, thing: Touched) {
        match shown(state, thing) {
            Some(shown) => drop(self.0.insert(thing, shown)),
            None => drop(self.0.remove(&thing)),
        }
    }

    /// Where two differ, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let things = self.0.keys().chain(other.0.keys());
        let mut differing = things.filter(|thing| self.0.get(thing) != other.0.get(thing));
        differing.next().map(|thing| format!("{:?} where {:?} is right", self.0.get(thing), other.0.get(thing)))
    }
}

fn shown(state: &LedgerState, thing: Touched) -> Option<Shown> {
    let by_no_clock = |created: Created| Created { at: UnixMillis(0), ..created };
    Some(match thing {
        Touched::Book => Shown::Book(state.book()?.facts()),
        Touched::Contact(id) => {
            let contact = state.contact(id)?.clone();
            let created = by_no_clock(contact.created);
            Shown::Contact(Box::new(Contact { created, ..contact }), state.balances_of(id))
        }
        Touched::Transaction(id) => {
            let transaction = state.transaction(id)?.clone();
            let created = by_no_clock(transaction.created);
            Shown::Transaction(Box::new(Transaction { created, ..transaction }))
        }
        Touched::Conflict(id) => Shown::Conflict(Box::new(state.conflict(id)?.clone())),
    })
}
