//! What people could do, at random: a few records that all of them write, from bases old and new, right and wrong.

use proptest::prelude::*;
use serde_json::json;
use tidebook_ledger::{
    AMOUNT_MAX, ContactId, Field, FieldSet, FieldValue, GROSS_MAX, LedgerOp, TransactionId, inverse_of,
};

use crate::stage::{Stage, Who, id_of};

const WHO: [Who; 5] = [Who::Ana, Who::Ben, Who::BenPhone, Who::BenRest, Who::AnaUndo];

/// One thing someone does; `age` is how many entries back their base lies.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    who: usize,
    age: u64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Ops(Vec<LedgerOp>),
    /// Decides one of the open conflicts.
    Resolve {
        place: usize,
        apply: bool,
    },
    /// Decides one, and edits in the same mutation.
    ResolveAnd(usize, LedgerOp),
    /// Takes an entry back.
    Undo {
        entry: u64,
    },
}

impl Deed {
    /// Who says what in a book, and from which base.
    pub(crate) fn in_book(&self, stage: &Stage) -> (Who, u64, Vec<LedgerOp>) {
        let (who, base) = (WHO[self.who], stage.head.saturating_sub(self.age));
        let resolve = |place: usize, apply| {
            let open = stage.book.domain.conflicts_in_order();
            let id = open.get(place % open.len().max(1)).map(|open| open.conflict.id);
            id.map(|id| LedgerOp::ResolveConflict { id, apply })
        };
        match &self.what {
            What::Ops(ops) => (who, base, ops.clone()),
            What::Resolve { place, apply } => (who, base, resolve(*place, *apply).into_iter().collect()),
            What::ResolveAnd(place, op) => {
                (who, base, resolve(*place, false).into_iter().chain([op.clone()]).collect())
            }
            What::Undo { entry } => {
                let entry = 1 + entry % stage.head;
                (Who::AnaUndo, entry, undo_of(stage, entry))
            }
        }
    }
}

/// The ops that an app sends to take an entry back.
pub(crate) fn undo_of(stage: &Stage, entry: u64) -> Vec<LedgerOp> {
    inverse_of(&stage.log[usize::try_from(entry).expect("few entries") - 1])
}

fn contact() -> impl Strategy<Value = ContactId> {
    // Now and then it is the id of something else.
    prop_oneof![
        20 => (1..4_u8).prop_map(|n| ContactId(id_of(&format!("c{n}")))),
        1 => Just(ContactId(id_of("t1"))),
    ]
}

fn transaction() -> impl Strategy<Value = TransactionId> {
    (1..6_u8).prop_map(|n| TransactionId(id_of(&format!("t{n}"))))
}

fn value() -> impl Strategy<Value = (Field, FieldValue)> {
    let text = |field, texts: &'static [&'static str]| {
        prop::sample::select(texts).prop_map(move |text| (field, FieldValue::Text(text.into())))
    };
    prop_oneof![
        6 => text(Field::Note, &["a", "b"]),
        3 => text(Field::Name, &["N", "M"]),
        3 => text(Field::Currency, &["EUR", "JPY"]),
        3 => text(Field::Direction, &["gave", "got"]),
        3 => text(Field::Date, &["2026-01-01", "2026-02-02"]),
        4 => amount().prop_map(|amount| (Field::Amount, FieldValue::Number(amount))),
        3 => contact().prop_map(|id| (Field::Contact, FieldValue::Text(id.to_string()))),
        3 => Just((Field::Note, FieldValue::Nothing)),
        1 => wrong_value(),
    ]
}

/// Small ones; and some so large that with those of [`rich`] a book holds one of them, or two, or none.
fn amount() -> impl Strategy<Value = i64> {
    let room = (GROSS_MAX - 9 * AMOUNT_MAX) as i64;
    prop_oneof![12 => 1..4_i64, 1 => room - 3..=room, 1 => Just(room / 2), 1 => Just(room + 1)]
}

