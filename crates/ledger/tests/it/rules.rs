//! "What always holds", 5 to 7, and the corners of the protocol, line by line.
//!
//! Each row: who, from which base, says what, and what the entry says. Entry 1 is the book; rows are entries 2, 3, …

use crate::stage::{Stage, Who};
use Who::{Ana, AnaUndo, Ben, BenPhone, BenRest};

fn check(rows: &[(Who, u64, &str, &str)]) -> Stage {
    let mut stage = Stage::new();
    for (who, base, ops, expected) in rows {
        let answer = stage.say(*who, *base, ops);
        assert_eq!(answer, *expected, "entry {}: {who:?} from {base}: {ops}", stage.head);
    }
    stage
}

#[test]
fn the_standing_value_stays_and_the_late_one_is_kept() {
    let stage = check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "t1 amount=25", "t1 amount=25 was amount=20"),
        (
            Ben,
            2,
            "t1 amount=30",
            "edit_edit t1: [amount=25 currency=EUR direction=gave] Ana 3 / [amount=30 currency=EUR direction=gave] Ben",
        ),
    ]);
    assert_eq!(stage.state(), "c1; t1 c1 gave 25 EUR; 1 open");
}

#[test]
fn different_fields_merge_silently() {
    check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "t1 amount=25 date=2026-11-23", "t1 amount=25 date=2026-11-23 was amount=20 date=2026-11-22"),
        (Ben, 2, "t1 note=lunch due=2026-12-01", "t1 due=2026-12-01 note=lunch was due= note="),
        (Ana, 2, "c1 name=Anna", "c1 name=Anna was name=c1"),
        (Ben, 2, "c1 phone=7", "c1 phone=7 was phone="),
        (Ana, 2, "book name=House", "book name=House was name=Flat"),
        (Ben, 2, "book currency=JPY", "book currency=JPY was currency=EUR"),
    ]);
}

#[test]
fn the_same_value_is_passed_over_and_only_late_groups_are_kept_aside() {
    check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "t1 amount=25", "t1 amount=25 was amount=20"),
        (Ben, 2, "t1 amount=25", ""),
        (Ben, 4, "t1 amount=25 currency=EUR note=", ""),
        (
            Ben,
            2,
            "t1 amount=30 note=lunch",
            "t1 note=lunch was note=; edit_edit t1: [amount=25 currency=EUR direction=gave] Ana 3 / [amount=30 currency=EUR direction=gave] Ben",
        ),
    ]);
}

#[test]
fn no_sum_comes_about_that_nobody_entered() {
    let mut stage = check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "t1 currency=USD", "t1 currency=USD was currency=EUR"),
        (
            Ben,
            2,
            "t1 amount=30",
            "edit_edit t1: [amount=20 currency=USD direction=gave] Ana 3 / [amount=30 currency=EUR direction=gave] Ben",
        ),
        (
            Ana,
            4,
            "apply 1",
            "t1 amount=30 currency=EUR direction=gave was amount=20 currency=USD direction=gave; applied",
        ),
    ]);
    assert_eq!(stage.state(), "c1; t1 c1 gave 30 EUR; 0 open");
    // As far back as the base: not what stood in between.
    for (base, amount) in [(5, 40), (6, 41), (7, 42), (8, 43), (9, 44)] {
        let code = ["USD", "JPY", "KWD", "GBP", "CHF"][base - 5];
        stage.say(Ana, base as u64, &format!("t1 currency={code} amount={amount}"));
    }
    let kept = stage.say(Ben, 7, "t1 direction=got");
    assert_eq!(
        kept,
        "edit_edit t1: [amount=44 currency=CHF direction=gave] Ana 10 / [amount=41 currency=JPY direction=got] Ben"
    );
}

