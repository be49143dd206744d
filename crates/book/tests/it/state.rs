//! Deciding, applying and taking back.

use tidebook_book::{
    Author, BookState, Change, Draft, Entry, Knows, MemberChange, MutationId, MutationNumber, ReplicaId, Role, Seq,
    UnixMillis, UserId,
};
use uuid::Uuid;

use crate::checklist::{Checklist, ItemId, ListChange, ListOp, add, tick};

const ANA: UserId = UserId(Uuid::from_u128(0xa));
const BEN: UserId = UserId(Uuid::from_u128(0xb));

fn draft(seq: u64) -> Draft {
    Draft {
        seq: Seq(seq),
        at: UnixMillis(1_000),
        author: Author { user: ANA, replica: ReplicaId(Uuid::from_u128(1)) },
        mutation: MutationId(Uuid::from_u128(seq.into())),
        made_at: UnixMillis(900),
        knows: tidebook_book::Knows::Own,
        base: Seq::ZERO,
        index: 0,
    }
}

fn state_of(items: &[ListOp]) -> BookState<Checklist> {
    let mut state = BookState::default();
    state.decide_and_apply(items, draft(1)).expect("these ops are fine");
    state
}

fn json(state: &BookState<Checklist>) -> String {
    serde_json::to_string(&(&state.members, &state.domain)).expect("a state serialises")
}

#[test]
fn later_ops_see_what_earlier_ones_did() {
    let mut state = BookState::<Checklist>::default();
    let decided = state.decide_and_apply(&[add(1, "milk"), tick(1)], draft(5)).expect("decided");
    assert_eq!(decided.changes.len(), 2);
    assert_eq!(state.domain[&ItemId(1)].ticked.map(|tick| tick.seq), Some(Seq(5)));
}

#[test]
fn a_rejected_mutation_leaves_no_trace_and_names_its_op() {
    let cases: [(&[ListOp], &str, usize); 4] = [
        (&[add(1, "again")], "id_taken", 0),
        (&[tick(1), tick(9)], "unknown_item", 1),
        (&[add(2, "tea"), add(3, "jam"), add(2, "tea")], "id_taken", 2),
        (&[add(2, "tea"), tick(2), tick(1), tick(3)], "unknown_item", 3),
    ];
    let mut state = state_of(&[add(1, "milk")]);
    let before = (json(&state), state.hash());
    for (ops, code, op) in cases {
        let rejected = state.decide_and_apply(ops, draft(2)).expect_err(code);
        assert_eq!((&*rejected.code, rejected.op), (code, op));
        assert_eq!((json(&state), state.hash()), before, "{ops:?}");
    }
}

#[test]
fn what_was_applied_can_be_taken_back_last_one_first() {
    let mut state = state_of(&[add(1, "milk"), add(2, "tea")]);
    let mut before = Vec::new();
    let mut undos = Vec::new();
    let changes = [
        Change::Member(MemberChange::Added { user: BEN, role: Role::Viewer }),
        Change::Domain(ListChange::ItemTicked { id: ItemId(1), text: "milk".into() }),
        Change::Domain(ListChange::ItemAdded { id: ItemId(3), text: "jam".into() }),
        Change::Member(MemberChange::RoleChanged { user: BEN, role: Role::Editor }),
        Change::Domain(ListChange::ItemTicked { id: ItemId(3), text: "jam".into() }),
        Change::Domain(ListChange::ItemRenamed { id: ItemId(3), text: "honey".into() }),
        Change::Domain(ListChange::TextSetAside { id: ItemId(3), text: "syrup".into() }),
        Change::Domain(ListChange::ItemRemoved { id: ItemId(2) }),
        Change::Member(MemberChange::Removed { user: BEN }),
        Change::Member(MemberChange::Added { user: BEN, role: Role::Owner }),
    ];
    for change in &changes {
        before.push(json(&state));
        undos.push(state.apply(change, &draft(2)));
        assert_ne!(Some(&json(&state)), before.last(), "{change:?} shows in the state");
    }
    while let Some(undo) = undos.pop() {
        state.revert(undo);
        assert_eq!(Some(json(&state)), before.pop());
    }

    let before = json(&state);
    let undos = changes.iter().map(|change| state.apply(change, &draft(3))).collect();
    state.revert_all(undos);
    assert_eq!(json(&state), before);
}