fn wrong_value() -> impl Strategy<Value = (Field, FieldValue)> {
    let text = |text: &str| FieldValue::Text(text.into());
    prop::sample::select(vec![
        (Field::Amount, FieldValue::Number(0)),
        (Field::Amount, FieldValue::Number(AMOUNT_MAX as i64 + 1)),
        (Field::Amount, text("1")),
        (Field::Amount, FieldValue::Nothing),
        (Field::Currency, text("XXX")),
        (Field::Direction, text("lent")),
        (Field::Date, text("soon")),
        (Field::Name, text("")),
        (Field::Name, FieldValue::Nothing),
        (Field::Note, FieldValue::Flag(true)),
        (Field::Note, text(&"x".repeat(4001))),
        (Field::Contact, text("nobody")),
        (Field::Deleted, FieldValue::Flag(true)),
    ])
}

fn set() -> impl Strategy<Value = FieldSet> {
    prop::collection::vec(value(), 1..3).prop_map(FieldSet::from_iter)
}

pub(crate) fn op() -> impl Strategy<Value = LedgerOp> {
    let currency = prop::sample::select(&["EUR", "EUR", "EUR", "EUR", "EUR", "JPY", "JPY", "eur"]);
    let create = (transaction(), contact(), amount(), any::<bool>(), currency).prop_map(
        |(id, contact, amount, gave, currency)| {
            let direction = if gave { "gave" } else { "got" };
            create(id, contact, direction, amount, currency)
        },
    );
    prop_oneof![
        2 => contact().prop_map(|id| LedgerOp::create_contact(id, "x")),
        3 => create,
        5 => (transaction(), set()).prop_map(|(id, set)| LedgerOp::UpdateTransaction { id, set }),
        3 => (contact(), set()).prop_map(|(id, set)| LedgerOp::UpdateContact { id, set }),
        1 => set().prop_map(|set| LedgerOp::UpdateBook { set }),
        1 => contact().prop_map(|id| LedgerOp::DeleteContact { id }),
        1 => contact().prop_map(|id| LedgerOp::RestoreContact { id }),
        1 => transaction().prop_map(|id| LedgerOp::DeleteTransaction { id }),
        1 => transaction().prop_map(|id| LedgerOp::RestoreTransaction { id }),
    ]
}

fn create(id: TransactionId, contact: ContactId, direction: &str, amount: i64, currency: &str) -> LedgerOp {
    let value = json!({
        "op": "create_transaction", "id": id, "contact": contact, "amount": amount, "direction": direction,
        "currency": currency, "date": "2026-11-22",
    });
    serde_json::from_value(value).expect("an op")
}

fn deed() -> impl Strategy<Value = Deed> {
    let what = prop_oneof![
        16 => prop::collection::vec(op(), 1..4).prop_map(What::Ops),
        5 => (0..5_usize, any::<bool>()).prop_map(|(place, apply)| What::Resolve { place, apply }),
        1 => (0..5_usize, op()).prop_map(|(place, op)| What::ResolveAnd(place, op)),
        3 => (0..100_u64).prop_map(|entry| What::Undo { entry }),
    ];
    (0..WHO.len(), prop_oneof![2 => Just(0), 3 => 0..8_u64, 1 => 0..40_u64], what).prop_map(|(who, age, what)| Deed {
        who,
        age,
        what,
    })
}

/// A book with a few records in it.
fn some() -> Vec<LedgerOp> {
    let [c1, c2] = ["c1", "c2"].map(|id| ContactId(id_of(id)));
    let [t1, t2] = ["t1", "t2"].map(|id| TransactionId(id_of(id)));
    let contacts = [c1, c2].map(|id| LedgerOp::create_contact(id, "x"));
    contacts.into_iter().chain([create(t1, c1, "gave", 2, "EUR"), create(t2, c2, "got", 3, "EUR")]).collect()
}

/// A book that holds hardly any more euros.
fn rich() -> Vec<LedgerOp> {
    let much = (11..20).map(|number| {
        let direction = if number % 2 == 0 { "gave" } else { "got" };
        create(TransactionId(id_of(&format!("t{number}"))), ContactId(id_of("c1")), direction, AMOUNT_MAX as i64, "EUR")
    });
    some().into_iter().chain(much).collect()
}

/// Deeds in the order in which they arrive.
pub(crate) fn life(most: usize) -> impl Strategy<Value = Vec<Deed>> {
    let start = prop_oneof![2 => Just(Vec::new()), 4 => Just(some()), 1 => Just(rich())];
    let first = start.prop_map(|ops| Deed { who: 0, age: 0, what: What::Ops(ops) });
    (first, prop::collection::vec(deed(), 1..most)).prop_map(|(first, deeds)| [vec![first], deeds].concat())
}
