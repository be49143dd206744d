//! Whatever people do, in whatever order it arrives: what holds after every entry.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tidebook_book::{Author, Change, Draft, Knows, MutationId, ReplicaId, Seq, UnixMillis, UserId};
use tidebook_ledger::{
    Balances, ConflictKind, Field, FieldSet, FieldValue, LedgerBook, LedgerChange, LedgerOp, LedgerState, RecordRef,
    inverse_of,
};
use uuid::Uuid;

use crate::stage::{Stage, Who, id_of};

const WHO: [Who; 5] = [Who::Ana, Who::Ben, Who::BenPhone, Who::BenRest, Who::AnaUndo];

/// One thing someone does; `age` is how many entries back their base lies.
#[derive(Debug, Clone)]
struct Deed {
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
    /// Takes an entry back.
    Undo {
        entry: usize,
    },
}

fn contact() -> impl Strategy<Value = tidebook_ledger::ContactId> {
    (1..4_u8).prop_map(|n| tidebook_ledger::ContactId(id_of(&format!("c{n}"))))
}

fn transaction() -> impl Strategy<Value = tidebook_ledger::TransactionId> {
    (1..6_u8).prop_map(|n| tidebook_ledger::TransactionId(id_of(&format!("t{n}"))))
}

fn values() -> impl Strategy<Value = (Field, FieldValue)> {
    let text = |field, texts: &'static [&'static str]| {
        prop::sample::select(texts).prop_map(move |text| (field, FieldValue::Text(text.into())))
    };
    prop_oneof![
        text(Field::Note, &["a", "b"]),
        text(Field::Name, &["N", "M"]),
        text(Field::Currency, &["EUR", "JPY"]),
        text(Field::Direction, &["gave", "got"]),
        text(Field::Date, &["2026-01-01", "2026-02-02"]),
        (1..4_i64).prop_map(|amount| (Field::Amount, FieldValue::Number(amount))),
        contact().prop_map(|id| (Field::Contact, FieldValue::Text(id.to_string()))),
        Just((Field::Note, FieldValue::Nothing)),
    ]
}

fn set() -> impl Strategy<Value = FieldSet> {
    prop::collection::vec(values(), 1..3).prop_map(FieldSet::from_iter)
}

