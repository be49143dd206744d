//! All transactions of a book, newest first, and which of them a filter leaves.
//!
//! A book can hold a hundred thousand. They are put in order when the book changes; a filter then only goes through
//! what was prepared, so that typing in it is not felt.

use tidebook_ledger::{Balances, CivilDate, ContactId, Currency, Direction, LedgerState, Transaction, TransactionId};

use crate::ledger_page::{LineSpot, Month, Spot};

/// Words of a search beyond this many are passed over: each has a bit of a number.
const WORDS_MAX: usize = 32;

/// What of the book somebody wants to see. Empty, it leaves everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words, each of which is in the note or in the name.
    pub text: String,
    pub person: Option<ContactId>,
    /// The first and the last day.
    pub from: Option<CivilDate>,
    pub to: Option<CivilDate>,
    pub currency: Option<Currency>,
    pub direction: Option<Direction>,
}

/// A book's standing transactions in order.
#[derive(Debug, Default)]
pub struct AllTransactions {
    people: Vec<Person>,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Person {
    id: ContactId,
    folded: String,
}

/// A transaction, as far as a filter looks at it.
#[derive(Debug)]
struct Item {
    place: Place,
    id: TransactionId,
    /// Its place in `people`.
    person: usize,
    signed_amount: i128,
    currency: Currency,
    /// Of the note as it is: it tells whether that has changed.
    note_hash: u64,
    /// The note in the form that is searched.
    folded: String,
}

/// Date, entry and place within it, in one number: to sort by it takes little code and little time.
type Place = u128;

/// How far the date stands above the rest of a place.
const DATE_SHIFT: u32 = 96;

/// What a filter leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub rows: Vec<Spot>,
    pub count: usize,
    /// Per currency; those that come to nothing too.
    pub sums: Balances,
}

impl Filter {
    /// The same words for the same filter.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = self.text.clone();
        let mut add = |word: Option<String>| {
            words.push('|');
            words.push_str(&word.unwrap_or_default());
        };
        add(self.person.map(|it| it.to_string()));
        add(self.from.map(|it| it.to_string()));
        add(self.to.map(|it| it.to_string()));
        add(self.currency.map(|it| it.to_string()));
        add(self.direction.map(|it| it.to_string()));
        words
    }
}

impl AllTransactions {
    /// Puts a book in order. `before` is what it was: notes that are as they were are not folded again.
    #[must_use]
    pub fn of(state: &LedgerState, before: Self, fold: fn(&str) -> String) -> Self {
        let standing = state.contacts().filter(|contact| !contact.deleted);
        let people: Vec<_> = standing.map(|contact| Person { id: contact.id, folded: fold(&contact.name) }).collect();
        let mut order: Vec<(Place, usize, &Transaction)> = Vec::with_capacity(before.items.len());
        for (person, Person { id, .. }) in people.iter().enumerate() {
            order.extend(state.transactions_of(*id).map(|transaction| (place(transaction), person, transaction)));
        }
        order.sort_unstable_by_key(|(place, ..)| std::cmp::Reverse(*place));
        let mut old = before.items.into_iter().peekable();
        let items = order.into_iter().map(|(place, person, transaction)| {
            let note = transaction.note.as_deref().unwrap_or_default();
            let note_hash = hash(note);
            while old.next_if(|old| old.place > place).is_some() {}
            let same = old.next_if(|old| old.place == place && old.note_hash == note_hash);
            Item {
                place,
                id: transaction.id,
                person,
                signed_amount: transaction.signed_amount(),
                currency: transaction.currency,
                note_hash,
                folded: same.map_or_else(|| fold(note), |same| same.folded),
            }
        });
        let items = items.collect();
        Self { people, items }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The currencies there are, in the order of their codes.
    #[must_use]
    pub fn currencies(&self) -> Vec<Currency> {
        let mut found: Vec<Currency> = Vec::new();
        for item in &self.items {
            if let Err(place) = found.binary_search(&item.currency) {
                found.insert(place, item.currency);
            }
        }
        found
    }

    /// What a filter leaves, whose text is folded.
    #[must_use]
    pub fn find(&self, filter: &Filter) -> Found {
        let words: Vec<&str> = filter.text.split_whitespace().take(WORDS_MAX).collect();
        let all_words = u32::MAX.checked_shr(u32::try_from(WORDS_MAX - words.len()).unwrap_or(0)).unwrap_or(0);
        // Which of the words each name has.
        let named: Vec<u32> = self.people.iter().map(|person| bits(&words, 0, &person.folded)).collect();
        let is_person: Vec<bool> = self.people.iter().map(|it| filter.person.is_none_or(|id| id == it.id)).collect();
        let from = filter.from.map_or(0, day);
        let to = filter.to.map_or(u32::MAX, day);
        let is_wanted = |item: &&Item| {
            let day = day_of(item.place);
            is_person[item.person]
                && (from..=to).contains(&day)
                && filter.currency.is_none_or(|currency| currency == item.currency)
                && filter.direction.is_none_or(|direction| direction.signed(1) == item.signed_amount.signum())
                && bits(&words, named[item.person], &item.folded) == all_words
        };
        let mut found = Found::default();
        let mut last = None;
        self.items.iter().filter(is_wanted).for_each(|item| found.push(item, &mut last));
        found
    }
}

impl Found {
    fn push(&mut self, item: &Item, last: &mut Option<u32>) {
        let day = day_of(item.place);
        let first = last.is_none_or(|last| last >> 8 != day >> 8);
        if first {
            self.rows.push(Spot::Month(month_of(day)));
        }
        // Between people there is no one balance.
        self.rows.push(Spot::Line(LineSpot { id: item.id, after: 0, first, same_day: *last == Some(day) }));
        self.count += 1;
        *self.sums.or_insert(item.currency, 0) += item.signed_amount;
        *last = Some(day);
    }

