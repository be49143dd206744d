//! Coming back: from a seq, over a gap, from a snapshot.

use serde_json::{Value, json};
use tidebook_book::ChainHash;
use tidebook_replica::{Event, SyncStatus};

use crate::checklist::{add, tick};
use crate::stage::{
    BOOK, EPOCH, ME, Stage, added, chain, entry, hash_of_snapshot, id, others, rejecting, required, snapshot,
    subscribed, subscribed_at, ticked,
};

#[test]
fn a_line_resumes_where_the_last_one_ended() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.mutate(2, &[tick(1)]).expect("fine");
    let log = [others(1, &[added(7, "tea")]), entry(2, ME, 1, 1, &[added(1, "milk")])];
    stage.hear_entries(&log);
    assert_eq!(stage.hash(), chain(&log));
    stage.replica.handle_closed(stage.now, None);
    stage.connect();
    let sent = stage.sent();
    let expected = json!({
        "type": "subscribe", "book": BOOK, "epoch": EPOCH, "after": 2, "hash": chain(&log), "pending_from": 2,
    });
    assert_eq!((&sent[0]["type"], &sent[1], sent.len()), (&json!("hello"), &expected, 2));
}

#[test]
fn the_hash_is_over_the_bytes_that_came() {
    let mut stage = Stage::live();
    let spaced = others(1, &[]).to_string().replace(r#""n":"#, r#""n" :  "#);
    assert_ne!(spaced, others(1, &[]).to_string());
    let frame = format!(r#"{{"type":"entries","book":"{BOOK}","entries":[{spaced}]}}"#);
    stage.replica.handle_text(stage.now, &frame);
    assert_eq!(stage.hash(), ChainHash::ZERO.followed_by(spaced.as_bytes()));
}

#[test]
fn entries_that_were_here_already_change_nothing() {
    let mut stage = Stage::live();
    let log = [others(1, &[added(1, "milk")]), others(2, &[ticked(1, "milk")]), others(3, &[added(2, "tea")])];
    stage.hear_entries(&log[..2]);
    stage.mutate(1, &[add(9, "jam")]).expect("fine");
    stage.forget();
    for repeated in [&log[..2], &log[..1], &log[1..2]] {
        stage.hear_entries(repeated);
        assert_eq!((stage.view().as_str(), stage.seq().0, stage.hash()), ("milk+ jam", 2, chain(&log[..2])));
        assert_eq!(stage.events(), [], "no rebase, and nothing to look at");
    }
    stage.hear_entries(&log);
    assert_eq!((stage.view().as_str(), stage.hash()), ("milk+ tea jam", chain(&log)), "the rest of a frame is new");
}

#[test]
fn entries_that_do_not_follow_make_the_copy_start_over_and_leave_it_as_it_was() {
    let follows = others(2, &[ticked(1, "milk")]);
    let cases: [&[Value]; 4] = [
        &[others(3, &[added(2, "tea")])],
        &[follows.clone(), others(4, &[added(2, "tea")])],
        &[follows.clone(), follows.clone()],
        &[others(3, &[]), follows],
    ];
    for frame in cases {
        let mut stage = Stage::live();
        let log = [others(1, &[added(1, "milk")])];
        stage.hear_entries(&log);
        stage.mutate(1, &[add(9, "jam")]).expect("fine");
        stage.forget();
        stage.hear_entries(frame);
        assert_eq!(stage.events(), [Event::FetchSnapshot { book: BOOK }], "{frame:?}");
        assert_eq!((stage.view().as_str(), stage.pending(), stage.hash()), ("milk jam", vec![1], chain(&log)));
        assert!(stage.sent().is_empty());
    }
}

#[test]
fn fates_empty_the_outbox_without_moving_the_copy() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.mutate(2, &[add(2, "tea")]).expect("fine");
    stage.mutate(3, &[add(3, "jam")]).expect("fine");
    stage.hear(required(5));
    stage.take(snapshot(5, &[(1, "milk")]));
    stage.forget();
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk tea jam", vec![1, 2, 3]));
    stage.hear(subscribed_at(5, hash_of_snapshot(5), 2));
    let fates = [entry(4, ME, 1, 1, &[added(1, "milk")]), rejecting(5, 2, 2, "id_taken")];
    for _ in 0..2 {
        stage.hear(json!({ "type": "fates", "book": BOOK, "entries": fates }));
        assert_eq!((stage.view().as_str(), stage.pending(), stage.seq().0), ("milk jam", vec![3], 5));
        assert_eq!(stage.replica.book(BOOK).expect("open").rejections().len(), 1);
    }
    let rejected = Event::Rejected { book: BOOK, mutation: id(2) };
    assert_eq!(stage.events().iter().filter(|event| **event == rejected).count(), 1);
    assert_eq!(stage.pushed(), [3]);
}

#[test]
fn a_snapshot_takes_the_place_of_the_state_and_keeps_the_outbox() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])]);
    stage.mutate(1, &[tick(2)]).expect("fine");
    stage.mutate(2, &[add(3, "jam")]).expect("fine");
    stage.forget();

    stage.hear(required(9));
    assert_eq!(stage.events(), [Event::FetchSnapshot { book: BOOK }]);
    assert_eq!(stage.view(), "milk tea+ jam", "until it is here, all is as it was");
    stage.mutate(3, &[add(4, "rye")]).expect("fine");
    assert!(stage.sent().is_empty(), "nothing is pushed meanwhile");
    stage.forget();

    stage.take(snapshot(9, &[(2, "tea"), (3, "oil")]));
    assert_eq!((stage.view().as_str(), stage.pending()), ("tea+ oil rye", vec![1, 2, 3]));
    assert!(stage.events().contains(&Event::Reset { book: BOOK }));
    let hash = hash_of_snapshot(9);
    let expected =
        json!({ "type": "subscribe", "book": BOOK, "epoch": EPOCH, "after": 9, "hash": hash, "pending_from": 1 });
    assert_eq!(stage.sent(), [expected]);
    stage.hear(subscribed_at(9, hash, 0));
    assert_eq!(stage.pushed(), [1, 2, 3]);
    stage.hear_entries(&[entry(10, ME, 1, 1, &[ticked(2, "tea")]), rejecting(11, 2, 2, "id_taken")]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("tea+ oil rye", vec![3]));
    assert_eq!(stage.hash(), {
        let log = [entry(10, ME, 1, 1, &[ticked(2, "tea")]), rejecting(11, 2, 2, "id_taken")];
        log.iter().fold(hash, |hash, entry| hash.followed_by(entry.to_string().as_bytes()))
    });
}