#[test]
fn a_replica_never_conflicts_with_itself_but_a_session_and_an_undo_do() {
    check(&[
        (Ben, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ben, 1, "t1 amount=25", "t1 amount=25 was amount=20"),
        (Ben, 1, "t1 amount=30", "t1 amount=30 was amount=25"),
        (BenPhone, 2, "c1 note=x", "c1 note=x was note="),
        (Ben, 2, "c1 note=y", "edit_edit c1: [note=x] Ben 5 / [note=y] Ben"),
        (BenRest, 6, "c1 phone=1", "c1 phone=1 was phone="),
        (BenRest, 6, "c1 phone=2", "edit_edit c1: [phone=1] Ben 7 / [phone=2] Ben"),
        (BenRest, 8, "c1 phone=2", "c1 phone=2 was phone=1; closed"),
        (Ana, 9, "c1 email=a", "c1 email=a was email="),
        (Ana, 10, "c1 email=b", "c1 email=b was email=a"),
        (AnaUndo, 10, "c1 email=", "edit_edit c1: [email=b] Ana 11 / [email=] Ana"),
        (AnaUndo, 11, "c1 email=a", "c1 email=a was email=b; closed"),
    ]);
}

#[test]
fn ops_of_one_mutation_see_each_other_and_never_conflict() {
    check(&[
        (Ana, 1, "+c1; c1 name=A; c1 name=B; -c1; ~c1", "+c1; c1 name=A was name=c1; c1 name=B was name=A; -c1; ~c1"),
        (BenRest, 2, "c1 name=C; c1 name=D", "c1 name=C was name=B; c1 name=D was name=C"),
        (Ana, 3, "-c1; c1 name=E", "! 1 unknown_contact"),
        (Ana, 3, "+c2; +c2", "! 1 id_taken"),
    ]);
}

#[test]
fn a_replicas_next_offer_or_clean_write_takes_the_place_of_its_last() {
    let stage = check(&[
        (Ana, 1, "+c1", "+c1"),
        (Ana, 2, "c1 note=a phone=1", "c1 note=a phone=1 was note= phone="),
        (
            Ben,
            2,
            "c1 note=b phone=2",
            "edit_edit c1: [phone=1] Ana 3 / [phone=2] Ben; edit_edit c1: [note=a] Ana 3 / [note=b] Ben",
        ),
        (BenPhone, 2, "c1 note=p", "edit_edit c1: [note=a] Ana 3 / [note=p] Ben"),
        (Ben, 2, "c1 note=c", "closed; edit_edit c1: [note=a] Ana 3 / [note=c] Ben"),
        (Ben, 6, "c1 note=d", "c1 note=d was note=a; closed"),
        (Ben, 6, "c1 name=New", "c1 name=New was name=c1"),
    ]);
    // What is left: Ben's phone number and his telephone's note.
    assert_eq!(stage.state(), "c1; 2 open");
}

#[test]
fn a_conflict_is_applied_dismissed_or_stays_with_the_new_standing_value() {
    check(&[
        (Ana, 1, "+c1", "+c1"),
        (Ana, 2, "c1 note=a", "c1 note=a was note="),
        (Ben, 2, "c1 note=b", "edit_edit c1: [note=a] Ana 3 / [note=b] Ben"),
        (BenPhone, 4, "c1 note=x", "c1 note=x was note=a"),
        // Decided on the value of entry 3: the field has moved on.
        (Ana, 4, "apply 1", "edit_edit c1: [note=x] Ben 5 / [note=b] Ben"),
        (Ana, 6, "apply 1", "c1 note=b was note=x; applied"),
        (Ana, 7, "apply 1", "! 0 conflict_closed"),
        (Ana, 7, "dismiss 1", "! 0 conflict_closed"),
        (Ben, 2, "c1 phone=1", "c1 phone=1 was phone="),
        (Ana, 2, "c1 phone=2", "edit_edit c1: [phone=1] Ben 10 / [phone=2] Ana"),
        (Ben, 11, "dismiss 1", "closed"),
        (Ben, 12, "c1 phone=2", "c1 phone=2 was phone=1"),
        (Ana, 11, "c1 phone=1", "edit_edit c1: [phone=2] Ben 13 / [phone=1] Ana"),
        (Ben, 14, "c1 phone=1", "c1 phone=1 was phone=2"),
        // What was offered stands already.
        (Ben, 15, "apply 1", "applied"),
    ]);
}

