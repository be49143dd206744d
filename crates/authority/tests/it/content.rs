//! Content at fault is a rejection: an entry that says why, and uses up its number. Ops of a newer version are not at
//! fault: they wait.

use serde_json::value::RawValue;
use tidebook_book::{Mutation, MutationNumber, Seq, UnixMillis};
use tidebook_protocol::{ENTRY_BYTES_MAX, MUTATION_BYTES_MAX, MUTATION_OPS_MAX, RawMutation};

use crate::checklist::{Checklist, ItemId, ListOp, add, tick};
use crate::support::{ANA, BEN, Desk, EPOCH, id, mutation, raw};

/// What became of a mutation of these ops: its changes' number, or the rejection's code and op, or the refusal.
fn fate_of(ops: &str) -> String {
    let envelope = r#"{"id":"00000000-0000-0000-0000-000000000001","n":1,"made_at":0,"base":0,"ops":"#;
    fate_of_mutation(&parse(format!("{envelope}{ops}}}")))
}

fn parse(text: String) -> RawMutation {
    RawMutation::parse(&RawValue::from_string(text).expect("JSON")).expect("a mutation")
}

fn fate_of_mutation(mutation: &RawMutation) -> String {
    let mut desk = Desk::new();
    let before = desk.authority.state().hash();
    let answer = desk.push(ANA, std::slice::from_ref(mutation));
    if answer != "entry 3" {
        assert_eq!((desk.authority.head(), desk.authority.last_number(ANA.replica).0), (Seq(2), 0), "{answer}");
        return answer;
    }
    desk.commit();
    assert_eq!(desk.log.last_number(ANA.replica), MutationNumber(1));
    let entry = desk.entry(3);
    match entry.rejected {
        None => format!("{} changes", entry.changes.len()),
        Some(rejected) => {
            assert!(entry.changes.is_empty());
            assert_eq!(desk.authority.state().hash(), before, "a rejection changes nothing");
            format!("{} at {}", rejected.code, rejected.op)
        }
    }
}

