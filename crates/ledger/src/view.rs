//! Records as answers and the feed show them: their fields, and what is derived from them.

use serde::Serialize;
use tidebook_book::Seq;

use crate::{Balances, CivilDate, Contact, ContactId, Currency, Direction, LedgerState, Transaction, TransactionId};

/// A contact and its balances.
#[derive(Debug, Clone, Serialize)]
pub struct ContactView<'a> {
    pub id: ContactId,
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    /// In the book's own currency.
    pub balance: i128,
    pub balances: Balances,
    pub deleted: bool,
    pub seq: Seq,
}

impl<'a> ContactView<'a> {
    #[must_use]
    pub fn new(state: &LedgerState, contact: &'a Contact) -> Self {
        let balances = state.balances_of(contact.id);
        let own_currency = state.book().map(|book| book.currency);
        Self {
            id: contact.id,
            name: &contact.name,
            username: contact.username.as_deref(),
            phone: contact.phone.as_deref(),
            email: contact.email.as_deref(),
            note: contact.note.as_deref(),
            balance: own_currency.and_then(|currency| balances.get(&currency).copied()).unwrap_or(0),
            balances,
            deleted: contact.deleted,
            seq: contact.seq,
        }
    }
}

/// A transaction, and its contact's balances with it.
#[derive(Debug, Clone, Serialize)]
pub struct TransactionView<'a> {
    pub id: TransactionId,
    pub contact: ContactId,
    pub direction: Direction,
    pub amount: u64,
    pub currency: Currency,
    pub date: CivilDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<CivilDate>,
    pub deleted: bool,
    pub seq: Seq,
    pub contact_balances: Balances,
}

impl<'a> TransactionView<'a> {
    #[must_use]
    pub fn new(state: &LedgerState, transaction: &'a Transaction) -> Self {
        Self {
            id: transaction.id,
            contact: transaction.contact,
            direction: transaction.direction,
            amount: transaction.amount,
            currency: transaction.currency,
            date: transaction.date,
            note: transaction.note.as_deref(),
            due: transaction.due,
            deleted: transaction.deleted,
            seq: transaction.seq,
            contact_balances: state.balances_of(transaction.contact),
        }
    }
}