    /// The months there are, and the row each begins at.
    pub fn months(&self) -> impl Iterator<Item = (usize, Month)> {
        self.rows.iter().enumerate().filter_map(|(place, row)| match row {
            Spot::Month(month) => Some((place, *month)),
            Spot::Line(_) => None,
        })
    }
}

/// `known`, and a bit for each of the words that is in the text.
fn bits(words: &[&str], known: u32, text: &str) -> u32 {
    let new = |bits: u32, (place, word): (usize, &&str)| {
        let bit = 1 << place;
        if bits & bit == 0 && text.contains(word) { bits | bit } else { bits }
    };
    words.iter().enumerate().fold(known, new)
}

fn place(transaction: &Transaction) -> Place {
    let created = transaction.created;
    (Place::from(day(transaction.date)) << DATE_SHIFT) | (Place::from(created.seq.0) << 32) | created.index as Place
}

/// Years, months and days beside each other: in order, and no calendar is needed to take them apart.
fn day(date: CivilDate) -> u32 {
    let date = date.date();
    (u32::from(date.year().unsigned_abs()) << 16)
        | (u32::from(date.month().unsigned_abs()) << 8)
        | u32::from(date.day().unsigned_abs())
}

fn day_of(place: Place) -> u32 {
    (place >> DATE_SHIFT) as u32
}

fn month_of(day: u32) -> Month {
    ((day >> 16) as i16, (day >> 8) as u8 as i8)
}

/// FNV-1a: quick over short texts.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use tidebook_book::Seq;
    use tidebook_ledger::LedgerOp;

    use super::*;
    use crate::entry::tests::{apply, id, transaction};
    use crate::name;

    fn fold(text: &str) -> String {
        name::fold(&text.to_lowercase())
    }

    /// Op by op, each in an entry of its own.
    fn book(ops: &[LedgerOp]) -> LedgerState {
        let mut state = LedgerState::default();
        (1..).zip(ops).for_each(|(seq, op)| apply(&mut state, Seq(seq), op));
        state
    }

    fn noted(op: LedgerOp, text: &str) -> LedgerOp {
        match op {
            LedgerOp::CreateTransaction { id, contact, direction, amount, currency, date, .. } => {
                let note = Some(text.into());
                LedgerOp::CreateTransaction { id, contact, direction, amount, currency, date, note, due: None }
            }
            op => op,
        }
    }

    fn ops() -> Vec<LedgerOp> {
        vec![
            LedgerOp::create_contact(id(1), "Ana Kovac\u{30c}"),
            LedgerOp::create_contact(id(2), "Jun"),
            LedgerOp::create_contact(id(3), "Gone"),
            noted(transaction(11, 1, "gave", 500, "EUR", "2026-10-31"), "Taxi"),
            noted(transaction(12, 2, "got", 200, "EUR", "2026-11-02"), "Lunch with Ana"),
            noted(transaction(13, 1, "gave", 900, "JPY", "2026-11-02"), "Seat"),
            transaction(14, 2, "gave", 100, "EUR", "2026-11-01"),
            transaction(15, 3, "gave", 1, "EUR", "2026-11-01"),
            transaction(16, 2, "gave", 2, "EUR", "2026-11-01"),
            LedgerOp::DeleteContact { id: id(3) },
            LedgerOp::DeleteTransaction { id: TransactionId(uuid::Uuid::from_u128(16)) },
        ]
    }

