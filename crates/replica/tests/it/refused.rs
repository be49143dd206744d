//! Refusals: the outbox waits as it is, for a moment or for a person.

use serde_json::json;
use tidebook_replica::SyncStatus;

use crate::checklist::add;
use crate::stage::{BOOK, Stage, refused, subscribed};

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
        assert_eq!(stage.replica.poll_timeout(), None);
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

#[test]
fn what_time_does_not_heal_is_held_and_shown() {
    let codes = ["forked", "replica_taken", "not_a_member", "read_only", "archived", "unknown_op", "of_tomorrow"];
    for code in codes {
        let mut stage = with_two_pushed();
        stage.hear(refused(1, code));
        stage.hear(refused(2, "gap"));
        assert_eq!(stage.replica.book(BOOK).expect("open").held(), Some("because"), "{code}");
        assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::NeedsAttention(1), "{code}");
        assert_eq!(stage.replica.poll_timeout(), None, "{code}: the gap only follows from it");
        stage.mutate(3, &[add(3, "x")]).expect("it can still be written");
        assert!(stage.sent().is_empty(), "{code}");
        assert_eq!(stage.pending(), [1, 2, 3], "{code}");

        stage.replica.handle_closed(stage.now, None);
        stage.connect();
        stage.forget();
        stage.hear(subscribed(0, 0));
        assert_eq!(stage.replica.book(BOOK).expect("open").held(), None, "{code}");
        assert_eq!(stage.pushed(), [1, 2, 3], "{code}: another line, another try");
    }
}

#[test]
fn another_history_is_asked_for_at_once() {
    let mut stage = with_two_pushed();
    stage.hear(refused(1, "wrong_epoch"));
    let sent = stage.sent();
    assert_eq!((sent.len(), &sent[0]["type"]), (1, &json!("subscribe")));
    assert_eq!(stage.pending(), [1, 2]);
}

#[test]
fn a_role_that_is_gone_holds_the_outbox() {
    let mut stage = with_two_pushed();
    stage.hear(json!({ "type": "role", "book": BOOK, "role": null }));
    let copy = stage.replica.book(BOOK).expect("open");
    assert!(copy.held().is_some() && copy.role().is_none());
    stage.mutate(3, &[add(3, "x")]).expect("it can still be written");
    assert!(stage.sent().is_empty());
    assert_eq!(stage.pending(), [1, 2, 3]);
}

#[test]
fn a_refusal_in_a_book_that_is_not_open_is_nothing() {
    let mut stage = with_two_pushed();
    let mut frame = refused(1, "gap");
    frame["book"] = json!(uuid::Uuid::from_u128(0xbb));
    stage.hear(frame);
    assert_eq!(stage.replica.poll_timeout(), None);
}
