//! The ledger against a second opinion: a model that keeps a list of what was taken and adds it up anew each time.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::{expect, expect_file};
use proptest::prelude::*;
use serde_json::{Value, json};
use tidebook_book::{
    Author, Change, Draft, MemberChange, MutationId, Rejected, ReplicaId, Role, Seq, StateUndo, UnixMillis, UserId,
};
use tidebook_ledger::{
    AMOUNT_MAX, Balances, ContactId, Currency, GROSS_MAX, Ledger, LedgerBook, LedgerChange, LedgerOp, LedgerState,
    TransactionId,
};
use uuid::Uuid;

const ANA: UserId = UserId(Uuid::from_u128(0xa));

fn contact_id(number: u32) -> ContactId {
    ContactId(Uuid::from_u128(0xc000 + u128::from(number)))
}

fn transaction_id(number: u32) -> TransactionId {
    TransactionId(Uuid::from_u128(0xd000 + u128::from(number)))
}

fn draft(seq: u64) -> Draft {
    Draft {
        seq: Seq(seq),
        at: UnixMillis(1_700_000_000_000 + seq as i64),
        author: Author { user: ANA, replica: ReplicaId(Uuid::from_u128(1)) },
        mutation: MutationId(Uuid::from_u128(seq.into())),
        made_at: UnixMillis(5),
        knows: tidebook_book::Knows::Own,
        base: Seq(seq - 1),
        index: 0,
    }
}

/// A book that was just created.
fn new_book() -> LedgerBook {
    let mut book = LedgerBook::default();
    let created = LedgerChange::BookCreated { name: "Flat 4".into(), currency: currency("EUR") };
    book.apply(&Change::Domain(created), &draft(1));
    book.apply(&Change::Member(MemberChange::Added { user: ANA, role: Role::Owner }), &draft(1));
    book
}

fn currency(code: &str) -> Currency {
    code.parse().expect("a currency")
}

fn op(value: Value) -> LedgerOp {
    serde_json::from_value(value).expect("an op")
}

fn contact(number: u32) -> LedgerOp {
    LedgerOp::create_contact(contact_id(number), format!("Contact {number}"))
}

fn transaction(number: u32, contact: u32, direction: &str, amount: u64, currency: &str) -> LedgerOp {
    op(json!({
        "op": "create_transaction", "id": transaction_id(number), "contact": contact_id(contact),
        "direction": direction, "amount": amount, "currency": currency,
        "date": format!("2026-11-{:02}", 1 + number % 28),
    }))
}

fn decide(book: &mut LedgerBook, seq: u64, ops: &[LedgerOp]) -> Result<Vec<StateUndo<Ledger>>, Rejected> {
    book.decide_and_apply(ops, draft(seq)).map(|decided| decided.undos)
}

/// What a person could do, as the model sees it.
#[derive(Debug, Clone)]
enum Deed {
    Contact(u32),
    Transaction { id: u32, contact: u32, gave: bool, amount: u64, currency: &'static str },
}

impl Deed {
    fn op(&self) -> LedgerOp {
        match *self {
            Self::Contact(id) => contact(id),
            Self::Transaction { id, contact, gave, amount, currency } => {
                transaction(id, contact, if gave { "gave" } else { "got" }, amount, currency)
            }
        }
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let amount = prop_oneof![4 => 1..5_000_u64, 1 => AMOUNT_MAX - 5..=AMOUNT_MAX];
    let currency = prop_oneof![3 => Just("EUR"), 1 => Just("JPY"), 1 => Just("KWD")];
    prop_oneof![
        1 => (0..8_u32).prop_map(Deed::Contact),
        4 => (0..60_u32, 0..8_u32, any::<bool>(), amount, currency)
            .prop_map(|(id, contact, gave, amount, currency)| Deed::Transaction { id, contact, gave, amount, currency }),
    ]
}

/// Mutations of one or a few ops each.
fn life() -> impl Strategy<Value = Vec<Vec<Deed>>> {
    prop::collection::vec(prop::collection::vec(deed(), 1..4), 1..60)
}

/// The second opinion.
#[derive(Debug, Clone, Default)]
struct Model {
    taken: Vec<Deed>,
}

impl Model {
    /// Takes all of a mutation or nothing; the code says why not.
    fn mutate(&mut self, deeds: &[Deed]) -> Result<(), &'static str> {
        let before = self.taken.len();
        for deed in deeds {
            if let Err(code) = self.check(deed) {
                self.taken.truncate(before);
                return Err(code);
            }
            self.taken.push(deed.clone());
        }
        Ok(())
    }