#[test]
fn a_conflict_applied_by_its_own_replica_is_closed_once() {
    check(&[
        (Ana, 1, "+c1", "+c1"),
        (Ana, 2, "c1 note=a", "c1 note=a was note="),
        (Ben, 2, "c1 note=b", "edit_edit c1: [note=a] Ana 3 / [note=b] Ben"),
        (Ben, 4, "apply 1", "c1 note=b was note=a; applied"),
    ]);
}

/// What an app sends for "neither of the two": the decision and the edit as one.
#[test]
fn a_conflict_is_decided_by_an_edit_of_its_own() {
    let stage = check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "c1 note=a", "c1 note=a was note="),
        (Ben, 2, "c1 note=b", "edit_edit c1: [note=a] Ana 3 / [note=b] Ben"),
        (Ana, 4, "dismiss 1; c1 note=ab", "closed; c1 note=ab was note=a"),
        // The one whose value was set aside decides first: their write would close the conflict by the way.
        (Ben, 2, "c1 note=c", "edit_edit c1: [note=ab] Ana 5 / [note=c] Ben"),
        (Ben, 6, "c1 note=abc; dismiss 1", "! 1 conflict_closed"),
        (Ben, 6, "dismiss 1; c1 note=abc", "closed; c1 note=abc was note=ab"),
        // Nothing written but the decision: what stands is kept.
        (Ana, 2, "c1 phone=1", "c1 phone=1 was phone="),
        (Ben, 2, "c1 phone=2", "edit_edit c1: [phone=1] Ana 9 / [phone=2] Ben"),
        (Ana, 10, "dismiss 1", "closed"),
        // What was written meanwhile is met as by any other edit.
        (Ben, 10, "c1 email=x", "c1 email=x was email="),
        (Ana, 10, "c1 email=y", "edit_edit c1: [email=x] Ben 12 / [email=y] Ana"),
        (Ben, 12, "c1 email=z", "c1 email=z was email=x"),
        (Ana, 13, "dismiss 1; c1 email=w", "closed; edit_edit c1: [email=z] Ben 14 / [email=w] Ana"),
        (Ana, 15, "dismiss 1", "closed"),
        // Deleted meanwhile: it comes back as it was offered, and is changed from there.
        (Ana, 16, "-t1", "-t1"),
        (Ben, 16, "t1 amount=30", "delete_edit t1: [deleted=true] Ana 17 / [amount=30] Ben"),
        (Ana, 18, "apply 1; t1 amount=50", "~t1; t1 amount=30 was amount=20; applied; t1 amount=50 was amount=30"),
    ]);
    assert_eq!(stage.state(), "c1; t1 c1 gave 50 EUR; 0 open");
}

#[test]
fn an_edit_then_a_delete_that_did_not_know() {
    let stage = check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "t1 amount=25", "t1 amount=25 was amount=20"),
        (Ben, 2, "-t1", "edit_delete t1: [amount=25 currency=EUR direction=gave] Ana 3 / [deleted=true] Ben"),
        (Ana, 4, "c1 name=A", "c1 name=A was name=c1"),
        (Ben, 4, "-c1", "edit_delete c1: [name=A] Ana 5 / [deleted=true] Ben"),
        // An offer of the same replica takes the deletion's place.
        (Ben, 5, "c1 note=n", "c1 note=n was note=; closed"),
        (Ana, 7, "apply 1", "-t1; applied"),
    ]);
    assert_eq!(stage.state(), "c1; t1 c1 gave 25 EUR deleted; 0 open");
}

