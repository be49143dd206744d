//! Our own JSON export ([`crate::export::json`]), read back: the same records under the same ids, in this book or another.
//!
//! Deleted records are made and deleted, so that they can be restored there too. What is not a record stays behind: the
//! book's name and currency, its people, its history, and conflicts nobody has decided, which are counted as skipped.

use std::collections::{BTreeMap, HashSet};

use serde_json::value::RawValue;
use tidebook_book::{ChainHash, Domain, Person, read_by_name};

use super::{Plan, PlannedContact, PlannedTransaction, SkipReason};
use crate::export::{FORMAT, VERSION};
use crate::text::{TextKind, fault};
use crate::{
    AMOUNT_MAX, Contact, ContactId, Currency, GROSS_MAX, Ledger, LedgerBook, LedgerState, OpenConflict, Transaction,
    TransactionId,
};

/// The longest file taken: a book of 100,000 transactions has 40 MB, and its history about as much again.
const BYTES_MAX: usize = 256 << 20;

/// Why a file could not be planned.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    #[error("the file has {bytes} bytes, the most is {max}: export the book without its history")]
    TooLong { bytes: usize, max: usize },

    #[error("the file is not a book that was exported as JSON: {0}")]
    NotABook(serde_json::Error),

    #[error("the file is of the format \"{found}\"; what can be read is \"{FORMAT}\"")]
    OtherFormat { found: String },

    #[error("the file was written by a newer version ({what} {found}, known up to {known}): update this program")]
    Newer { what: &'static str, found: u32, known: u32 },

    #[error("the file's contents do not read: {0}")]
    Unreadable(serde_json::Error),

    #[error("the {record} cannot stand in a book: {why}")]
    Record { record: String, why: String },

    #[error("the amounts in {currency} add up to more than a book holds")]
    TotalTooLarge { currency: Currency },

    #[error("the state's hash is {computed}, the file says {said}: it was changed or damaged since it was exported")]
    OtherHash { computed: ChainHash, said: ChainHash },
}

/// Plans the import of a file's text. The plan's source totals are what the file's own state comes to.
///
/// # Errors
/// It is no such file, it is too new, a record in it cannot stand in a book, or it is not what its hash says.
pub fn plan(text: &str) -> Result<Plan, JsonError> {
    if text.len() > BYTES_MAX {
        return Err(JsonError::TooLong { bytes: text.len(), max: BYTES_MAX });
    }
    check_version(text)?;
    let file: File = serde_json::from_str(text).map_err(JsonError::Unreadable)?;
    let records: Records = serde_json::from_str(file.state.get()).map_err(JsonError::Unreadable)?;
    // A state keeps sums, which only hold what a book may: so records are looked at one by one before there is one.
    records.check()?;
    let state: LedgerState = serde_json::from_str(file.state.get()).map_err(JsonError::Unreadable)?;
    let book = LedgerBook { members: Default::default(), domain: state };
    let book = file.check_hash(book)?;
    Ok(records.plan(&book.domain))
}

fn check_version(text: &str) -> Result<(), JsonError> {
    let head: Head = serde_json::from_str(text).map_err(JsonError::NotABook)?;
    if head.format != FORMAT {
        return Err(JsonError::OtherFormat { found: head.format });
    }
    let known = [("version", head.version, VERSION), ("state version", head.state_version, Ledger::STATE_VERSION)];
    match known.into_iter().find(|(_, found, known)| found > known) {
        Some((what, found, known)) => Err(JsonError::Newer { what, found, known }),
        None => Ok(()),
    }
}

/// What is read first, for the rest may look otherwise in another version.
struct Head {
    format: String,
    version: u32,
    state_version: u32,
}

read_by_name!(Head { format, version, state_version });

struct File {
    state: Box<RawValue>,
    state_hash: Option<ChainHash>,
    people: Vec<Person>,
}

read_by_name!(File { state; state_hash, people });

