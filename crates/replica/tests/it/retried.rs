//! What a restored server rejects because it names what is not back yet is tried again by itself.

use serde_json::json;
use tidebook_replica::{Event, retried_id};

use crate::checklist::tick;
use crate::offered_again::{follow, restore, restored};
use crate::shelf::Shelf;
use crate::stage::{BOOK, ME, Stage, added, entry, id, others, rejecting, subscribed, subscribed_at, ticked};

/// Somebody else's item, ticked here; the server is restored to before both, and its maker has not come back.
fn with_a_rejected_tick(stage: &mut Stage) {
    stage.hear_entries(&[others(1, &[added(9, "tea")])]);
    stage.mutate(1, &[tick(9)]).expect("it is there");
}

/// The server goes back to nothing and rejects the tick.
fn reject(stage: &mut Stage) {
    stage.hear_entries(&[entry(2, ME, 1, 1, &[ticked(9, "tea")])]);
    stage.forget();
    restore(stage, Some(0), restored(0, &[]));
}

fn hear_rejection(stage: &mut Stage) {
    assert_eq!(follow(stage, 0, 0), [(id(1), 1, 0)]);
    stage.hear_entries(&[rejecting(1, 1, 1, "unknown_item")]);
    assert!(stage.events().iter().any(|event| matches!(event, Event::Rejected { .. })));
    assert_eq!((stage.copy().rejections().len(), stage.view().as_str()), (1, "x"));
    assert_eq!(stage.sent().len(), 0, "as long as it would be rejected again, nobody is asked");
}

#[test]
fn what_named_a_lost_record_is_tried_again_once_that_is_back() {
    let mut stage = Stage::live();
    with_a_rejected_tick(&mut stage);
    reject(&mut stage);
    hear_rejection(&mut stage);
    stage.hear_entries(&[others(2, &[added(9, "tea")])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("x tea+", vec![2]));
    assert_eq!(stage.copy().rejections().len(), 0, "nobody has to decide anything");
    let push = &stage.sent()[0];
    let retried = &push["mutations"][0];
    assert_eq!((&retried["id"], &retried["n"], &retried["base"]), (&json!(retried_id(id(1))), &json!(2), &json!(0)));
    assert_eq!(retried["ops"], json!([tick(9)]));
    // Rejected once more, it is for its person to decide: what it named was there.
    stage.hear_entries(&[others(3, &[json!({ "type": "item_removed", "id": 9 })])]);
    stage.hear_entries(&[rejecting_retried(4, 2)]);
    stage.hear_entries(&[others(5, &[added(9, "tea")])]);
    assert_eq!((stage.copy().rejections().len(), stage.pending()), (1, vec![]));
}

fn rejecting_retried(seq: u64, n: u64) -> serde_json::Value {
    let mut entry = rejecting(seq, n, 1, "unknown_item");
    entry["id"] = json!(retried_id(id(1)));
    entry
}

#[test]
fn what_was_typed_in_this_history_is_not() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(1, &[added(9, "tea")])]);
    stage.mutate(1, &[tick(9)]).expect("it is there");
    stage.hear_entries(&[others(2, &[json!({ "type": "item_removed", "id": 9 })])]);
    stage.hear_entries(&[rejecting(3, 1, 1, "unknown_item")]);
    stage.hear_entries(&[others(4, &[added(9, "tea")])]);
    assert_eq!((stage.copy().rejections().len(), stage.pending(), stage.view().as_str()), (1, vec![], "tea"));
}

#[test]
fn a_rejection_that_is_to_be_tried_again_outlives_the_program() {
    let mut stage = Stage::kept();
    let mut shelf = Shelf::new();
    stage.connect();
    stage.hear(subscribed(0, 0));
    with_a_rejected_tick(&mut stage);
    shelf.sync(&mut stage);
    reject(&mut stage);
    shelf.sync(&mut stage);
    hear_rejection(&mut stage);
    shelf.sync(&mut stage);
    let mut later = Stage::kept();
    shelf.sync(&mut later);
    assert_eq!(later.copy().rejections().len(), 1);
    later.connect();
    later.hear(resumed(&later));
    later.hear_entries(&[others(2, &[added(9, "tea")])]);
    assert_eq!((later.view().as_str(), later.pending()), ("x tea+", vec![2]));
    shelf.sync(&mut later);
    assert_eq!((shelf.rejections.len(), shelf.outbox.len()), (0, 1), "in one transaction");
}

fn resumed(stage: &Stage) -> serde_json::Value {
    let mut frame = subscribed_at(1, stage.hash(), 1);
    frame["epoch"] = json!(stage.copy().epoch());
    frame
}

#[test]
fn nobody_who_only_reads_tries_again() {
    let mut stage = Stage::live();
    with_a_rejected_tick(&mut stage);
    reject(&mut stage);
    hear_rejection(&mut stage);
    stage.hear(json!({ "type": "role", "book": BOOK, "role": "viewer" }));
    stage.hear_entries(&[others(2, &[added(9, "tea")])]);
    assert_eq!((stage.copy().rejections().len(), stage.pending(), stage.view().as_str()), (1, vec![], "x tea"));
}
