//! What an import would write, whatever the file was: records whose ids are the same each time, and sums to check them
//! by.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::text::NOTE_CHARS_MAX;
use crate::{Balances, Checked, CivilDate, ContactId, Currency, Direction, LedgerOp, LedgerState, TransactionId};

/// What an import would write. Every importer gives one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub contacts: Vec<PlannedContact>,
    /// In the order they are to be made. Each is with one of [`Plan::contacts`].
    pub transactions: Vec<PlannedTransaction>,
    /// By currency, in alphabetical order.
    pub totals: Vec<Total>,
    /// Rows, bills or records in the file; what only sums others up is not among them.
    pub rows_read: usize,
    /// How many of them become nothing, by why.
    pub skipped: BTreeMap<SkipReason, usize>,
    /// What had to be taken for granted, so that a person can look at it.
    pub doubts: Vec<Doubt>,
}

/// A contact as it is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedContact {
    pub id: ContactId,
    pub name: String,
    pub username: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub note: Option<String>,
    /// Made and then deleted, so that it can be restored.
    pub deleted: bool,
}

/// A transaction as it is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTransaction {
    pub id: TransactionId,
    pub contact: ContactId,
    pub direction: Direction,
    /// Minor units of `currency`, 1 to [`crate::AMOUNT_MAX`].
    pub amount: u64,
    pub currency: Currency,
    pub date: CivilDate,
    pub note: Option<String>,
    pub due: Option<CivilDate>,
    /// Made and then deleted, so that it can be restored.
    pub deleted: bool,
}

/// The sum over all contacts in one currency, seen from me, in minor units: positive is owed to me.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    pub currency: Currency,
    /// What the planned transactions come to.
    pub planned: i128,
    /// What the file itself says, where files of its kind say it.
    pub source: Option<i128>,
}

/// Why something in a file becomes no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// I had no part in it.
    BetweenOthers,
    /// I had a part, and nobody owes anybody for it.
    NothingOwed,
    /// An open conflict: only the book it is in can decide it.
    OpenConflict,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BetweenOthers => "between others",
            Self::NothingOwed => "nobody owes anything for them",
            Self::OpenConflict => "open conflicts, which only their own book can decide",
        })
    }
}

/// What a file does not say and a plan had to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The file tells the weights of those who paid; this person owed a share of a bill of mine and never paid.
    WeightUnknown { name: String },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WeightUnknown { name } => {
                write!(f, "the file does not say how much {name} weighs in shared bills; 1 was assumed")
            }
        }
    }
}

impl Total {
    /// Whether what is planned is what the file says, if it says anything.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.source.is_none_or(|source| source == self.planned)
    }
}

impl Plan {
    /// Whether the planned totals are those that the file itself gives.
    #[must_use]
    pub fn checksum_agrees(&self) -> bool {
        self.totals.iter().all(Total::agrees)
    }

    /// How many rows become nothing.
    #[must_use]
    pub fn rows_skipped(&self) -> usize {
        self.skipped.values().sum()
    }

    pub(super) fn skip(&mut self, reason: SkipReason) {
        *self.skipped.entry(reason).or_insert(0) += 1;
    }

    /// Fills in the totals: what the planned records come to where they stand, beside what the file says, if it does.
    pub(super) fn add_up(&mut self, source: Option<&Balances>) {
        let deleted: HashSet<ContactId> =
            self.contacts.iter().filter(|contact| contact.deleted).map(|contact| contact.id).collect();
        let said = source.into_iter().flat_map(Balances::keys);
        let mut sums: BTreeMap<Currency, i128> = said.map(|currency| (*currency, 0)).collect();
        for one in self.transactions.iter().filter(|one| !one.deleted && !deleted.contains(&one.contact)) {
            *sums.entry(one.currency).or_insert(0) += one.direction.signed(one.amount);
        }
        let said = |currency| source.map(|source| source.get(&currency).copied().unwrap_or(0));
        let total = |(currency, planned)| Total { currency, planned, source: said(currency) };
        self.totals = sums.into_iter().map(total).collect();
    }
}

impl PlannedContact {
    /// Somebody of whom a file tells the name alone.
    pub(super) fn named(id: ContactId, name: &str) -> Self {
        Self { id, name: name.to_owned(), username: None, phone: None, email: None, note: None, deleted: false }
    }
}

/// What the plan has and the book has not, each contact before what refers to it.
///
/// A record whose id is in the book is left as it is there, deleted or changed; a contact that is deleted is brought
/// back only for as long as its new transactions are made. What the plan has as deleted is deleted last.
#[must_use]
pub fn missing_ops(plan: &Plan, book: &LedgerState) -> Vec<LedgerOp> {
    let contacts = plan.contacts.iter().filter(|planned| book.contact(planned.id).is_none());
    let transactions = plan.transactions.iter().filter(|planned| book.transaction(planned.id).is_none());
    let hidden: Vec<ContactId> = deleted_contacts_of(transactions.clone(), book);

    let mut ops: Vec<LedgerOp> = contacts.clone().map(create_contact).collect();
    ops.extend(hidden.iter().map(|id| LedgerOp::RestoreContact { id: *id }));
    for planned in transactions {
        ops.push(create_transaction(planned));
        if planned.deleted {
            ops.push(LedgerOp::DeleteTransaction { id: planned.id });
        }
    }
    let deleted = contacts.filter(|planned| planned.deleted).map(|planned| planned.id);
    ops.extend(deleted.chain(hidden).map(|id| LedgerOp::DeleteContact { id }));
    ops
}

/// Contacts that are deleted in the book and are to have one of these, each once.
fn deleted_contacts_of<'a>(
    transactions: impl Iterator<Item = &'a PlannedTransaction>,
    book: &LedgerState,
) -> Vec<ContactId> {
    let mut seen = HashSet::new();
    let contacts = transactions.map(|planned| planned.contact).filter(|id| seen.insert(*id));
    contacts.filter(|id| book.contact(*id).is_some_and(|contact| contact.deleted)).collect()
}

fn create_contact(planned: &PlannedContact) -> LedgerOp {
    let PlannedContact { id, name, username, phone, email, note, deleted: _ } = planned.clone();
    LedgerOp::CreateContact { id, name, username, phone, email, note }
}

fn create_transaction(planned: &PlannedTransaction) -> LedgerOp {
    LedgerOp::CreateTransaction {
        id: planned.id,
        contact: planned.contact,
        direction: Checked::Valid(planned.direction),
        amount: i64::try_from(planned.amount).expect("a planned amount is at most AMOUNT_MAX"),
        currency: Checked::Valid(planned.currency),
        date: Checked::Valid(planned.date),
        note: planned.note.clone(),
        due: planned.due.map(Checked::Valid),
    }
}

/// A description within what a note may hold: newlines stay, other control characters go. `None` where nothing is left.
pub(super) fn note_of(description: &str) -> Option<String> {
    let kept = |char: &char| *char == '\n' || !char.is_control();
    let note = description.chars().filter(kept).take(NOTE_CHARS_MAX).collect::<String>().trim().to_owned();
    (!note.is_empty()).then_some(note)
}