    fn check(&self, deed: &Deed) -> Result<(), &'static str> {
        let (taken_ids, gross) = match deed {
            Deed::Contact(id) => {
                (self.taken.iter().any(|taken| matches!(taken, Deed::Contact(other) if other == id)), 0)
            }
            Deed::Transaction { id, amount, currency, .. } => {
                let same = |taken: &Deed| matches!(taken, Deed::Transaction { id: other, .. } if other == id);
                (self.taken.iter().any(same), self.gross(currency) + u128::from(*amount))
            }
        };
        match deed {
            _ if taken_ids => Err("id_taken"),
            Deed::Transaction { contact, .. } if !self.contacts().contains(contact) => Err("unknown_contact"),
            _ if gross > u128::from(GROSS_MAX) => Err("total_too_large"),
            _ => Ok(()),
        }
    }

    fn contacts(&self) -> BTreeSet<u32> {
        let id = |deed: &Deed| match deed {
            Deed::Contact(id) => Some(*id),
            Deed::Transaction { .. } => None,
        };
        self.taken.iter().filter_map(id).collect()
    }

    fn gross(&self, of: &str) -> u128 {
        let amounts = self.taken.iter().map(|deed| match deed {
            Deed::Transaction { amount, currency, .. } if *currency == of => u128::from(*amount),
            _ => 0,
        });
        amounts.sum()
    }

    /// Sums of one contact, or of all.
    fn balances(&self, of: Option<u32>) -> Balances {
        let mut balances = Balances::new();
        for deed in &self.taken {
            if let Deed::Transaction { contact, gave, amount, currency, .. } = deed
                && of.is_none_or(|of| of == *contact)
            {
                let sign = if *gave { 1 } else { -1 };
                *balances.or_insert(self::currency(currency), 0) += sign * i128::from(*amount);
            }
        }
        balances.retain(|_, sum| *sum != 0);
        balances
    }
}

/// All that is derived from the records: sums per contact and over all, and each contact's transactions in order.
fn derived(state: &LedgerState) -> (Balances, BTreeMap<ContactId, (Balances, Vec<TransactionId>)>) {
    let of = |id: ContactId| {
        let transactions = state.transactions_of(id).map(|transaction| transaction.id).collect();
        (id, (state.balances_of(id), transactions))
    };
    let every_id = (0..8).map(contact_id);
    (state.totals().clone(), every_id.map(of).collect())
}

