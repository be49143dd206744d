//! Taking a mutation back before it has an entry.

use serde_json::{Value, json};
use tidebook_replica::{Event, SyncStatus};

use crate::checklist::{add, tick};
use crate::stage::{BOOK, ME, Stage, added, entry, id, refused, rejecting, subscribed};

/// Milk was added, and then ticked, and the server has heard of both.
fn with_two_pushed() -> Stage {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.mutate(2, &[tick(1)]).expect("fine");
    stage.forget();
    stage
}

#[test]
fn what_is_withdrawn_leaves_the_view_and_is_offered_without_its_ops() {
    let mut stage = with_two_pushed();
    assert_eq!(stage.replica.withdraw(BOOK, id(2)), Some(vec![tick(1)]));
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk", vec![1, 2]));
    assert!(matches!(&*stage.events(), [Event::Changed { .. }]));
    let frames = stage.sent();
    assert_eq!(frames.len(), 1);
    let expected = json!([{ "id": id(2), "n": 2, "made_at": 5, "base": 0, "ops": [] }]);
    assert_eq!(frames[0]["mutations"], expected, "under its id and number");
    for unknown in [2, 9] {
        assert_eq!(stage.replica.withdraw(BOOK, id(unknown)), None, "withdrawn already, or never made");
    }
    assert!(stage.events().is_empty() && stage.sent().is_empty());
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::Saving(2));
}

#[test]
fn what_builds_on_it_waits_for_the_server_unseen() {
    let mut stage = with_two_pushed();
    assert_eq!(stage.replica.withdraw(BOOK, id(1)), Some(vec![add(1, "milk")]));
    assert_eq!((stage.view().as_str(), stage.pending()), ("", vec![1, 2]));
    assert_eq!(stage.pushed(), [1], "and is not sent twice");
}

#[test]
fn whichever_comes_first_stands() {
    let original = entry(1, ME, 1, 1, &[added(1, "milk")]);
    let cases: [(Value, &str); 3] = [
        (original, "milk+"),
        (rejecting(1, 1, 1, "withdrawn"), ""),
        // The original came first and was rejected: nobody waits for it.
        (rejecting(1, 1, 1, "id_taken"), ""),
    ];
    for (first, view) in cases {
        let mut stage = with_two_pushed();
        stage.replica.withdraw(BOOK, id(1)).expect("it is pending");
        stage.forget();
        stage.hear_entries(std::slice::from_ref(&first));
        assert_eq!((stage.view().as_str(), stage.pending()), (view, vec![2]), "{first}");
        assert!(stage.copy().rejections().is_empty(), "{first}");
        assert!(!stage.events().iter().any(|event| matches!(event, Event::Rejected { .. })), "{first}");
    }
}

#[test]
fn what_nobody_here_withdrew_is_kept_though_the_log_says_so() {
    let mut stage = with_two_pushed();
    stage.hear_entries(&[rejecting(1, 1, 1, "withdrawn")]);
    let kept: Vec<_> = stage.copy().rejections().iter().map(|rejection| rejection.mutation.ops.clone()).collect();
    assert_eq!(kept, [[add(1, "milk")]]);
}

#[test]
fn without_a_line_it_goes_with_the_next() {
    let mut stage = Stage::new();
    for n in 1..=3 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    stage.replica.withdraw(BOOK, id(2)).expect("it is pending");
    stage.connect();
    stage.forget();
    stage.hear(subscribed(0, 0));
    let frames = stage.sent();
    let ops: Vec<usize> = frames
        .iter()
        .flat_map(|frame| frame["mutations"].as_array().expect("a list"))
        .map(|mutation| mutation["ops"].as_array().expect("a list").len())
        .collect();
    assert_eq!((frames.len(), ops), (1, vec![1, 0, 1]));
}

#[test]
fn an_op_that_the_server_does_not_know_can_be_withdrawn() {
    let mut stage = with_two_pushed();
    stage.hear(refused(1, "unknown_op"));
    stage.hear(refused(2, "gap"));
    assert!(stage.copy().held().is_some());
    stage.replica.withdraw(BOOK, id(1)).expect("it is pending");
    assert_eq!((stage.pushed(), stage.copy().held()), (vec![1, 2], None));

    // And where the refusal comes after the person has withdrawn it, nothing is held for it.
    let mut stage = with_two_pushed();
    stage.replica.withdraw(BOOK, id(1)).expect("it is pending");
    stage.forget();
    stage.hear(refused(1, "unknown_op"));
    assert_eq!(stage.copy().held(), None);
    assert_eq!(stage.replica.poll_timeout(), Some(stage.now.plus_ms(1_000)));
}

#[test]
fn nothing_of_it_keeps_a_book_open() {
    let mut stage = Stage::new();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    assert!(!stage.replica.close_book(BOOK), "it is only here");
    stage.replica.withdraw(BOOK, id(1)).expect("it waits");
    assert!(stage.replica.close_book(BOOK));
    assert!(stage.replica.book(BOOK).is_none());
}
