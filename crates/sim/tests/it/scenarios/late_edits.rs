//! Amount against note against amount against delete, with a deleted contact: five people who had seen the same change it
//! without a network and come back one after the other. Whatever the order, all see the same, and of what they typed
//! nothing is lost: it stands, or it is kept in a conflict.

use tidebook_ledger::{ConflictKind, FieldValue, Ledger, LedgerOp, RecordRef};

use super::words::{amount, contact, gave, note, someone, told, transaction};
use super::world::World;

/// Entry 3 is the contact with its transaction, which all have seen.
const ACTS: [fn() -> LedgerOp; 5] = [
    || amount(1, 25),
    || note(1, "lunch"),
    || amount(1, 30),
    || LedgerOp::DeleteTransaction { id: transaction(1) },
    || LedgerOp::DeleteContact { id: contact(1) },
];

#[test]
fn amount_against_note_against_amount_against_delete_with_a_deleted_contact() {
    let world = play(&[0, 1, 2, 3, 4]);
    assert_eq!(told(&world.tabs[0].copy().view().domain), "c1 someone 1; t1 c1 25 lunch; 3 open");
    assert_eq!(
        conflicts(&world),
        [
            "edit_edit: 30 kept beside 25",
            "edit_delete: deletion of the transaction kept",
            "edit_delete: deletion of the contact kept",
        ]
    );
}

#[test]
fn late_edits_in_any_order_lose_nothing() {
    let mut orders = Vec::new();
    permute(&mut vec![0, 1, 2, 3, 4], 0, &mut orders);
    assert_eq!(orders.len(), 120);
    for order in orders {
        let world = play(&order);
        let state = &world.tabs[0].copy().view().domain;
        let found = state.transaction(transaction(1)).expect("it is there, deleted or not");
        let kept = |value: &FieldValue| {
            state.conflicts().any(|open| open.conflict.offered.set.iter().any(|(_, offered)| offered == value))
        };
        for typed in [25, 30] {
            assert!(found.amount == typed || kept(&FieldValue::Number(typed as i64)), "{order:?}: {typed} is lost");
        }
        let is_lunch = found.note.as_deref() == Some("lunch");
        assert!(is_lunch || kept(&FieldValue::Text("lunch".into())), "{order:?}: the note is lost");
        let deletes = |record| {
            let is_it = |kind: ConflictKind| kind == ConflictKind::EditDelete;
            state.conflicts().any(|open| is_it(open.conflict.kind) && open.conflict.record == record)
        };
        let is_deleted = found.deleted || deletes(RecordRef::Transaction(found.id));
        assert!(is_deleted, "{order:?}: that it was deleted is lost");
        let owed = state.contact(contact(1)).expect("it is there, deleted or not");
        assert!(
            owed.deleted || deletes(RecordRef::Contact(owed.id)),
            "{order:?}: that the contact was deleted is lost"
        );
        assert_eq!(standing_amount(&order), found.amount, "{order:?}: {}", told(state));
    }
}

/// What the amount is: the one that was confirmed first, unless a deletion was confirmed before any edit.
fn standing_amount(order: &[usize]) -> u64 {
    let place = |act| order.iter().position(|it| *it == act).expect("each comes once");
    match order[0] {
        3 | 4 => 20,
        _ if place(0) < place(2) => 25,
        _ => 30,
    }
}

fn play(order: &[usize]) -> World<Ledger, Ledger> {
    let mut world = World::new();
    for person in 0..5 {
        world.device(person);
    }
    world.settle();
    world.write(0, vec![someone(1), gave(1, 1, 20)]);
    world.settle();
    for (person, act) in ACTS.iter().enumerate() {
        world.cut(person);
        world.write(person, vec![act()]);
    }
    world.run_for(20_000);
    for person in order {
        world.mend(*person);
        world.run_for(1_000);
    }
    world.settle();
    world.check();
    assert!(world.tabs.iter().all(|tab| tab.copy().rejections().is_empty()));
    world
}

/// Oldest first.
fn conflicts(world: &World<Ledger, Ledger>) -> Vec<String> {
    let mut open: Vec<_> = world.tabs[0].copy().view().domain.conflicts().collect();
    open.sort_by_key(|open| (open.seq, open.index));
    let told = open.into_iter().map(|open| {
        let numbers = |set: &tidebook_ledger::FieldSet| match set.get(tidebook_ledger::Field::Amount) {
            Some(FieldValue::Number(amount)) => amount.to_string(),
            _ => "no amount".into(),
        };
        match (open.conflict.kind, open.conflict.record) {
            (ConflictKind::EditEdit, _) => {
                let (kept, stands) = (numbers(&open.conflict.offered.set), numbers(&open.conflict.standing.set));
                format!("edit_edit: {kept} kept beside {stands}")
            }
            (ConflictKind::EditDelete, RecordRef::Contact(_)) => "edit_delete: deletion of the contact kept".into(),
            (ConflictKind::EditDelete, _) => "edit_delete: deletion of the transaction kept".into(),
            (ConflictKind::DeleteEdit, _) => "delete_edit".into(),
        }
    });
    told.collect()
}

fn permute(order: &mut Vec<usize>, from: usize, found: &mut Vec<Vec<usize>>) {
    if from == order.len() {
        return found.push(order.clone());
    }
    for other in from..order.len() {
        order.swap(from, other);
        permute(order, from + 1, found);
        order.swap(from, other);
    }
}
