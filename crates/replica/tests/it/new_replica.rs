//! A device that turns out to be a copy of another, or whose numbers the log does not know, goes on under a new id.

use serde_json::{Value, json};
use tidebook_book::{BookId, MutationId, ReplicaId, Seq, UnixMillis};
use tidebook_replica::{Event, NewMutation, Seen, SyncStatus};
use uuid::Uuid;

use crate::checklist::{Checklist, add};
use crate::stage::{BOOK, ME, OTHER, Stage, added, entry, id, others, refused, subscribed};

const NEW: ReplicaId = ReplicaId(Uuid::from_u128(0x11));
const ANOTHER_BOOK: BookId = BookId(Uuid::from_u128(0xbb));

fn about_another_book(mut frame: Value) -> Value {
    frame["book"] = json!(ANOTHER_BOOK);
    frame
}

/// What is pushed: number and id of each, by book.
fn pushed(stage: &mut Stage) -> Vec<(Value, u64, MutationId)> {
    let frames = stage.sent();
    let pushes = frames.iter().filter(|frame| frame["type"] == "push");
    let mutations = pushes.flat_map(|frame| {
        let mutations = frame["mutations"].as_array().expect("a list").iter();
        mutations.map(|mutation| (frame["book"].clone(), mutation))
    });
    let read = |(book, mutation): (Value, &Value)| {
        let id = serde_json::from_value(mutation["id"].clone()).expect("an id");
        (book, mutation["n"].as_u64().expect("a number"), id)
    };
    mutations.map(read).collect()
}

/// Two books, the first with the numbers 1 and 2 behind it and 3 and 4 pushed, the other with 1 pushed.
fn with_a_past() -> Stage {
    let mut stage = Stage::live();
    stage.replica.open_book(ANOTHER_BOOK);
    stage.hear(about_another_book(subscribed(0, 0)));
    for n in 1..=4 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    stage.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "x")]), entry(2, ME, 2, 2, &[added(2, "x")])]);
    let (base, ops) = (Seen::default(), vec![add(7, "y")]);
    let new = NewMutation { id: id(7), made_at: UnixMillis(8), base, ops, undoes: None };
    stage.replica.mutate(ANOTHER_BOOK, new).expect("fine");
    stage.forget();
    stage
}

#[test]
fn a_new_id_is_asked_for_once_and_nothing_is_sent_before() {
    for code in ["forked", "replica_taken"] {
        let mut stage = with_a_past();
        stage.hear(refused(3, code));
        stage.hear(refused(4, "gap"));
        stage.hear(about_another_book(refused(1, code)));
        assert_eq!(stage.events(), [Event::NewReplicaNeeded], "{code}");
        assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::NeedsAttention(1), "{code}");
        stage.mutate(5, &[add(5, "x")]).expect("it can still be written");
        stage.hear_entries(&[others(3, &[added(9, "tea")])]);
        assert_eq!((stage.seq().0, pushed(&mut stage)), (3, vec![]), "{code}: what others write still comes");
        // Not even another refusal, or another line, changes that.
        stage.hear(refused(3, "read_only"));
        stage.replica.handle_closed(stage.now, None);
        stage.connect();
        stage.hear(subscribed(4, 2));
        assert_eq!(pushed(&mut stage), [], "{code}");
    }
}

#[test]
fn under_a_new_id_all_books_start_from_one_on_a_new_line() {
    let mut stage = with_a_past();
    stage.hear(refused(3, "forked"));
    stage.forget();
    stage.replica.handle_new_replica(stage.now, NEW);
    assert_eq!(stage.replica.id(), NEW);
    let said = stage.events();
    assert!(said.iter().any(|event| matches!(event, Event::Disconnect { .. })), "{said:?}");
    assert!(stage.sent().is_empty());
    stage.replica.handle_closed(stage.now, None);
    assert_eq!(stage.replica.poll_timeout(), Some(stage.now), "without a wait");
    stage.wait_ms(0);
    assert_eq!(stage.events(), [Event::<Checklist>::Connect]);

    stage.connect();
    let sent = stage.sent();
    assert_eq!(sent[0]["replica"], json!(NEW));
    assert_eq!((&sent[1]["after"], &sent[1]["pending_from"]), (&json!(2), &json!(1)));
    stage.hear(subscribed(3, 0));
    stage.hear(about_another_book(subscribed(0, 0)));
    let expected = [(json!(BOOK), 1, id(3)), (json!(BOOK), 2, id(4)), (json!(ANOTHER_BOOK), 1, id(7))];
    assert_eq!(pushed(&mut stage), expected);
    assert_eq!(stage.copy().held(), None);
    assert_eq!(stage.mutate(5, &[add(5, "x")]).map(|n| n.0), Ok(3), "the numbers go on from there");
    assert_eq!(stage.view(), "x x x x x");
}