    fn all(ops: &[LedgerOp]) -> AllTransactions {
        AllTransactions::of(&book(ops), AllTransactions::default(), fold)
    }

    fn number(id: TransactionId) -> u128 {
        id.0.as_u128()
    }

    fn found(filter: Filter) -> Vec<u128> {
        let rows = all(&ops()).find(&filter).rows.into_iter();
        let ids = rows.filter_map(|row| match row {
            Spot::Line(spot) => Some(number(spot.id)),
            Spot::Month(_) => None,
        });
        ids.collect()
    }

    #[test]
    fn what_stands_is_in_order_under_its_months() {
        let found = all(&ops()).find(&Filter::default());
        let told: Vec<_> = found
            .rows
            .iter()
            .map(|row| match row {
                Spot::Month((year, month)) => format!("{year} {month}"),
                Spot::Line(spot) => format!("{} {} {}", number(spot.id), spot.first, spot.same_day),
            })
            .collect();
        let expected = ["2026 11", "13 true false", "12 false true", "14 false false", "2026 10", "11 true false"];
        assert_eq!(told, expected);
        assert_eq!(found.months().collect::<Vec<_>>(), [(0, (2026, 11)), (4, (2026, 10))]);
        assert_eq!(found.count, 4);
        let sums: Vec<_> = found.sums.iter().map(|(currency, sum)| (currency.to_string(), *sum)).collect();
        assert_eq!(sums, [("EUR".to_owned(), 400), ("JPY".to_owned(), 900)]);
        let codes = all(&ops()).currencies().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(codes, ["EUR", "JPY"]);
    }

    #[test]
    fn each_filter_leaves_its_own() {
        let date = |text: &str| Some(text.parse().expect("a date"));
        let text = |text: &str| Filter { text: text.into(), ..Filter::default() };
        let cases = [
            (text("taxi"), vec![11]),
            (text("ana"), vec![13, 12, 11]),
            (text("kovac seat"), vec![13]),
            (text("jun lunch ana"), vec![12]),
            (text("jun taxi"), vec![]),
            (text(" "), vec![13, 12, 14, 11]),
            (text(&["a"; 40].join(" ")), vec![13, 12, 11]),
            (Filter { person: Some(id(2)), ..Filter::default() }, vec![12, 14]),
            (Filter { person: Some(id(3)), ..Filter::default() }, vec![]),
            (Filter { from: date("2026-11-01"), to: date("2026-11-01"), ..Filter::default() }, vec![14]),
            (Filter { from: date("2026-11-02"), ..Filter::default() }, vec![13, 12]),
            (Filter { to: date("2026-10-31"), ..Filter::default() }, vec![11]),
            (Filter { from: date("2026-11-02"), to: date("2026-11-01"), ..Filter::default() }, vec![]),
            (Filter { currency: "JPY".parse().ok(), ..Filter::default() }, vec![13]),
            (Filter { direction: Some(Direction::Got), ..Filter::default() }, vec![12]),
            (Filter { direction: Some(Direction::Gave), ..text("ana") }, vec![13, 11]),
        ];
        for (filter, expected) in cases {
            assert_eq!(found(filter.clone()), expected, "{filter:?}");
        }
    }

    #[test]
    fn sums_that_come_to_nothing_are_told() {
        let ops = [
            LedgerOp::create_contact(id(1), "Ana"),
            transaction(11, 1, "gave", 500, "EUR", "2026-10-31"),
            transaction(12, 1, "got", 500, "EUR", "2026-10-31"),
        ];
        assert_eq!(all(&ops).find(&Filter::default()).sums.values().collect::<Vec<_>>(), [&0]);
    }

    #[test]
    fn only_what_is_new_is_folded() {
        fn fold_new(text: &str) -> String {
            assert!(["New", "Ana Kovac\u{30c}", "Jun"].contains(&text), "{text} was folded before");
            fold(text)
        }
        let before = all(&ops());
        let mut ops = ops();
        let set = |number, field, text: &str| LedgerOp::UpdateTransaction {
            id: TransactionId(uuid::Uuid::from_u128(number)),
            set: tidebook_ledger::FieldSet::default().with(field, tidebook_ledger::FieldValue::Text(text.into())),
        };
        ops.push(noted(transaction(17, 1, "gave", 5, "EUR", "2026-11-01"), "New"));
        ops.push(set(12, tidebook_ledger::Field::Note, "New"));
        let after = AllTransactions::of(&book(&ops), before, fold_new);
        let count = |text: &str| after.find(&Filter { text: text.into(), ..Filter::default() }).count;
        assert_eq!(["new", "lunch", "taxi"].map(count), [2, 0, 1]);
    }
}
