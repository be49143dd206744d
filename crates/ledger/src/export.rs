//! A ledger for other programs to read.

mod csv;
pub use self::csv::csv;
pub(crate) use self::csv::not_unlike_a_formula;

mod hledger;
pub use self::hledger::hledger;

mod json;
pub use self::json::{FORMAT, Origin, VERSION, json};

mod decimal;
pub use self::decimal::decimal;

use std::collections::HashMap;

use crate::{Contact, ContactId, LedgerState, Transaction};

/// The transactions that stand, with contacts that stand, oldest first.
fn standing(state: &LedgerState) -> Vec<(&Transaction, &Contact)> {
    let contacts: HashMap<ContactId, &Contact> =
        state.contacts().filter(|contact| !contact.deleted).map(|contact| (contact.id, contact)).collect();
    let mut standing: Vec<(&Transaction, &Contact)> = state
        .transactions()
        .filter(|transaction| !transaction.deleted)
        .filter_map(|transaction| Some((transaction, *contacts.get(&transaction.contact)?)))
        .collect();
    standing.sort_by_key(|(it, _)| (it.date, it.created.seq, it.created.index, it.id));
    standing
}
