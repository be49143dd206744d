//! Which number enters, which is a repetition, and which is something else.

use tidebook_authority::Outcome;
use tidebook_book::{MutationNumber, Seq};
use tidebook_protocol::Refusal;

use crate::checklist::{Checklist, ListOp, add, tick};
use crate::support::{ANA, BEN, Desk, EPOCH, id, mutation, replica};

fn milk() -> Vec<ListOp> {
    vec![add(1, "milk")]
}

#[test]
fn the_next_number_enters_and_any_later_one_waits_for_it() {
    let mut desk = Desk::new();
    let cases = [
        (2, "2 refused: Gap, 1 first"),
        (0, "0 refused: Gap, 1 first"),
        (1, "entry 3"),
        (0, "0 refused: Gap, 2 first"),
        (3, "3 refused: Gap, 2 first"),
        (u64::MAX >> 1, "9223372036854775807 refused: Gap, 2 first"),
        (2, "entry 4"),
        (3, "entry 5"),
    ];
    for (step, (n, expected)) in (0..).zip(cases) {
        assert_eq!(desk.push_one(ANA, n, step.into(), vec![add(step, "x")]), expected, "step {step}");
    }
    assert_eq!(desk.push_one(BEN, 1, 99, milk()), "entry 6", "every replica has a line of its own");
    for (author, last) in [(ANA.replica, 3), (BEN.replica, 1), (replica(77), 0)] {
        assert_eq!(desk.authority.last_number(author), MutationNumber(last));
    }
}

#[test]
fn a_repetition_is_answered_with_its_entry_wherever_that_is() {
    fn check_repetitions(desk: &mut Desk<Checklist>, step: &str) {
        let head = desk.authority.head();
        let answers = [desk.push_one(ANA, 1, 1, milk()), desk.push_one(ANA, 2, 2, vec![tick(9)])];
        assert_eq!(answers, ["entry 3", "entry 4"], "{step}");
        let both = [mutation(1, 1, milk()), mutation(2, 2, vec![tick(9)])];
        assert_eq!(desk.push(ANA, &both), "entry 3, entry 4", "{step}");
        assert_eq!(desk.authority.head(), head.max(Seq(4)), "{step}");
    }
    let mut desk = Desk::new();
    check_repetitions(&mut desk, "decided just now");
    assert!(desk.start_commit());
    check_repetitions(&mut desk, "being committed");
    desk.finish_commit();
    check_repetitions(&mut desk, "in the log");
    assert!(!desk.start_commit(), "repetitions leave nothing to commit");
    assert_eq!(desk.push_one(BEN, 1, 3, vec![tick(1)]), "entry 5");
    check_repetitions(&mut desk, "others are staged");
    desk.commit();
    desk.restart();
    check_repetitions(&mut desk, "after a restart");
    assert_eq!(desk.log.head(), Seq(5));
}

#[test]
fn another_mutation_under_a_used_number_is_a_fork() {
    let mut desk = Desk::new();
    assert_eq!(desk.push(ANA, &[mutation(1, 1, milk()), mutation(2, 2, vec![tick(1)])]), "entry 3, entry 4");
    for step in ["staged", "in the log", "after a restart"] {
        assert_eq!(desk.push_one(ANA, 1, 7, milk()), "1 refused: Forked", "{step}");
        // The id is the replica's own, but of another number.
        assert_eq!(desk.push_one(ANA, 1, 2, milk()), "1 refused: Forked", "{step}");
        match step {
            "staged" => desk.commit(),
            _ => desk.restart(),
        }
    }
    assert_eq!(desk.authority.last_number(ANA.replica), MutationNumber(2));
    assert_eq!(desk.push_one(ANA, 3, 8, vec![add(2, "tea")]), "entry 5", "what comes next is not held up");
}