fn stored(book: &LedgerBook) -> String {
    serde_json::to_string(&(&book.members, &book.domain)).expect("a state serialises")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn balances_and_rejections_are_what_the_model_says(life in life()) {
        let (mut book, mut model) = (new_book(), Model::default());
        for (seq, deeds) in (2..).zip(&life) {
            let ops: Vec<LedgerOp> = deeds.iter().map(Deed::op).collect();
            let decided = decide(&mut book, seq, &ops).map(drop).map_err(|rejected| rejected.code);
            prop_assert_eq!(decided, model.mutate(deeds).map_err(str::to_owned), "{:?}", deeds);
            prop_assert_eq!(book.domain.totals(), &model.balances(None));
            for contact in 0..8 {
                prop_assert_eq!(book.domain.balances_of(contact_id(contact)), model.balances(Some(contact)));
            }
        }
        let places = (0..8).map(|contact| {
            let dates: Vec<_> = book.domain.transactions_of(contact_id(contact)).map(|of| (of.date, of.seq)).collect();
            prop_assert!(dates.is_sorted(), "{:?}", dates);
            Ok(dates.len())
        });
        let listed: usize = places.collect::<Result<Vec<_>, TestCaseError>>()?.iter().sum();
        prop_assert_eq!(listed, book.domain.transactions().count(), "each is in one list, once");
    }

    #[test]
    fn what_was_done_can_be_taken_back_step_by_step(life in life()) {
        let mut book = new_book();
        let mut steps = Vec::new();
        for (seq, deeds) in (2..).zip(&life) {
            let ops: Vec<LedgerOp> = deeds.iter().map(Deed::op).collect();
            let before = (stored(&book), derived(&book.domain));
            match decide(&mut book, seq, &ops) {
                Ok(undos) => steps.push((before, undos)),
                Err(_) => prop_assert_eq!((stored(&book), derived(&book.domain)), before, "a rejection leaves no trace"),
            }
        }
        while let Some((before, undos)) = steps.pop() {
            book.revert_all(undos);
            prop_assert_eq!((stored(&book), derived(&book.domain)), before);
        }
        prop_assert_eq!(book.hash(), new_book().hash());
    }

    #[test]
    fn a_state_read_from_a_snapshot_is_the_same_and_goes_on_the_same(life in life(), cut in 0..60_usize) {
        let mut book = new_book();
        let ops_of = |deeds: &Vec<Deed>| -> Vec<LedgerOp> { deeds.iter().map(Deed::op).collect() };
        let (before, after) = life.split_at(cut.min(life.len()));
        for (seq, deeds) in (2..).zip(before) {
            // Some are rejected: that is part of life.
            let _decided = decide(&mut book, seq, &ops_of(deeds));
        }

        let text = serde_json::to_string(&book.domain).expect("a state serialises");
        let domain: LedgerState = serde_json::from_str(&text).expect("and reads back");
        let mut read = LedgerBook { members: book.members.clone(), domain };
        prop_assert_eq!(read.hash(), book.hash());
        prop_assert_eq!(derived(&read.domain), derived(&book.domain));

        for (seq, deeds) in (1_000..).zip(after) {
            let [one, other] = [&mut book, &mut read].map(|book| decide(book, seq, &ops_of(deeds)).map(drop));
            prop_assert_eq!(one, other);
        }
        prop_assert_eq!(read.hash(), book.hash());
        prop_assert_eq!(derived(&read.domain), derived(&book.domain));
    }
}

#[test]
fn the_gross_of_a_currency_is_bounded_both_ways_and_by_itself() {
    let full = GROSS_MAX / AMOUNT_MAX;
    let rest = GROSS_MAX % AMOUNT_MAX;
    let mut book = new_book();
    let mut ops = vec![contact(1), contact(2)];
    // Directions do not cancel out: what is bounded is what could ever be summed.
    for number in 0..full as u32 {
        let direction = ["gave", "got"][number as usize % 2];
        ops.push(transaction(number, 1 + number % 2, direction, AMOUNT_MAX, "EUR"));
    }
    decide(&mut book, 2, &ops).expect("so much fits");
    let cases = [
        (100, rest + 1, "EUR", Err("total_too_large")),
        (101, AMOUNT_MAX, "EUR", Err("total_too_large")),
        (102, AMOUNT_MAX, "JPY", Ok(())),
        (103, rest - 1, "EUR", Ok(())),
        (104, 2, "EUR", Err("total_too_large")),
        (105, 1, "EUR", Ok(())),
        (106, 1, "EUR", Err("total_too_large")),
        (107, 1, "KWD", Ok(())),
    ];
    for (number, amount, currency, expected) in cases {
        let decided = decide(&mut book, u64::from(number), &[transaction(number, 1, "got", amount, currency)]);
        assert_eq!(decided.map(drop).map_err(|rejected| rejected.code), expected.map_err(str::to_owned), "{number}");
    }
    // Within one mutation the ops add up too.
    let ops = [transaction(200, 1, "gave", AMOUNT_MAX, "TND"), transaction(201, 1, "gave", AMOUNT_MAX, "TND")];
    let many: Vec<LedgerOp> = (0..10).map(|n| transaction(210 + n, 1, "gave", AMOUNT_MAX, "TND")).collect();
    let rejected = decide(&mut book, 300, &many).expect_err("ten are too many");
    assert_eq!((&*rejected.code, rejected.op), ("total_too_large", 9));
    decide(&mut book, 301, &ops).expect("what was rejected takes no room");
}

