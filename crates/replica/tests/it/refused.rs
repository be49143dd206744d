//! Refusals: the outbox waits as it is, for a moment or for a person.

use serde_json::json;
use tidebook_protocol::Refusal;
use tidebook_replica::{Held, SyncStatus};

use crate::checklist::add;
use crate::stage::{ANA, BOOK, Stage, refused, subscribed};

/// Two mutations pushed and nothing heard of them.
fn with_two_pushed() -> Stage {
    let mut stage = Stage::live();
    for n in 1..=2 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    assert_eq!(stage.pushed(), [1, 2]);
    stage.forget();
    stage
}

fn refused_for(n: u64, code: &str, retry_after_ms: u64) -> serde_json::Value {
    let mut frame = refused(n, code);
    frame["retry_after_ms"] = json!(retry_after_ms);
    frame
}

#[test]
fn what_time_heals_is_offered_again_after_it() {
    let cases = [
        (vec![refused(1, "gap")], 1_000),
        (vec![refused(1, "unavailable"), refused(2, "unavailable")], 1_000),
        (vec![refused(1, "rate_limited")], 1_000),
        (vec![refused_for(1, "rate_limited", 30_000)], 30_000),
        (vec![refused_for(1, "rate_limited", 30_000), refused(2, "gap")], 30_000),
        (vec![refused(1, "gap"), refused_for(2, "rate_limited", 30_000)], 30_000),
        (vec![refused_for(1, "unavailable", 200), refused(2, "gap")], 200),
    ];
    for (frames, wait_ms) in cases {
        let mut stage = with_two_pushed();
        for frame in &frames {
            stage.hear(frame.clone());
        }
        assert_eq!(stage.replica.poll_timeout(), Some(stage.now.plus_ms(wait_ms)), "{frames:?}");
        assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::Saving(2));
        assert!(stage.sent().is_empty());
        stage.wait_ms(wait_ms);
        let sent = stage.sent();
        assert_eq!((sent.len(), &sent[0]["type"]), (1, &json!("subscribe")), "first ask what the log has: {frames:?}");
        assert_eq!(stage.replica.poll_timeout(), Some(stage.now.plus_ms(15_000)), "only the answer is due");
        stage.hear(subscribed(0, 0));
        assert_eq!(stage.pushed(), [1, 2], "{frames:?}");
        assert_eq!((stage.view().as_str(), stage.pending()), ("x x", vec![1, 2]));
    }
}

#[test]
fn a_gap_does_not_put_off_what_is_planned() {
    let mut stage = with_two_pushed();
    stage.hear(refused(1, "gap"));
    let due = stage.replica.poll_timeout();
    stage.wait_ms(900);
    stage.hear(refused(2, "gap"));
    assert_eq!(stage.replica.poll_timeout(), due, "else someone who types would never be heard");
}

/// Each code that holds the outbox.
const HOLDING: [(&str, Refusal); 7] = [
    ("forked", Refusal::Forked),
    ("replica_taken", Refusal::ReplicaTaken),
    ("not_a_member", Refusal::NotAMember),
    ("read_only", Refusal::ReadOnly),
    ("archived", Refusal::Archived),
    ("unknown_op", Refusal::UnknownOp),
    ("of_tomorrow", Refusal::Other),
];

#[test]
fn what_time_does_not_heal_is_held_and_shown() {
    for (code, expected) in HOLDING {
        let mut stage = with_two_pushed();
        stage.hear(refused(1, code));
        stage.hear(refused(2, "gap"));
        let held = Held { code: expected, detail: "because".into() };
        assert_eq!(stage.copy().held(), Some(&held), "{code}");
        assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::NeedsAttention(1), "{code}");
        assert_eq!(stage.replica.poll_timeout(), None, "{code}: the gap only follows from it");
        stage.mutate(3, &[add(3, "x")]).expect("it can still be written");
        assert!(stage.sent().is_empty(), "{code}");
        assert_eq!(stage.pending(), [1, 2, 3], "{code}");

        stage.replica.handle_closed(stage.now, None);
        stage.connect();
        stage.forget();
        stage.hear(subscribed(0, 0));
        let needs_new_replica = ["forked", "replica_taken"].contains(&code);
        assert_eq!(stage.copy().held().is_some(), needs_new_replica, "{code}");
        let pushed: &[u64] = if needs_new_replica { &[] } else { &[1, 2, 3] };
        assert_eq!(stage.pushed(), pushed, "{code}: another line, another try");
    }
}

#[test]
fn a_person_can_ask_for_another_try_on_the_same_line() {
    let mut stage = with_two_pushed();
    stage.hear(refused(1, "archived"));
    stage.replica.subscribe_again(BOOK);
    assert_eq!(stage.sent()[0]["type"], "subscribe");
    stage.hear(subscribed(0, 0));
    assert_eq!((stage.pushed(), stage.copy().held()), (vec![1, 2], None));
}

#[test]
fn a_role_that_may_write_again_lifts_what_was_held_for_the_role() {
    let cases = [
        ("read_only", "editor", true),
        ("read_only", "owner", true),
        ("read_only", "viewer", false),
        ("not_a_member", "editor", true),
        ("archived", "owner", false),
        ("unknown_op", "owner", false),
        ("of_tomorrow", "owner", false),
        ("forked", "owner", false),
    ];
    for (code, role, lifts) in cases {
        let others = json!({ "id": uuid::Uuid::from_u128(0xaa), "name": "Ben", "role": "owner" });
        let mine = json!({ "id": ANA, "name": "Ana", "role": role });
        let frames = [
            json!({ "type": "people", "book": BOOK, "people": [others, mine] }),
            json!({ "type": "role", "book": BOOK, "role": role }),
        ];
        for frame in frames {
            let mut stage = with_two_pushed();
            stage.hear(refused(1, code));
            stage.hear(refused(2, "gap"));
            stage.hear(json!({ "type": "people", "book": BOOK, "people": [others] }));
            assert!(stage.copy().held().is_some(), "{code}: of others nothing follows");
            stage.hear(frame);
            assert_eq!(stage.copy().held().is_none(), lifts, "{code}, {role}");
            let pushed: &[u64] = if lifts { &[1, 2] } else { &[] };
            assert_eq!(stage.pushed(), pushed, "{code}, {role}");
        }
    }
}

#[test]
fn another_history_is_asked_for_at_once_but_not_in_a_loop() {
    let mut stage = with_two_pushed();
    stage.hear(refused(1, "wrong_epoch"));
    let sent = stage.sent();
    assert_eq!((sent.len(), &sent[0]["type"]), (1, &json!("subscribe")));
    assert_eq!(stage.pending(), [1, 2]);
    // The server goes on from here, and still does not take it.
    stage.hear(subscribed(0, 0));
    assert_eq!(stage.pushed(), [1, 2]);
    stage.hear(refused(1, "wrong_epoch"));
    assert!(stage.sent().is_empty());
    assert_eq!(stage.replica.poll_timeout(), Some(stage.now.plus_ms(1_000)));
    stage.wait_ms(1_000);
    assert_eq!(stage.sent()[0]["type"], "subscribe");
}

#[test]
fn a_refusal_in_a_book_that_is_not_open_is_nothing() {
    let mut stage = with_two_pushed();
    let due = stage.replica.poll_timeout();
    let mut frame = refused(1, "gap");
    frame["book"] = json!(uuid::Uuid::from_u128(0xbb));
    stage.hear(frame);
    assert_eq!(stage.replica.poll_timeout(), due);
}