#[test]
fn nothing_but_the_number_changes() {
    let mut stage = with_a_past();
    let new = NewMutation {
        id: id(5),
        made_at: UnixMillis(77),
        base: Seen::default().at(Seq(1)),
        ops: vec![add(5, "x")],
        undoes: Some(Seq(2)),
    };
    stage.replica.mutate(BOOK, new).expect("fine");
    stage.replica.handle_new_replica(stage.now, NEW);
    stage.connect();
    stage.forget();
    stage.hear(subscribed(3, 0));
    let frames = stage.sent();
    let expected = json!({
        "id": id(5), "n": 3, "made_at": 77, "base": 1, "ops": [{ "op": "add", "id": 5, "text": "x" }], "undoes": 2,
    });
    assert_eq!(frames[0]["mutations"][2], expected);
}

#[test]
fn what_entered_under_the_old_id_is_settled_by_its_own() {
    let mut stage = with_a_past();
    stage.hear(refused(3, "forked"));
    stage.replica.handle_new_replica(stage.now, NEW);
    stage.connect();
    stage.forget();
    stage.hear(subscribed(4, 0));
    assert_eq!(stage.pushed(), [1, 2]);
    // One by the entries, the other as the answer to the push.
    stage.hear_entries(&[others(3, &[]), entry(4, ME, 3, 3, &[added(3, "x")])]);
    assert_eq!(stage.pending(), [2]);
    let told = |event: &Event<Checklist>| match event {
        Event::Changed { news, .. } => news.len(),
        _ => 0,
    };
    assert_eq!(stage.events().iter().map(told).sum::<usize>(), 0, "what this person wrote is no news");
    stage.hear(json!({ "type": "fates", "book": BOOK, "entries": [entry(2, OTHER, 8, 4, &[added(4, "x")])] }));
    assert_eq!((stage.pending(), stage.view().as_str()), (vec![], "x x x"));
    stage.mutate(5, &[add(5, "x")]).expect("fine");
    stage.forget();
    stage.hear_entries(&[entry(5, NEW, 3, 5, &[added(5, "x")])]);
    assert_eq!((stage.pending(), stage.events()), (vec![], vec![]), "as foreseen");
}

#[test]
fn a_new_id_without_a_line_is_that_of_the_next() {
    let cases: [fn(&mut Stage); 3] = [
        |stage| stage.replica.handle_closed(stage.now, Some(4401)),
        |stage| stage.replica.handle_closed(stage.now, None),
        |stage| {
            stage.replica.handle_closed(stage.now, None);
            stage.replica.connect_now(stage.now);
        },
    ];
    for before in cases {
        let mut stage = with_a_past();
        before(&mut stage);
        let due = stage.replica.poll_timeout();
        stage.forget();
        stage.replica.handle_new_replica(stage.now, NEW);
        assert!(!stage.events().iter().any(|event| matches!(event, Event::Disconnect { .. })));
        assert_eq!(stage.replica.poll_timeout(), due);
        stage.connect();
        assert_eq!(stage.sent()[0]["replica"], json!(NEW));
    }
}

#[test]
fn a_line_that_is_coming_up_speaks_for_the_old_id_and_is_left() {
    let mut stage = with_a_past();
    stage.replica.handle_closed(stage.now, None);
    stage.replica.connect_now(stage.now);
    stage.replica.handle_opened(stage.now);
    stage.forget();
    stage.replica.handle_new_replica(stage.now, NEW);
    assert!(stage.events().iter().any(|event| matches!(event, Event::Disconnect { .. })));
}

/// The store had it before the driver was asked for it, and something was pushed under it since.
#[test]
fn the_id_it_has_is_no_new_one() {
    let mut stage = with_a_past();
    stage.replica.handle_new_replica(stage.now, NEW);
    stage.connect();
    stage.hear(subscribed(3, 0));
    stage.hear_entries(&[entry(3, NEW, 1, 3, &[added(3, "x")])]);
    stage.forget();
    stage.replica.handle_new_replica(stage.now, NEW);
    assert_eq!((stage.events(), stage.pending()), (vec![], vec![2]));
}

/// A server restored from a backup has forgotten numbers whose mutations are not here any more.
#[test]
fn numbers_that_the_log_lacks_and_nobody_has_any_more_need_a_new_id() {
    for (accepted, is_needed) in [(0, true), (1, true), (2, false), (3, false)] {
        for after_a_gap in [false, true] {
            let mut stage = with_a_past();
            stage.replica.handle_closed(stage.now, None);
            stage.connect();
            if after_a_gap {
                stage.hear(subscribed(9, 2));
                stage.hear(refused(3, "gap"));
                assert_eq!(stage.copy().held(), None, "it may have come late");
                stage.wait_ms(1_000);
                assert_eq!(stage.sent().last().map(|frame| frame["type"].clone()), Some(json!("subscribe")));
            }
            stage.hear(subscribed(9, accepted));
            let asked = stage.events().contains(&Event::NewReplicaNeeded);
            assert_eq!(asked, is_needed, "{accepted}, {after_a_gap}");
            assert_eq!(stage.copy().held().is_some(), is_needed, "{accepted}, {after_a_gap}");
        }
    }
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "x")]).expect("fine");
    stage.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "x")])]);
    stage.hear(subscribed(9, 0));
    assert!(!stage.events().contains(&Event::NewReplicaNeeded), "nobody waits for a number");
}
