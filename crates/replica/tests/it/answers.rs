//! A line on which the server does not answer is left, however much else comes over it.

use serde_json::{Value, json};
use tidebook_replica::Event;

use crate::checklist::add;
use crate::keeping::{tab, write};
use crate::shelf::Shelf;
use crate::stage::{BOOK, ME, Stage, added, entry, others, refused, required, snapshot, subscribed, welcome};

/// How long an answer may take.
const ANSWER_WITHIN_MS: u64 = 15_000;

/// Follows at the head, with mutation 1 on its way.
fn pushing() -> Stage {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "x")]).expect("fine");
    assert_eq!(stage.pushed(), [1]);
    stage.forget();
    stage
}

/// Whether the line was given up for want of an answer since the last look.
fn is_left(stage: &mut Stage) -> bool {
    let reasons = stage.events().into_iter().filter_map(|event| match event {
        Event::Disconnect { reason } => Some(reason),
        _ => None,
    });
    let reasons: Vec<String> = reasons.collect();
    assert!(reasons.iter().all(|reason| reason == "the server did not answer"), "{reasons:?}");
    !reasons.is_empty()
}

#[track_caller]
fn leaves_after(stage: &mut Stage, ms: u64) {
    stage.wait_ms(ms - 1);
    assert!(!is_left(stage), "not before its time");
    stage.wait_ms(1);
    assert!(is_left(stage));
}

#[track_caller]
fn stays(stage: &mut Stage) {
    stage.wait_ms(10 * ANSWER_WITHIN_MS);
    assert!(!is_left(stage));
}

#[test]
fn a_push_without_an_answer_ends_the_line_whatever_else_comes() {
    let mut stage = pushing();
    for seq in 1..=14 {
        stage.wait_ms(1_000);
        stage.hear_entries(&[others(seq, &[added(100 + seq as u32, "tea")])]);
        stage.hear(json!({ "type": "presence", "book": BOOK, "peers": [], "count": 0 }));
        stage.hear(json!({ "type": "people", "book": BOOK, "people": [] }));
    }
    leaves_after(&mut stage, 1_000);
}

#[test]
fn the_time_runs_from_when_a_push_is_sent_and_a_later_one_does_not_put_it_off() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "x")]).expect("fine");
    stage.wait_ms(60_000);
    assert_eq!(stage.pushed(), [1]);
    stage.wait_ms(10_000);
    stage.mutate(2, &[add(2, "y")]).expect("fine");
    assert_eq!(stage.pushed(), [2]);
    leaves_after(&mut stage, ANSWER_WITHIN_MS - 10_000);
}

#[test]
fn each_fate_gives_the_next_its_time_and_the_last_ends_the_wait() {
    let mut stage = pushing();
    stage.mutate(2, &[add(2, "y")]).expect("fine");
    assert_eq!(stage.pushed(), [2]);
    stage.wait_ms(10_000);
    stage.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "x")])]);
    stage.wait_ms(10_000);
    assert!(!is_left(&mut stage));
    stage.hear(json!({ "type": "fates", "book": BOOK, "entries": [entry(1, ME, 2, 2, &[added(2, "y")])] }));
    stays(&mut stage);
}

#[test]
fn a_refusal_is_an_answer() {
    let mut stage = pushing();
    let mut later = refused(1, "rate_limited");
    later["retry_after_ms"] = json!(100_000);
    stage.hear(later);
    // Somebody else's entry does not count as a part of it.
    stage.hear_entries(&[others(1, &[added(9, "tea")])]);
    stage.wait_ms(90_000);
    assert!(!is_left(&mut stage));
    stage.wait_ms(10_000);
    let asked = stage.sent();
    assert_eq!((asked.len(), &asked[0]["type"]), (1, &json!("subscribe")), "offered again in its time");
    leaves_after(&mut stage, ANSWER_WITHIN_MS);
}

#[test]
fn a_subscription_is_answered_or_the_line_ends() {
    let mut stage = Stage::new();
    stage.connect();
    stage.sent();
    leaves_after(&mut stage, ANSWER_WITHIN_MS);

    let answers: [Value; 3] = [
        subscribed(0, 0),
        json!({ "type": "snapshot_required", "book": BOOK, "epoch": crate::stage::EPOCH, "from_seq": null, "seq": 5 }),
        json!({ "type": "role", "book": BOOK, "role": null }),
    ];
    for answer in answers {
        let mut stage = Stage::new();
        stage.connect();
        stage.sent();
        stage.wait_ms(ANSWER_WITHIN_MS - 1);
        stage.hear(answer);
        stays(&mut stage);
    }
}

/// What was asked before the snapshot came is not followed, and its answer, should it come, says nothing.
#[test]
fn nothing_is_due_while_a_start_is_being_stored() {
    let (mut shelf, mut stage) = (Shelf::new(), Stage::kept());
    shelf.sync(&mut stage);
    stage.connect();
    stage.hear(required(5));
    stage.replica.handle_closed(stage.now, None);
    stage.connect();
    assert!(stage.sent().iter().any(|frame| frame["type"] == "subscribe"));
    stage.take(snapshot(5, &[(1, "milk")]));
    stage.hear(subscribed(0, 0));
    stays(&mut stage);
}

#[test]
fn entries_up_to_the_head_are_due_and_each_gives_the_next_its_time() {
    let mut stage = Stage::new();
    stage.connect();
    stage.sent();
    stage.hear(subscribed(3, 0));
    for seq in 1..=2 {
        stage.wait_ms(ANSWER_WITHIN_MS - 1);
        stage.hear_entries(&[others(seq, &[added(seq as u32, "tea")])]);
        assert!(!is_left(&mut stage));
    }
    let mut stopped = stage;
    leaves_after(&mut stopped, ANSWER_WITHIN_MS);
}

#[test]
fn what_was_asked_on_a_lost_line_is_not_waited_for_on_the_next() {
    let mut stage = pushing();
    stage.wait_ms(10_000);
    stage.replica.handle_closed(stage.now, None);
    stage.replica.connect_now(stage.now);
    stage.replica.handle_opened(stage.now);
    stage.forget();
    stage.hear(welcome());
    stage.sent();
    stage.wait_ms(10_000);
    assert!(!is_left(&mut stage));
    leaves_after(&mut stage, 5_000);
}

#[test]
fn what_another_tab_heard_is_an_answer_too_and_the_next_push_has_its_own_time() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    write(&mut here, 1, "x").expect("fine");
    shelf.sync(&mut here);
    assert_eq!(here.pushed(), [1]);
    shelf.read(&mut there);
    there.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "x")])]);
    shelf.sync(&mut there);
    here.wait_ms(10_000);
    shelf.read(&mut here);
    assert!(here.pending().is_empty());
    write(&mut here, 2, "y").expect("fine");
    shelf.sync(&mut here);
    assert_eq!(here.pushed(), [2]);
    here.forget();
    leaves_after(&mut here, ANSWER_WITHIN_MS);
}