#[test]
fn an_id_that_stands_under_another_number_uses_this_one_up_without_an_entry() {
    for committed_before in [false, true] {
        let mut desk = Desk::new();
        assert_eq!(desk.push_one(ANA, 1, 1, milk()), "entry 3");
        if committed_before {
            desk.commit();
        }
        // The same device under a new replica id, after it was found to be a copy.
        let offered_again = [mutation(1, 1, milk()), mutation(2, 2, vec![tick(1)])];
        assert_eq!(desk.push(BEN, &offered_again), "entry 3, entry 4", "{committed_before}");
        for step in 0..3 {
            assert_eq!(desk.push_one(BEN, 1, 1, milk()), "entry 3", "a repetition, {step}");
            assert_eq!(desk.push_one(BEN, 1, 9, milk()), "1 refused: Forked", "{step}");
            match step {
                0 => desk.commit(),
                _ => desk.restart(),
            }
        }
        assert_eq!(desk.log.last_number(BEN.replica), MutationNumber(2));
        assert_eq!(desk.log.head(), Seq(4));
    }
}

#[test]
fn a_number_used_up_without_an_entry_is_committed_or_taken_back_too() {
    let mut desk = Desk::new();
    desk.push_one(ANA, 1, 1, milk());
    desk.commit();

    assert_eq!(desk.push_one(BEN, 1, 1, milk()), "entry 3");
    assert!(desk.start_commit());
    desk.fail_commit();
    assert_eq!(desk.authority.last_number(BEN.replica), MutationNumber::ZERO);

    assert_eq!(desk.push_one(BEN, 1, 1, milk()), "entry 3");
    desk.commit();
    assert_eq!((desk.log.head(), desk.log.last_number(BEN.replica)), (Seq(3), MutationNumber(1)));
}

#[test]
fn the_first_refusal_refuses_the_rest_of_its_push_and_uses_up_nothing() {
    let later = |n: u64| mutation(n, n.into(), vec![add(n as u32, "x")]);
    let unknown = |n: u64| mutation(n, n.into(), vec![serde_json::json!({"op": "fold"})]);
    let cases = [
        (vec![later(1), later(3), later(4)], "entry 3, 3 refused: Gap, 2 first, 4 refused: Gap, 2 first"),
        (vec![later(2), later(1)], "2 refused: Gap, 1 first, 1 refused: Gap, 1 first"),
        (vec![later(1), unknown(2), later(3)], "entry 3, 2 refused: UnknownOp, 3 refused: Gap, 2 first"),
        (vec![unknown(1), later(1)], "1 refused: UnknownOp, 1 refused: Gap, 1 first"),
        (vec![later(1), mutation(1, 9, milk()), later(2)], "entry 3, 1 refused: Forked, 2 refused: Gap, 2 first"),
    ];
    for (mutations, expected) in cases {
        let mut desk = Desk::new();
        assert_eq!(desk.push(ANA, &mutations), expected);
        let entered = expected.matches("entry").count() as u64;
        assert_eq!(desk.authority.last_number(ANA.replica), MutationNumber(entered));
        assert_eq!(desk.authority.head(), Seq(2 + entered));
        let rest: Vec<_> = (entered + 1..=4).map(later).collect();
        assert!(!desk.push(ANA, &rest).contains("refused"), "in order, everything enters");
    }
}

#[test]
fn a_refusal_names_its_mutation() {
    let mut desk = Desk::new();
    let outcomes = desk.offer(ANA, EPOCH, &[mutation(5, 55, milk()), mutation(6, 66, milk())]);
    for (outcome, (n, mutation)) in outcomes.iter().zip([(5, 55), (6, 66)]) {
        let Outcome::Refused(refused) = outcome else { panic!("{outcome:?}") };
        assert_eq!((refused.id, refused.n, refused.code), (id(mutation), MutationNumber(n), Refusal::Gap));
        assert_eq!((refused.expected, refused.retry_after_ms), (Some(MutationNumber(1)), None));
    }
}

#[test]
fn what_follows_a_refusal_is_told_the_number_that_would_enter() {
    let mut desk = Desk::new();
    assert_eq!(desk.push_one(ANA, 1, 1, milk()), "entry 3");
    let other_and_more = [mutation(1, 9, milk()), mutation(2, 2, milk()), mutation(3, 3, milk())];
    assert_eq!(desk.push(ANA, &other_and_more), "1 refused: Forked, 2 refused: Gap, 2 first, 3 refused: Gap, 2 first");
    assert_eq!(desk.push_one(ANA, 2, 2, milk()), "entry 4");
}