impl File {
    /// The book, if it is the one that was exported.
    fn check_hash(self, mut book: LedgerBook) -> Result<LedgerBook, JsonError> {
        book.members.extend(self.people.iter().filter_map(|person| Some((person.id, person.role?))));
        let computed = book.hash();
        match self.state_hash {
            Some(said) if said != computed => Err(JsonError::OtherHash { computed, said }),
            _ => Ok(book),
        }
    }
}

/// The records of a state, in the order they were made.
struct Records {
    contacts: Vec<Contact>,
    transactions: Vec<Transaction>,
    conflicts: Vec<OpenConflict>,
}

read_by_name!(Records { contacts, transactions; conflicts });

impl Records {
    fn check(&self) -> Result<(), JsonError> {
        let twice = || Some("its id stands there twice".to_owned());
        let mut contacts: HashSet<ContactId> = HashSet::new();
        for contact in &self.contacts {
            let why = if contacts.insert(contact.id) { contact_fault(contact) } else { twice() };
            refuse(why, || format!("contact {}", contact.id))?;
        }
        let mut transactions: HashSet<TransactionId> = HashSet::new();
        for transaction in &self.transactions {
            let is_a_contact = contacts.contains(&ContactId(transaction.id.0));
            let why = if is_a_contact || !transactions.insert(transaction.id) {
                twice()
            } else if contacts.contains(&transaction.contact) {
                transaction_fault(transaction)
            } else {
                Some(format!("there is no contact {}", transaction.contact))
            };
            refuse(why, || format!("transaction {}", transaction.id))?;
        }
        self.check_gross()
    }

    fn check_gross(&self) -> Result<(), JsonError> {
        let mut gross: BTreeMap<Currency, u64> = BTreeMap::new();
        for Transaction { currency, amount, .. } in &self.transactions {
            let sum = gross.entry(*currency).or_insert(0);
            // No overflow: both are far below half of what 64 bits hold.
            *sum += amount;
            if *sum > GROSS_MAX {
                return Err(JsonError::TotalTooLarge { currency: *currency });
            }
        }
        Ok(())
    }

    fn plan(self, state: &LedgerState) -> Plan {
        let rows_read = self.contacts.len() + self.transactions.len() + self.conflicts.len();
        let mut plan = Plan {
            contacts: self.contacts.into_iter().map(planned_contact).collect(),
            transactions: self.transactions.into_iter().map(planned_transaction).collect(),
            rows_read,
            ..Plan::default()
        };
        self.conflicts.iter().for_each(|_| plan.skip(SkipReason::OpenConflict));
        plan.add_up(Some(state.totals()));
        plan
    }
}

fn refuse(why: Option<String>, record: impl FnOnce() -> String) -> Result<(), JsonError> {
    match why {
        Some(why) => Err(JsonError::Record { record: record(), why }),
        None => Ok(()),
    }
}

fn contact_fault(contact: &Contact) -> Option<String> {
    let texts = [
        ("name", TextKind::Name, Some(&contact.name)),
        ("username", TextKind::Detail, contact.username.as_ref()),
        ("phone", TextKind::Detail, contact.phone.as_ref()),
        ("email", TextKind::Detail, contact.email.as_ref()),
        ("note", TextKind::Note, contact.note.as_ref()),
    ];
    texts.into_iter().find_map(|(field, kind, text)| Some(format!("its {field} {}", fault(kind, text?)?)))
}

fn transaction_fault(transaction: &Transaction) -> Option<String> {
    if !(1..=AMOUNT_MAX).contains(&transaction.amount) {
        return Some(format!("its amount is not from 1 to {AMOUNT_MAX} minor units"));
    }
    let why = fault(TextKind::Note, transaction.note.as_ref()?)?;
    Some(format!("its note {why}"))
}

fn planned_contact(contact: Contact) -> PlannedContact {
    let Contact { id, name, username, phone, email, note, deleted, seq: _, created: _, changed: _ } = contact;
    PlannedContact { id, name, username, phone, email, note, deleted }
}

fn planned_transaction(transaction: Transaction) -> PlannedTransaction {
    let Transaction { id, contact, direction, amount, currency, date, note, due, deleted, .. } = transaction;
    PlannedTransaction { id, contact, direction, amount, currency, date, note, due, deleted }
}
