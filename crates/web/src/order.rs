//! The order of the list of contacts.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use tidebook_ledger::{ContactId, Currency};

use crate::summary::ContactSummary;

/// What a person can sort their contacts by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Recent,
    Balance,
    Name,
}

impl Order {
    pub const ALL: [Self; 3] = [Self::Recent, Self::Balance, Self::Name];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Recent => "Recent",
            Self::Balance => "Balance",
            Self::Name => "Name",
        }
    }

    /// Reads [`Self::word`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.word() == word)
    }
}

/// Puts people in order. What is in order for the most part takes little more than one look at each.
#[must_use]
pub fn arrange(mut people: Vec<&ContactSummary>, order: Order, own_currency: Option<Currency>) -> Vec<ContactId> {
    people.sort_by(|a, b| {
        let by = match order {
            Order::Recent => b.recency.cmp(&a.recency),
            Order::Balance => size(b, own_currency).cmp(&size(a, own_currency)),
            Order::Name => Ordering::Equal,
        };
        by.then_with(|| a.folded.cmp(&b.folded)).then(a.id.cmp(&b.id))
    });
    people.into_iter().map(|summary| summary.id).collect()
}

/// Everybody, in the order they were in before as far as they were there.
#[must_use]
pub fn as_before<'a>(all: &'a HashMap<ContactId, ContactSummary>, before: &[ContactId]) -> Vec<&'a ContactSummary> {
    let mut people: Vec<&ContactSummary> = before.iter().filter_map(|id| all.get(id)).collect();
    if people.len() < all.len() {
        let known: HashSet<ContactId> = before.iter().copied().collect();
        people.extend(all.values().filter(|summary| !known.contains(&summary.id)));
    }
    people
}

/// How much is open, whichever way; in the book's own currency before all others, because amounts of two currencies
/// have no order.
fn size(summary: &ContactSummary, own_currency: Option<Currency>) -> (u128, u128) {
    let own = own_currency.and_then(|currency| summary.balances.get(&currency)).map_or(0, |sum| sum.unsigned_abs());
    let other = summary.balances.values().map(|sum| sum.unsigned_abs()).max().unwrap_or(0);
    (own, other)
}

#[cfg(test)]
mod tests {
    use tidebook_book::{Seq, UnixMillis};
    use tidebook_ledger::{CivilDate, LedgerOp, LedgerState};

    use super::*;
    use crate::entry::tests::{apply, id, transaction};
    use crate::name;
    use crate::summary::{Surroundings, summarise};

    struct Plain;

    impl Surroundings for Plain {
        fn fold(&self, text: &str) -> String {
            name::fold(&text.to_lowercase())
        }
        fn day_of(&self, _: UnixMillis) -> CivilDate {
            "2026-01-01".parse().expect("a date")
        }
    }

    fn book() -> LedgerState {
        let mut state = LedgerState::default();
        for (number, name) in [(1, "Zoe"), (2, "ana"), (3, "Bea")] {
            apply(&mut state, Seq(number), &LedgerOp::create_contact(id(number), name));
        }
        apply(&mut state, Seq(4), &transaction(11, 3, "got", 900, "EUR", "2026-02-01"));
        apply(&mut state, Seq(5), &transaction(12, 1, "gave", 500, "EUR", "2026-03-01"));
        apply(&mut state, Seq(6), &transaction(13, 2, "gave", 999_999, "JPY", "2026-02-01"));
        state
    }

    fn names(order: Order, query: &str, before: &[u64]) -> Vec<String> {
        let state = book();
        let all = state.contacts().filter_map(|contact| summarise(&state, contact.id, &Plain));
        let all: HashMap<ContactId, ContactSummary> = all.map(|summary| (summary.id, summary)).collect();
        let before: Vec<ContactId> = before.iter().map(|number| id(*number)).collect();
        let mut people = as_before(&all, &before);
        people.retain(|summary| name::matches(&summary.folded, query));
        let arranged = arrange(people, order, "EUR".parse().ok());
        arranged.iter().filter_map(|id| Some(state.contact(*id)?.name.clone())).collect()
    }

    #[test]
    fn each_order() {
        assert_eq!(names(Order::Recent, "", &[]), ["Zoe", "ana", "Bea"]);
        assert_eq!(names(Order::Balance, "", &[]), ["Bea", "Zoe", "ana"]);
        assert_eq!(names(Order::Name, "", &[]), ["ana", "Bea", "Zoe"]);
        assert_eq!(names(Order::Name, "e", &[]), ["Bea", "Zoe"]);
    }

    #[test]
    fn whatever_the_order_was_before() {
        // Some of them, all of them, and some that are gone.
        for before in [&[2][..], &[3, 2, 1], &[2, 9, 3, 1]] {
            assert_eq!(names(Order::Recent, "", before), ["Zoe", "ana", "Bea"], "{before:?}");
        }
    }

    #[test]
    fn orders_read_back() {
        assert!(Order::ALL.iter().all(|order| Order::parse(order.word()) == Some(*order)));
        assert_eq!(Order::parse("Mood"), None);
    }
}
