//! What people do in the world: on a ledger, and on a checklist.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde_json::json;
use tidebook_book::{Domain, UnixMillis};
use tidebook_ledger::{
    AMOUNT_MAX, Balances, BookRecord, Contact, ContactId, Created, Ledger, LedgerChange, LedgerOp, LedgerState,
    OpenConflict, Touched, Transaction,
};
use uuid::Uuid;

use super::random::Random;
use crate::checklist::{Checklist, Item, ItemId, Items, ListChange, ListOp, add, tick};

pub(crate) type Screen<S> = BTreeMap<<S as Domain>::Touched, <S as Scenario>::Shown>;

/// A domain, and how to play with it.
pub(crate) trait Scenario: Domain + Clone + Debug {
    fn created() -> Self::Change;

    fn random_ops(random: &mut Random, state: &Self::State) -> Vec<Self::Op>;

    /// What a screen shows of a thing.
    type Shown: PartialEq;

    /// All that can be on a screen.
    fn things(state: &Self::State) -> Vec<Self::Touched>;

    /// What a screen shows of this thing, if it is there.
    fn show(state: &Self::State, thing: &Self::Touched) -> Option<Self::Shown>;

    /// A screen drawn anew.
    fn screen(state: &Self::State) -> Screen<Self> {
        let things = Self::things(state).into_iter();
        things.filter_map(|thing| Some((thing.clone(), Self::show(state, &thing)?))).collect()
    }

    /// Whether what is derived from the state's records is what they say.
    fn derives_truly(state: &Self::State) -> bool;
}

impl Scenario for Checklist {
    fn created() -> ListChange {
        ListChange::ListCreated
    }

    fn random_ops(random: &mut Random, _items: &Items) -> Vec<ListOp> {
        // Few ids, so that people get in each other's way.
        let op = |random: &mut Random| {
            let id = random.below(40) as u32;
            let text = || ["x", "y", "z"][(id % 3) as usize].to_owned();
            match random.below(8) {
                0..4 => add(id, "x"),
                4..6 => tick(id),
                6 => ListOp::Rename { id: ItemId(id), text: text() },
                _ => ListOp::Remove { id: ItemId(id) },
            }
        };
        (0..random.between(1, 2)).map(|_| op(random)).collect()
    }

    type Shown = Item;

    fn things(items: &Items) -> Vec<ItemId> {
        items.keys().copied().collect()
    }

    fn show(items: &Items, id: &ItemId) -> Option<Item> {
        items.get(id).cloned()
    }

    fn derives_truly(_items: &Items) -> bool {
        true
    }
}

impl Scenario for Ledger {
    fn created() -> LedgerChange {
        LedgerChange::BookCreated { name: "Flat 4".into(), currency: "EUR".parse().expect("a currency") }
    }

    fn random_ops(random: &mut Random, state: &LedgerState) -> Vec<LedgerOp> {
        // Few ids, so that two people sometimes give the same one.
        let new_contact = ContactId(Uuid::from_u128(random.below(30).into()));
        if random.one_in(4) {
            let another = ContactId(Uuid::from_u128(random.below(30).into()));
            let contacts = [LedgerOp::create_contact(new_contact, "Ana"), LedgerOp::create_contact(another, "Ben")];
            return contacts.into_iter().take(random.between(1, 2) as usize).collect();
        }
        let mut contacts: Vec<ContactId> = state.contacts().map(|contact| contact.id).collect();
        contacts.sort();
        let known = contacts.get(random.below(contacts.len().max(1) as u64) as usize).copied();
        let mut ops = Vec::new();
        let contact = known.unwrap_or_else(|| {
            ops.push(LedgerOp::create_contact(new_contact, "Cleo"));
            new_contact
        });
        ops.extend((0..random.between(1, 3)).map(|_| transaction(random, contact)));
        ops
    }

    type Shown = ShownRecord;

    fn things(state: &LedgerState) -> Vec<Touched> {
        let contacts = state.contacts().map(|contact| Touched::Contact(contact.id));
        let transactions = state.transactions().map(|transaction| Touched::Transaction(transaction.id));
        let conflicts = state.conflicts().map(|open| Touched::Conflict(open.conflict.id));
        contacts.chain(transactions).chain(conflicts).chain(state.book().map(|_| Touched::Book)).collect()
    }

    fn show(state: &LedgerState, thing: &Touched) -> Option<ShownRecord> {
        // A replica foresees its own entries, all but the time on the server's clock, and no screen waits for that.
        let by_no_clock = |created: Created| Created { at: UnixMillis(0), ..created };
        Some(match thing {
            Touched::Book => ShownRecord::Book(state.book()?.clone()),
            Touched::Contact(id) => {
                let contact = state.contact(*id)?.clone();
                let created = by_no_clock(contact.created);
                ShownRecord::Contact(Contact { created, ..contact }, state.balances_of(*id))
            }
            Touched::Transaction(id) => {
                let transaction = state.transaction(*id)?.clone();
                let created = by_no_clock(transaction.created);
                ShownRecord::Transaction(Transaction { created, ..transaction })
            }
            Touched::Conflict(id) => ShownRecord::Conflict(state.conflict(*id)?.clone()),
        })
    }

    fn derives_truly(state: &LedgerState) -> bool {
        let mut by_contact: BTreeMap<ContactId, Balances> = BTreeMap::new();
        let mut totals = Balances::new();
        for transaction in state.transactions().filter(|transaction| !transaction.deleted) {
            let amount = transaction.direction.signed(transaction.amount);
            let balances = by_contact.entry(transaction.contact).or_default();
            *balances.or_insert(transaction.currency, 0) += amount;
            if state.contact(transaction.contact).is_some_and(|contact| !contact.deleted) {
                *totals.or_insert(transaction.currency, 0) += amount;
            }
        }
        let without_zeros = |balances: &Balances| -> Balances {
            balances.iter().filter(|(_, sum)| **sum != 0).map(|(currency, sum)| (*currency, *sum)).collect()
        };
        let balances_are_true =
            |id: ContactId| state.balances_of(id) == by_contact.get(&id).map(without_zeros).unwrap_or_default();
        state.contacts().all(|contact| balances_are_true(contact.id)) && *state.totals() == without_zeros(&totals)
    }
}

/// A record as a screen has it.
#[derive(PartialEq)]
pub(crate) enum ShownRecord {
    Book(BookRecord),
    Contact(Contact, Balances),
    Transaction(Transaction),
    Conflict(OpenConflict),
}

fn transaction(random: &mut Random, contact: ContactId) -> LedgerOp {
    let currency = ["EUR", "EUR", "JPY", "KWD"][random.below(4) as usize];
    // Some so large that their sum comes to its bound.
    let amount = if random.one_in(8) { AMOUNT_MAX } else { random.between(1, 5_000) };
    let direction = ["gave", "got"][random.below(2) as usize];
    let op = json!({
        "op": "create_transaction", "id": Uuid::from_u128(random.below(300).into()), "contact": contact,
        "direction": direction, "amount": amount, "currency": currency, "date": "2026-11-22",
    });
    serde_json::from_value(op).expect("an op")
}