#[test]
fn a_delete_then_an_edit_that_did_not_know() {
    let stage = check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "-t1", "-t1"),
        (Ben, 2, "t1 amount=30", "delete_edit t1: [deleted=true] Ana 3 / [amount=30] Ben"),
        (Ben, 2, "t1 amount=40 note=x", "delete_edit t1: [deleted=true] Ana 3 / [amount=40 note=x] Ben"),
        // The second op is another conflict: one per op, closed by decision alone.
        (Ana, 5, "apply 1", "~t1; t1 amount=30 was amount=20; applied"),
        (Ana, 5, "apply 1", "t1 amount=40 note=x was amount=30 note=; applied"),
        (Ana, 7, "-t1", "-t1"),
        (Ana, 8, "t1 note=y", "! 0 unknown_transaction"),
        (Ben, 8, "t1 note=y", "! 0 unknown_transaction"),
    ]);
    assert_eq!(stage.state(), "c1; t1 c1 gave 40 EUR deleted; 0 open");
}

#[test]
fn deleting_what_is_deleted_and_restoring_what_stands_change_nothing() {
    check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "-t1", "-t1"),
        (Ben, 2, "-t1", ""),
        (Ben, 4, "-t1", ""),
        (Ben, 5, "~t1", "~t1"),
        (Ben, 6, "~t1", ""),
        (Ana, 6, "-c1", "-c1"),
        (Ben, 6, "-c1", ""),
        (Ben, 9, "~c1", "~c1"),
    ]);
}

#[test]
fn a_contacts_transactions_keep_it_and_bring_it_back() {
    check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR; +c2; +t2 c2 5 EUR", "+c1; +t1; +c2; +t2"),
        // New, edited, moved, restored: each keeps its contact from a delete that did not know.
        (Ana, 2, "+t3 c1 1 EUR", "+t3"),
        (Ben, 2, "-c1", "edit_delete c1: [] Ana 3 / [deleted=true] Ben"),
        (Ana, 4, "t1 note=n", "t1 note=n was note="),
        (Ben, 4, "-c1", "closed; edit_delete c1: [] Ana 5 / [deleted=true] Ben"),
        (Ana, 6, "t2 contact=c1", "t2 contact=c1 was contact=c2"),
        (Ben, 6, "-c1", "closed; edit_delete c1: [] Ana 7 / [deleted=true] Ben"),
        (Ana, 8, "-t3", "-t3"),
        (Ana, 9, "~t3", "~t3"),
        (Ben, 9, "-c1", "closed; edit_delete c1: [] Ana 10 / [deleted=true] Ben"),
        // What was deleted since is no reason to keep the contact.
        (Ana, 11, "+t4 c1 9 EUR; -t4", "+t4; -t4"),
        (Ben, 11, "-c1", "-c1; closed"),
        // New, moved, restored bring it back.
        (Ana, 12, "+t5 c1 3 EUR", "~c1; +t5"),
        (Ben, 14, "-c1", "-c1"),
        (
            Ana,
            14,
            "t2 note=moved; +c3; +t6 c3 1 EUR",
            "delete_edit t2: [deleted=true] Ben 15 / [note=moved] Ana; +c3; +t6",
        ),
        (Ana, 14, "t6 contact=c1", "~c1; t6 contact=c1 was contact=c3"),
        (Ben, 17, "-t6; -c1", "-t6; -c1"),
        (Ana, 17, "~t1", ""),
        (Ana, 18, "~t6", "! 0 unknown_transaction"),
        // Knowingly deleted: nothing of it is there.
        (Ana, 18, "t1 note=z", "! 0 unknown_transaction"),
        (Ana, 18, "-t1", "! 0 unknown_transaction"),
        (Ana, 18, "c1 note=z", "! 0 unknown_contact"),
        (Ana, 18, "+t7 c1 1 EUR", "! 0 unknown_contact"),
        (Ana, 18, "+c4; +t7 c4 1 EUR; t7 contact=c1", "! 2 unknown_contact"),
        // The edit that was kept aside brings transaction and contact back.
        (Ana, 24, "apply 1", "~c1; t2 note=moved was note=; applied"),
    ]);
}