/// A base, what counts as known beside it, and a replica: what another domain makes of them.
#[test]
fn a_domain_decides_by_base_and_by_what_is_known() {
    let late = |ops: ListOp, base, knows, replica| {
        let mut state = state_of(&[add(1, "milk")]);
        let rename = |text: &str| ListOp::Rename { id: ItemId(1), text: text.into() };
        state.decide_and_apply(&[rename("oats")], draft(5)).expect("decided");
        let author = Author { user: ANA, replica: ReplicaId(Uuid::from_u128(replica)) };
        let draft = Draft { base: Seq(base), knows, author, ..draft(6) };
        state.decide_and_apply(&[ops], draft).expect("decided");
        let shown = |item: &crate::checklist::Item| format!("{} ({:?})", item.text, item.set_aside);
        state.domain.get(&ItemId(1)).map_or("gone".into(), shown)
    };
    let rename = || ListOp::Rename { id: ItemId(1), text: "rye".into() };
    let remove = || ListOp::Remove { id: ItemId(1) };
    let cases = [
        (rename(), 4, Knows::Own, 2, r#"oats (Some("rye"))"#),
        (rename(), 5, Knows::Own, 2, "rye (None)"),
        (rename(), 4, Knows::Own, 1, "rye (None)"),
        (rename(), 4, Knows::Nothing, 1, r#"oats (Some("rye"))"#),
        (rename(), 4, Knows::Everything, 2, "rye (None)"),
        (remove(), 4, Knows::Own, 2, "oats (None)"),
        (remove(), 5, Knows::Own, 2, "gone"),
        (remove(), 4, Knows::Nothing, 1, "oats (None)"),
    ];
    for (op, base, knows, replica, expected) in cases {
        assert_eq!(late(op.clone(), base, knows, replica), expected, "{op:?} {base} {knows:?} {replica}");
    }
}

#[test]
fn an_entry_applies_as_it_was_decided() {
    let mut decided_here = state_of(&[add(1, "milk")]);
    let mut applied_there = decided_here.clone();
    let draft = draft(2);
    // The second tick changes nothing: ops and changes are counted apart.
    let decided = decided_here.decide_and_apply(&[tick(1), tick(1), add(2, "tea")], draft).expect("decided");
    assert_eq!(decided.changes.len(), 2);
    let entry = Entry {
        seq: draft.seq,
        at: draft.at,
        by: draft.author.user,
        replica: draft.author.replica,
        n: MutationNumber(1),
        id: draft.mutation,
        made_at: draft.made_at,
        undoes: None,
        rejected: None,
        changes: decided.changes,
    };
    applied_there.apply_entry(&entry);
    assert_eq!(json(&applied_there), json(&decided_here));
    assert_eq!(applied_there.hash(), decided_here.hash());
}

#[test]
fn the_hash_covers_members_and_domain() {
    let state = state_of(&[add(1, "milk")]);
    let mut other_member = state.clone();
    other_member.members.insert(BEN, Role::Viewer);
    let mut other_role = state.clone();
    other_role.members.insert(BEN, Role::Editor);
    let mut other_item = state.clone();
    other_item.decide_and_apply(&[tick(1)], draft(2)).expect("decided");
    let hashes = [&state, &other_member, &other_role, &other_item].map(BookState::hash);
    for (index, hash) in hashes.iter().enumerate() {
        assert!(!hashes[index + 1..].contains(hash), "{index}");
    }
}

#[test]
fn roles_may_write_from_editor_up() {
    let roles = [(Role::Viewer, false), (Role::Editor, true), (Role::Owner, true)];
    for (role, may_write) in roles {
        assert_eq!(role.may_write(), may_write, "{role:?}");
    }
}