#[test]
fn each_field_is_checked() {
    let base = json!({
        "op": "create_transaction", "id": transaction_id(1), "contact": contact_id(1), "direction": "gave",
        "amount": 1, "currency": "EUR", "date": "2026-11-22",
    });
    let person = json!({ "op": "create_contact", "id": contact_id(2), "name": "Ana" });
    let text = |chars: usize| json!("é".repeat(chars));
    let cases = [
        (&base, "amount", json!(0), "invalid_field amount"),
        (&base, "amount", json!(-1), "invalid_field amount"),
        (&base, "amount", json!(i64::MIN), "invalid_field amount"),
        (&base, "amount", json!(AMOUNT_MAX), "fine"),
        (&base, "amount", json!(AMOUNT_MAX + 1), "invalid_field amount"),
        (&base, "direction", json!("lent"), "invalid_field direction"),
        (&base, "direction", json!("got"), "fine"),
        (&base, "currency", json!("eur"), "invalid_field currency"),
        (&base, "currency", json!("XXX"), "invalid_field currency"),
        (&base, "date", json!("2026-02-29"), "invalid_field date"),
        (&base, "date", json!("0001-01-01"), "fine"),
        (&base, "due", json!("soon"), "invalid_field due"),
        (&base, "due", json!("2026-11-21"), "fine"),
        (&base, "note", text(4000), "fine"),
        (&base, "note", text(4001), "invalid_field note"),
        (&base, "note", json!("two\nlines"), "fine"),
        (&base, "note", json!("a\u{0}b"), "invalid_field note"),
        (&base, "contact", json!(contact_id(9)), "unknown_contact"),
        (&base, "id", json!(transaction_id(0)), "id_taken"),
        (&person, "id", json!(contact_id(1)), "id_taken"),
        (&person, "name", text(200), "fine"),
        (&person, "name", text(201), "invalid_field name"),
        (&person, "name", json!(" \u{a0}"), "fine"),
        (&person, "name", json!(""), "invalid_field name"),
        (&person, "name", json!("two\nlines"), "invalid_field name"),
        (&person, "username", text(320), "fine"),
        (&person, "username", text(321), "invalid_field username"),
        (&person, "phone", text(321), "invalid_field phone"),
        (&person, "email", text(321), "invalid_field email"),
        (&person, "note", text(4001), "invalid_field note"),
        (&person, "email", json!(""), "fine"),
    ];
    for (op, field, value, expected) in cases {
        let mut book = new_book();
        decide(&mut book, 2, &[contact(1), transaction(0, 1, "gave", 1, "EUR")]).expect("fine");
        let mut op = op.clone();
        op[field] = value;
        let said = match decide(&mut book, 3, &[self::op(op.clone())]) {
            Ok(_) => "fine".to_owned(),
            Err(Rejected { code, field: Some(field), .. }) => format!("{code} {field}"),
            Err(Rejected { code, .. }) => code,
        };
        assert_eq!(said, expected, "{field} of {op}");
    }
}

/// Snapshots are kept by servers and by devices, and read by versions to come.
#[test]
fn the_state_of_a_small_book_letter_by_letter() {
    let mut book = new_book();
    let ana = op(json!({
        "op": "create_contact", "id": contact_id(1), "name": "Ána \"Anna\"", "username": "ana", "phone": "+49 30 1234",
        "email": "ana@example.org", "note": "two\nlines",
    }));
    let dinner = op(json!({
        "op": "create_transaction", "id": transaction_id(1), "contact": contact_id(1), "direction": "got",
        "amount": AMOUNT_MAX, "currency": "KWD", "date": "2026-11-22", "note": "dinner", "due": "2026-12-01",
    }));
    decide(&mut book, 2, &[contact(2), ana]).expect("fine");
    decide(&mut book, 3, &[dinner, transaction(0, 2, "gave", 2050, "EUR")]).expect("fine");
    let text = serde_json::to_string_pretty(&book.domain).expect("a state serialises");
    expect_file!["golden/state-1.json"].assert_eq(&format!("{text}\n"));
    expect!["711984e04f01f6818d22a39f825fbbea45836f4f9b5975482c2db1bd80c8036c"].assert_eq(&book.hash().to_string());
}