#[test]
fn a_restored_transaction_brings_its_contact_back() {
    check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1"),
        (Ana, 2, "-t1", "-t1"),
        (Ben, 3, "-c1", "-c1"),
        (Ana, 3, "~t1", "~c1; ~t1"),
    ]);
}

#[test]
fn an_undo_of_a_delete_that_was_made_again_is_kept_aside() {
    check(&[
        (Ana, 1, "+c1", "+c1"),
        (Ana, 2, "-c1", "-c1"),
        (Ben, 3, "~c1", "~c1"),
        (Ben, 4, "-c1", "-c1"),
        (AnaUndo, 3, "~c1", "delete_edit c1: [deleted=true] Ben 5 / [deleted=false] Ana"),
        (Ben, 6, "apply 1", "~c1; applied"),
    ]);
}

#[test]
fn applying_an_edit_to_what_was_deleted_meanwhile_restores_it() {
    let stage = check(&[
        (Ana, 1, "+c1; +t1 c1 20 EUR; +c2", "+c1; +t1; +c2"),
        (Ana, 2, "t1 note=a contact=c2", "t1 contact=c2 note=a was contact=c1 note="),
        (Ben, 2, "t1 note=b", "edit_edit t1: [note=a] Ana 3 / [note=b] Ben"),
        (Ana, 4, "-t1; -c2", "-t1; -c2"),
        (Ana, 5, "apply 1", "~c2; ~t1; t1 note=b was note=a; applied"),
        // Moved away from a contact that stays deleted.
        (BenPhone, 3, "t1 contact=c1", "t1 contact=c1 was contact=c2"),
    ]);
    assert_eq!(stage.state(), "c1; c2; t1 c1 gave 20 EUR; 0 open");
}

#[test]
fn a_deletion_set_aside_obeys_the_base_of_its_decision() {
    check(&[
        (Ana, 1, "+c1", "+c1"),
        (Ana, 2, "c1 note=a", "c1 note=a was note="),
        (Ben, 2, "-c1", "edit_delete c1: [note=a] Ana 3 / [deleted=true] Ben"),
        (BenPhone, 4, "c1 note=x", "c1 note=x was note=a"),
        (Ana, 4, "apply 1", "edit_delete c1: [note=x] Ben 5 / [deleted=true] Ben"),
        (BenPhone, 6, "+t1 c1 5 EUR", "+t1"),
        (Ana, 6, "apply 1", "edit_delete c1: [] Ben 7 / [deleted=true] Ben"),
        (Ana, 8, "apply 1", "-c1; applied"),
    ]);
}