#[test]
fn a_snapshot_of_another_history_may_lie_behind() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])]);
    stage.hear(required(1));
    stage.take(snapshot(1, &[(5, "oil")]));
    assert_eq!((stage.view().as_str(), stage.seq().0), ("oil", 1));
}

#[test]
fn a_snapshot_that_nobody_waits_for_any_more_does_not_take_the_copy_back() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(1, &[added(1, "milk")])]);
    stage.hear(required(3));
    // The line broke, the next server went on from the copy, and only then the snapshot came.
    stage.replica.handle_closed(stage.now, None);
    stage.connect();
    stage.hear(subscribed(2, 0));
    stage.hear_entries(&[others(2, &[added(2, "tea")])]);
    stage.forget();
    stage.take(snapshot(1, &[]));
    assert_eq!((stage.view().as_str(), stage.seq().0), ("milk tea", 2));
    assert!(stage.sent().is_empty() && stage.events().is_empty());

    // Two were asked for, and both come.
    stage.hear(required(9));
    stage.hear(required(9));
    stage.take(snapshot(9, &[]));
    stage.take(snapshot(8, &[]));
    assert_eq!(stage.seq().0, 9);
}

#[test]
fn a_snapshot_without_a_line_waits_for_one() {
    let mut stage = Stage::live();
    stage.hear(required(9));
    stage.replica.handle_closed(stage.now, None);
    stage.take(snapshot(9, &[]));
    assert!(stage.sent().is_empty());
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::Offline(0));
    stage.connect();
    assert_eq!(stage.sent()[1]["after"], 9);
}

#[test]
fn people_are_those_last_told() {
    let mut stage = Stage::live();
    let person =
        |number: u32, role: Value| json!({ "id": uuid::Uuid::from_u128(number.into()), "name": "x", "role": role });
    for people in [vec![person(1, json!("owner")), person(2, json!(null))], vec![person(1, json!("viewer"))]] {
        stage.hear(json!({ "type": "people", "book": BOOK, "people": people }));
        assert_eq!(stage.events(), [Event::People { book: BOOK }]);
        assert_eq!(json!(stage.replica.book(BOOK).expect("open").people()), json!(people));
    }
}