#[test]
fn ops_are_decided_rejected_or_refused() {
    let cases = [
        (r#"[{"op":"add","id":1,"text":"milk"}]"#, "1 changes"),
        (r#"[{"id":1,"future":{},"text":"milk","op":"add"}]"#, "1 changes"),
        (r#"[{"op":"\u0061dd","id":1,"text":"milk"},{"op":"tick","id":1}]"#, "2 changes"),
        ("[]", "withdrawn at 0"),
        (r#"[{"op":"tick","id":1}]"#, "unknown_item at 0"),
        (r#"[{"op":"add","id":1,"text":"milk"},{"op":"add","id":1,"text":"tea"}]"#, "id_taken at 1"),
        (r#"[{"op":"add","id":1}]"#, "malformed at 0"),
        (r#"[{"op":"add","id":1,"text":"milk"},{"op":"add","id":-1,"text":"x"}]"#, "malformed at 1"),
        (r#"[{"op":"add","id":1,"text":"milk"},{"op":7}]"#, "malformed at 1"),
        (r#"[{}]"#, "malformed at 0"),
        (r#"[null]"#, "malformed at 0"),
        (r#"["add"]"#, "malformed at 0"),
        (r#"[[]]"#, "malformed at 0"),
        (r#"[{"op":"fold","id":1}]"#, "1 refused: UnknownOp"),
        (r#"[{"op":"Add","id":1,"text":"x"}]"#, "1 refused: UnknownOp"),
        (r#"[{"op":"","id":1}]"#, "1 refused: UnknownOp"),
        (r#"[{"op":"add","id":1,"text":"milk"},{"op":"fold"}]"#, "1 refused: UnknownOp"),
    ];
    for (ops, expected) in cases {
        assert_eq!(fate_of(ops), expected, "{ops}");
    }
}

/// Milk was renamed by Ana in entry 4. What comes of it when somebody renames or removes it who saw this much.
#[test]
fn base_replica_and_undo_reach_the_domain() {
    let rename = |text: &str| ListOp::Rename { id: ItemId(1), text: text.into() };
    let remove = || ListOp::Remove { id: ItemId(1) };
    let set_aside = r#"[{"type":"text_set_aside","id":1,"text":"rye"}]"#;
    let renamed = r#"[{"type":"item_renamed","id":1,"text":"rye"}]"#;
    let cases = [
        (BEN, 1, 3, None, rename("rye"), set_aside),
        (BEN, 1, 4, None, rename("rye"), renamed),
        (ANA, 3, 3, None, rename("rye"), renamed),
        (ANA, 3, 3, Some(Seq(3)), rename("rye"), set_aside),
        (BEN, 1, 3, None, remove(), "[]"),
        (BEN, 1, 4, None, remove(), r#"[{"type":"item_removed","id":1}]"#),
    ];
    for (author, n, base, undoes, op, expected) in cases {
        let mut desk = Desk::new();
        desk.push_one(ANA, 1, 1, vec![add(1, "milk")]);
        desk.push_one(ANA, 2, 2, vec![rename("oats")]);
        let (n, base) = (MutationNumber(n), Seq(base));
        let late = Mutation { id: id(3), n, made_at: UnixMillis(0), base, ops: vec![op], undoes };
        assert_eq!(desk.push(author, &[raw(&late)]), "entry 5", "{late:?}");
        desk.commit();
        let entry = desk.entry(5);
        assert_eq!(serde_json::to_string(&entry.changes).expect("serialises"), expected, "{late:?}");
        assert_eq!(entry.undoes, undoes);
        assert_eq!(desk.authority.state().hash(), desk.log.replay::<Checklist>(Seq(5)).hash());
    }
}

#[test]
fn an_unknown_op_is_named_but_not_at_any_length() {
    let mut desk = Desk::new();
    let op = serde_json::json!({ "op": "x".repeat(5000) });
    let outcomes = desk.offer(ANA, EPOCH, &[mutation(1, 1, vec![op])]);
    let [tidebook_authority::Outcome::Refused(refused)] = &*outcomes else { panic!("{outcomes:?}") };
    assert!(refused.detail.contains("xxxx") && refused.detail.len() < 200, "{}", refused.detail);
}

#[test]
fn ops_are_counted() {
    let adds = |count: usize| mutation(1, 1, (0..count as u32).map(|id| add(id, "x")).collect());
    assert_eq!(fate_of_mutation(&adds(MUTATION_OPS_MAX)), format!("{MUTATION_OPS_MAX} changes"));
    assert_eq!(fate_of_mutation(&adds(MUTATION_OPS_MAX + 1)), format!("too_large at {MUTATION_OPS_MAX}"));
}

#[test]
fn bytes_of_a_mutation_are_counted_as_they_came() {
    let of_bytes = |bytes: usize| {
        let empty = mutation(1, 1, vec![add(1, "")]).encoded_bytes;
        mutation(1, 1, vec![add(1, &"x".repeat(bytes - empty))])
    };
    assert_eq!(of_bytes(MUTATION_BYTES_MAX).encoded_bytes, MUTATION_BYTES_MAX);
    assert_eq!(fate_of_mutation(&of_bytes(MUTATION_BYTES_MAX)), "1 changes");
    assert_eq!(fate_of_mutation(&of_bytes(MUTATION_BYTES_MAX + 1)), "too_large at 0");
    // White space counts too, and what the reader passes over.
    let spaces = " ".repeat(MUTATION_BYTES_MAX);
    assert_eq!(fate_of(&format!(r#"[{{"op":"add","id":1,{spaces}"text":"milk"}}]"#)), "too_large at 0");
}

/// Ticking says the item's text again, so that a small mutation makes a large entry.
#[test]
fn bytes_of_an_entry_are_counted_and_one_too_large_leaves_no_trace() {
    let bytes_of_the_smallest = entry_that_ticks_all(1).1;
    let fitting = 1 + ENTRY_BYTES_MAX - bytes_of_the_smallest;
    assert_eq!(entry_that_ticks_all(fitting), (None, ENTRY_BYTES_MAX));
    let (code, bytes) = entry_that_ticks_all(fitting + 1);
    assert_eq!(code.as_deref(), Some("too_large"));
    assert!(bytes < 1000);
}

/// The rejection's code if it is one, and the entry's bytes, where one text is of this length and others are long.
fn entry_that_ticks_all(last_text_bytes: usize) -> (Option<String>, usize) {
    let mut desk = Desk::new();
    let lengths = [100_000, 100_000, 100_000, 100_000, 100_000, last_text_bytes];
    for (id, length) in (1..).zip(lengths) {
        desk.push_one(ANA, id, id.into(), vec![add(id as u32, &"x".repeat(length))]);
    }
    desk.commit();
    let before = desk.authority.state().hash();
    assert_eq!(desk.push_one(ANA, 7, 7, (1..=6).map(tick).collect()), "entry 9");
    desk.commit();
    let code = desk.entry(9).rejected.map(|rejected| rejected.code);
    assert_eq!(desk.authority.state().hash() == before, code.is_some());
    assert_eq!(desk.authority.state().hash(), desk.log.replay::<Checklist>(Seq(9)).hash());
    assert_eq!(desk.push_one(ANA, 8, 8, vec![tick(6)]), "entry 10", "its number is used up");
    (code, desk.log.entries[8].bytes.len())
}