fn op() -> impl Strategy<Value = LedgerOp> {
    let create = (transaction(), contact(), 1..50_i64, any::<bool>()).prop_map(|(id, contact, amount, gave)| {
        let direction = if gave { "gave" } else { "got" };
        let value = serde_json::json!({"op": "create_transaction", "id": id, "contact": contact, "amount": amount,
            "direction": direction, "currency": "EUR", "date": "2026-11-22"});
        serde_json::from_value(value).expect("an op")
    });
    prop_oneof![
        2 => contact().prop_map(|id| LedgerOp::create_contact(id, "x")),
        3 => create,
        4 => (transaction(), set()).prop_map(|(id, set)| LedgerOp::UpdateTransaction { id, set }),
        3 => (contact(), set()).prop_map(|(id, set)| LedgerOp::UpdateContact { id, set }),
        1 => set().prop_map(|set| LedgerOp::UpdateBook { set }),
        1 => contact().prop_map(|id| LedgerOp::DeleteContact { id }),
        1 => contact().prop_map(|id| LedgerOp::RestoreContact { id }),
        1 => transaction().prop_map(|id| LedgerOp::DeleteTransaction { id }),
        1 => transaction().prop_map(|id| LedgerOp::RestoreTransaction { id }),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let what = prop_oneof![
        8 => prop::collection::vec(op(), 1..4).prop_map(What::Ops),
        2 => (0..3_usize, any::<bool>()).prop_map(|(place, apply)| What::Resolve { place, apply }),
        1 => (0..40_usize).prop_map(|entry| What::Undo { entry }),
    ];
    (0..WHO.len(), prop_oneof![2 => Just(0), 3 => 0..8_u64], what).prop_map(|(who, age, what)| Deed { who, age, what })
}

fn ops_of(stage: &Stage, what: &What) -> Vec<LedgerOp> {
    match what {
        What::Ops(ops) => ops.clone(),
        What::Resolve { place, apply } => {
            let mut open: Vec<_> = stage.book.domain.conflicts().map(|open| open.conflict.id).collect();
            open.sort();
            open.get(*place).map(|id| LedgerOp::ResolveConflict { id: *id, apply: *apply }).into_iter().collect()
        }
        What::Undo { entry } => stage.log.get(*entry).map(|changes| inverse_of(changes)).unwrap_or_default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn after_every_entry(deeds in prop::collection::vec(deed(), 1..40)) {
        let mut stage = Stage::new();
        let mut reader = stage.book.clone();
        for deed in deeds {
            let before = stage.book.hash();
            let ops = ops_of(&stage, &deed.what);
            let base = stage.head.saturating_sub(deed.age);
            let author = WHO[deed.who];
            let decided = stage.say_ops(author, base, &ops);
            match &decided {
                Ok(changes) => replay(&mut reader, &stage, author, changes),
                Err(_) => prop_assert_eq!(stage.book.hash(), before, "a rejection leaves no trace"),
            }
            // The changes alone carry the state: whoever only reads computes the same.
            prop_assert_eq!(reader.hash(), stage.book.hash());
            check_sums(&stage.book.domain)?;
            check_conflicts(&stage.book.domain)?;
            check_snapshot(&stage.book)?;
        }
    }

    #[test]
    fn every_entry_can_be_taken_back_without_a_trace(
        deeds in prop::collection::vec(deed(), 1..25), ops in prop::collection::vec(op(), 1..4), who in 0..WHO.len(), age in 0..6_u64,
    ) {
        let mut stage = Stage::new();
        for deed in deeds {
            let (ops, base) = (ops_of(&stage, &deed.what), stage.head.saturating_sub(deed.age));
            let _either_way = stage.say_ops(WHO[deed.who], base, &ops);
        }
        let before = stage.book.hash();
        let draft = draft(WHO[who], stage.head.saturating_sub(age), stage.head + 1);
        if let Ok(decided) = stage.book.decide_and_apply(&ops, draft) {
            stage.book.revert_all(decided.undos);
        }
        prop_assert_eq!(stage.book.hash(), before);
        check_sums(&stage.book.domain)?;
    }
}

fn draft(who: Who, base: u64, seq: u64) -> Draft {
    let number = who as u128;
    Draft {
        seq: Seq(seq),
        at: UnixMillis(0),
        author: Author { user: UserId(Uuid::from_u128(0xa)), replica: ReplicaId(Uuid::from_u128(0xa1 + number)) },
        mutation: MutationId(Uuid::from_u128(0xffff)),
        made_at: UnixMillis(0),
        base: Seq(base),
        knows: Knows::Own,
        index: 0,
    }
}

fn replay(reader: &mut LedgerBook, stage: &Stage, who: Who, changes: &[LedgerChange]) {
    for (index, change) in changes.iter().enumerate() {
        let draft = Draft { index, ..stage.applied(who) };
        reader.apply(&Change::Domain(change.clone()), &draft);
    }
}

/// Balances, totals and the order of a contact's transactions, added up anew.
fn check_sums(state: &LedgerState) -> Result<(), TestCaseError> {
    let mut totals = Balances::new();
    for contact in state.contacts() {
        let mut balances = Balances::new();
        let own: Vec<_> = state.transactions().filter(|found| found.contact == contact.id && !found.deleted).collect();
        for found in &own {
            *balances.or_insert(found.currency, 0) += found.signed_amount();
        }
        balances.retain(|_, sum| *sum != 0);
        if !contact.deleted {
            balances.iter().for_each(|(currency, sum)| *totals.or_insert(*currency, 0) += sum);
        }
        prop_assert_eq!(state.balances_of(contact.id), balances);
        let listed: BTreeSet<_> = state.transactions_of(contact.id).map(|found| found.id).collect();
        prop_assert_eq!(listed, own.iter().map(|found| found.id).collect::<BTreeSet<_>>());
    }
    totals.retain(|_, sum| *sum != 0);
    prop_assert_eq!(state.totals(), &totals);
    Ok(())
}

/// At most one open edit per record, group and replica, and one open deletion per record and replica; each about a record
/// that is there, and with sides that differ.
fn check_conflicts(state: &LedgerState) -> Result<(), TestCaseError> {
    let mut seen = BTreeSet::new();
    for open in state.conflicts() {
        let conflict = &open.conflict;
        let kind = conflict.record.kind();
        let group = conflict.offered.set.iter().next().map(|(field, _)| field.group(kind));
        if conflict.kind != ConflictKind::DeleteEdit {
            prop_assert!(seen.insert((conflict.record, group, open.replica)), "twice: {:?}", conflict);
        }
        let there = match conflict.record {
            RecordRef::Book => state.book().is_some(),
            RecordRef::Contact(id) => state.contact(id).is_some(),
            RecordRef::Transaction(id) => state.transaction(id).is_some(),
        };
        prop_assert!(there);
        prop_assert_ne!(&conflict.standing.set, &conflict.offered.set);
    }
    Ok(())
}

/// A state read back from its serialised form is the same state.
fn check_snapshot(book: &LedgerBook) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(&book.domain).expect("serialises");
    let domain: LedgerState = serde_json::from_str(&text).expect("reads back");
    let again = LedgerBook { members: book.members.clone(), domain };
    prop_assert_eq!(again.hash(), book.hash());
    prop_assert_eq!(again.domain.totals(), book.domain.totals());
    prop_assert_eq!(again.domain.conflicts().count(), book.domain.conflicts().count());
    Ok(())
}