#[test]
fn content_at_fault_is_named() {
    let long = "x".repeat(4001);
    let rows = [
        ("c1 name=", "invalid_field"),
        ("c9 name=x", "unknown_contact"),
        ("t9 note=x", "unknown_transaction"),
        ("-c9", "unknown_contact"),
        ("~t9", "unknown_transaction"),
        ("t1 contact=c9", "unknown_contact"),
        ("t1 contact=", "invalid_field"),
        ("t1 amount=0", "invalid_field"),
        ("t1 amount=-1", "invalid_field"),
        ("t1 amount=1000000000000001", "invalid_field"),
        ("t1 amount=", "invalid_field"),
        ("t1 currency=XXX", "invalid_field"),
        ("t1 direction=lent", "invalid_field"),
        ("t1 date=tomorrow", "invalid_field"),
        ("t1 date=", "invalid_field"),
        ("t1 due=2026-02-30", "invalid_field"),
        ("book currency=", "invalid_field"),
        ("book name=", "invalid_field"),
        ("apply 1", "conflict_closed"),
        ("+c1", "id_taken"),
        ("+t1 c1 1 EUR", "id_taken"),
        ("+t2 c1 1 eur", "invalid_field"),
        (&format!("t1 note={long}"), "invalid_field"),
        (&format!("c1 phone={}", "1".repeat(321)), "invalid_field"),
    ];
    let mut stage = check(&[(Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1")]);
    for (ops, code) in rows {
        let before = stage.state();
        assert_eq!(stage.say(Ana, stage.head, ops), format!("! 0 {code}"), "{ops}");
        assert_eq!(stage.state(), before, "{ops}");
    }
    // Fields of other kinds of records are passed over like any that are not known.
    assert_eq!(stage.say(Ana, stage.head, "c1 amount=5 date=x deleted=x"), "");
}

#[test]
fn sums_are_bounded_also_by_edits_and_decisions() {
    let most = 1_000_000_000_000_000_u64;
    let mut stage = check(&[(Ana, 1, "+c1", "+c1")]);
    for number in 1..=9 {
        assert_eq!(stage.say(Ana, stage.head, &format!("+t{number} c1 {most} EUR")), format!("+t{number}"));
    }
    let room = (1_u64 << 53) - 1 - 9 * most;
    assert_eq!(stage.say(Ana, stage.head, &format!("+t10 c1 {} EUR", room + 1)), "! 0 total_too_large");
    assert_eq!(stage.say(Ana, stage.head, &format!("+t10 c1 {room} EUR")), "+t10");
    assert_eq!(stage.say(Ana, stage.head, &format!("t10 amount={}", room + 1)), "! 0 total_too_large");
    // Deleted ones count too.
    stage.say(Ana, stage.head, "-t9");
    assert_eq!(stage.say(Ana, stage.head, "+t11 c1 1 EUR"), "! 0 total_too_large");
    stage.say(Ana, stage.head, "t10 amount=1");
    let base = stage.head - 1;
    let kept = stage.say(Ben, base, &format!("t10 amount={room}"));
    assert!(kept.starts_with("edit_edit t10"), "{kept}");
    assert_eq!(stage.say(Ana, stage.head, &format!("+t12 c1 {} EUR", room - 1)), "+t12");
    assert_eq!(stage.say(Ana, stage.head, "apply 1"), "! 0 total_too_large");
    assert_eq!(stage.say(Ana, stage.head, "t10 currency=JPY"), "t10 currency=JPY was currency=EUR");
    assert_eq!(stage.say(Ana, stage.head, "apply 1"), "! 0 total_too_large");
}

#[test]
fn a_long_text_is_not_carried_along_as_replaced() {
    let (fits, too_long) = ("é".repeat(200), "é".repeat(201));
    check(&[
        (Ana, 1, "+c1", "+c1"),
        (Ana, 2, &format!("c1 note={fits}"), &format!("c1 note={fits} was note=")),
        (Ana, 3, &format!("c1 note={too_long}"), &format!("c1 note={too_long} was note={fits}")),
        (Ana, 4, "c1 note=short", "c1 note=short was "),
    ]);
}

#[test]
fn an_id_names_one_thing_whatever_its_kind() {
    let mut stage = check(&[(Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1")]);
    let contact_id = tidebook_ledger::ContactId(crate::stage::id_of("t1"));
    let taken = stage.say_ops(Ana, 2, &[tidebook_ledger::LedgerOp::create_contact(contact_id, "x")]);
    assert_eq!(taken.map_err(|rejected| rejected.code), Err("id_taken".to_owned()));
}

#[test]
fn the_fields_of_a_group_change_together() {
    let mut stage = check(&[(Ana, 1, "+c1; +t1 c1 20 EUR", "+c1; +t1")]);
    stage.say(Ana, 2, "t1 direction=got");
    let state = serde_json::to_value(&stage.book.domain).expect("serialises");
    let changed = state["transactions"][0]["changed"].as_object().expect("changed");
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["amount", "currency", "direction"]);
    assert!(changed.values().all(|stamp| stamp["seq"] == 3));
}
