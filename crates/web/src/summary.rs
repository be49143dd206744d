//! A contact as the list of contacts shows it.

use tidebook_book::{Seq, UnixMillis};
use tidebook_ledger::{Balances, CivilDate, ContactId, Direction, LedgerState};

/// What a row of the list needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactSummary {
    pub id: ContactId,
    pub name: String,
    /// For search and order; see [`crate::name::fold`].
    pub folded: String,
    pub balances: Balances,
    pub last: Option<LastLine>,
    pub recency: Recency,
}

/// The newest transaction of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastLine {
    pub note: Option<String>,
    pub direction: Direction,
    pub date: CivilDate,
}

/// The later, the more recent: by the day something was last added or is dated, then by the newest transaction's own
/// day, so that imported books keep their order, then as things were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recency {
    day: CivilDate,
    last: Option<CivilDate>,
    seq: Seq,
    index: usize,
}

/// What only the browser can do for a summary.
pub trait Surroundings {
    /// See [`crate::name::fold`].
    fn fold(&self, text: &str) -> String;
    /// The day it was then, where the person is.
    fn day_of(&self, at: UnixMillis) -> CivilDate;
}

/// The summary of a contact, or `None` where it does not stand.
#[must_use]
pub fn summarise(state: &LedgerState, id: ContactId, around: &impl Surroundings) -> Option<ContactSummary> {
    let contact = state.contact(id).filter(|contact| !contact.deleted)?;
    let newest = state.transactions_of(id).next_back();
    let created_day = around.day_of(contact.created.at);
    let made = newest.map_or(contact.created, |newest| newest.created);
    let recency = Recency {
        day: newest.map_or(created_day, |newest| newest.date.max(created_day)),
        last: newest.map(|newest| newest.date),
        seq: made.seq,
        index: made.index,
    };
    let last =
        newest.map(|newest| LastLine { note: newest.note.clone(), direction: newest.direction, date: newest.date });
    let folded = around.fold(&contact.name);
    Some(ContactSummary { id, name: contact.name.clone(), folded, balances: state.balances_of(id), last, recency })
}
