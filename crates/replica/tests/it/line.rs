//! The line: coming up, staying up, going down, and when to try again.

use expect_test::expect;
use serde_json::{Value, json};
use tidebook_replica::{Event, Monotonic, SyncStatus};

use crate::checklist::add;
use crate::stage::{BOOK, Stage, subscribed, welcome};

/// The longest first wait of the back-off.
const FIRST_WAIT_MS: u64 = 300;

fn frame(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_line_comes_up_with_hello_and_then_the_subscriptions() {
    let mut stage = Stage::new();
    assert_eq!(stage.replica.poll_timeout(), Some(Monotonic(0)), "the first attempt is due at once");
    stage.wait_ms(0);
    assert_eq!(stage.events(), [Event::Connect]);
    assert_eq!(stage.replica.poll_timeout(), None, "the driver is at work");
    assert!(stage.sent().is_empty());

    stage.replica.handle_opened(stage.now);
    let hello = stage.replica.poll_transmit(stage.now).expect("hello");
    expect![[r#"{"type":"hello","protocol":1,"replica":"00000000-0000-0000-0000-000000000001","client":"test/1","token":"secret"}"#]].assert_eq(&hello);
    assert!(stage.sent().is_empty(), "nothing else before the welcome");
    assert_eq!(stage.replica.poll_timeout(), Some(stage.now.plus_ms(10_000)));

    stage.hear(welcome());
    let subscribe = stage.replica.poll_transmit(stage.now).expect("subscribe");
    expect![[r#"{"type":"subscribe","book":"00000000-0000-0000-0000-00000000000b","epoch":null,"after":0}"#]]
        .assert_eq(&subscribe);
    assert!(stage.sent().is_empty());
    assert_eq!(stage.replica.poll_timeout(), Some(stage.now.plus_ms(15_000)));

    stage.hear(subscribed(0, 0));
    assert_eq!(stage.replica.poll_timeout(), None);
    assert_eq!(stage.events(), [Event::People { book: BOOK }]);
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::Synced);
}

#[test]
fn a_book_opened_on_a_live_line_is_subscribed_at_once_and_only_once() {
    let mut stage = Stage::live();
    stage.replica.open_book(BOOK);
    assert!(stage.sent().is_empty());
    let another = tidebook_book::BookId(uuid::Uuid::from_u128(0xbb));
    stage.replica.open_book(another);
    let sent = stage.sent();
    assert_eq!((&sent[0]["type"], &sent[0]["book"], sent.len()), (&json!("subscribe"), &json!(another), 1));
    assert!(stage.replica.close_book(another));
    assert_eq!(stage.sent(), [json!({ "type": "unsubscribe", "book": another })]);
}

#[test]
fn a_server_that_does_not_answer_the_hello_is_left() {
    let mut stage = Stage::new();
    stage.wait_ms(0);
    stage.replica.handle_opened(stage.now);
    stage.forget();
    stage.wait_ms(9_999);
    assert_eq!(stage.events(), []);
    stage.wait_ms(1);
    assert!(matches!(&*stage.events(), [Event::Disconnect { .. }]));
    assert!(stage.sent().is_empty());
}

/// The cookie of whoever signed in last goes with every line.
#[test]
fn nothing_is_said_on_a_line_that_speaks_for_somebody_else() {
    let mut stage = Stage::new();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.replica.connect_now(stage.now);
    stage.replica.handle_opened(stage.now);
    stage.forget();
    let mut somebody_else = welcome();
    somebody_else["user"]["id"] = json!(uuid::Uuid::from_u128(0xaa));
    stage.hear(somebody_else);
    assert!(matches!(&*stage.events(), [Event::Disconnect { .. }, Event::SignedOut]));
    stage.hear(json!({ "type": "role", "book": BOOK, "role": null }));
    stage.replica.handle_closed(stage.now, None);
    assert_eq!((stage.sent(), stage.replica.poll_timeout()), (vec![], None));
    assert_eq!((stage.pending(), stage.copy().is_removed()), (vec![1], false));
}

#[test]
fn no_wait_that_a_server_names_is_endless() {
    let mut stage = Stage::live();
    stage.hear(json!({ "type": "drain", "retry_after_ms": u64::MAX }));
    assert!(stage.replica.poll_timeout().expect("another attempt") <= stage.now.plus_ms(600_000));
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    let mut refused = crate::stage::refused(1, "rate_limited");
    refused["retry_after_ms"] = json!(u64::MAX);
    stage.hear(refused);
    assert_eq!(stage.replica.poll_timeout(), Some(stage.now.plus_ms(600_000)));
}

#[test]
fn a_closed_line_is_tried_again_after_a_wait_that_grows_until_one_is_of_use() {
    let mut stage = Stage::live();
    let mut longest = 0;
    for attempt in 0..20 {
        stage.replica.handle_closed(stage.now, None);
        let due = stage.replica.poll_timeout().expect("another attempt");
        let wait = due.0 - stage.now.0;
        assert!(attempt > 0 || wait <= FIRST_WAIT_MS, "{wait}");
        assert!(wait <= 15_000, "{wait}");
        longest = longest.max(wait);
        stage.forget();
        if wait > 0 {
            stage.wait_ms(wait - 1);
            assert_eq!(stage.events(), [], "not before its time");
        }
        stage.wait_ms(due.0 - stage.now.0);
        assert_eq!(stage.events(), [Event::Connect]);
    }
    assert!(longest > 5_000);

    let mut wait_after = |frames: &[Value]| {
        stage.replica.handle_opened(stage.now);
        frames.iter().for_each(|frame| stage.hear(frame.clone()));
        stage.replica.handle_closed(stage.now, Some(1006));
        let due = stage.replica.poll_timeout().expect("another attempt");
        let wait = due.0 - stage.now.0;
        stage.wait_ms(wait);
        wait
    };
    let longest = (0..20).map(|_| wait_after(&[welcome()])).max();
    assert!(longest > Some(5_000), "a server that says welcome and fails is left in peace: {longest:?}");
    assert!(wait_after(&[welcome(), subscribed(0, 0)]) <= FIRST_WAIT_MS, "one that answers is not overloaded");
}

#[test]
fn a_line_without_books_is_of_use_with_its_welcome() {
    let mut stage = Stage::new();
    assert!(stage.replica.close_book(BOOK));
    for _ in 0..20 {
        stage.connect();
        stage.replica.handle_closed(stage.now, None);
        let due = stage.replica.poll_timeout().expect("another attempt");
        assert!(due.0 - stage.now.0 <= FIRST_WAIT_MS);
    }
}

#[test]
fn what_still_comes_over_a_line_that_was_given_up_is_nothing() {
    let mut stage = Stage::live();
    stage.hear(json!({ "type": "drain", "retry_after_ms": 60_000 }));
    let due = stage.replica.poll_timeout();
    stage.forget();
    for frame in [welcome(), subscribed(0, 0), json!({ "type": 7 })] {
        stage.hear(frame);
        stage.hear_entries(&[crate::stage::others(1, &[])]);
        assert_eq!((stage.events(), stage.seq().0, stage.replica.poll_timeout()), (vec![], 0, due));
        assert!(stage.sent().is_empty());
    }
}

#[test]
fn a_drain_says_within_what_time_to_come_back() {
    let mut waits = Vec::new();
    let mut stage = Stage::live();
    for _ in 0..20 {
        stage.hear(json!({ "type": "drain", "retry_after_ms": 60_000 }));
        assert!(matches!(&*stage.events(), [Event::Disconnect { .. }]));
        let due = stage.replica.poll_timeout().expect("another attempt");
        stage.replica.handle_closed(stage.now, Some(1012));
        assert_eq!(stage.replica.poll_timeout(), Some(due), "the close that follows changes nothing");
        let wait = due.0 - stage.now.0;
        assert!(wait <= 60_000);
        waits.push(wait);
        stage.wait_ms(wait);
        assert!(stage.events().contains(&Event::Connect));
        stage.connect();
        stage.forget();
    }
    assert!(waits.iter().any(|wait| *wait > 30_000) && waits.iter().any(|wait| *wait < 30_000), "{waits:?}");
}

#[test]
fn a_session_that_ended_is_not_tried_again_until_someone_says_so() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.forget();
    stage.hear(json!({ "type": "error", "code": "unauthenticated", "detail": "sign in first" }));
    stage.replica.handle_closed(stage.now, Some(4401));
    assert!(matches!(&*stage.events(), [Event::ServerError { .. }, Event::SignedOut]));
    assert_eq!(stage.replica.poll_timeout(), None);
    stage.replica.handle_timeout(stage.now.plus_ms(1_000_000_000));
    assert_eq!(stage.events(), []);
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk", vec![1]), "nothing is lost");
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::Offline(1));

    for code in [None, Some(1006), Some(4401)] {
        stage.replica.handle_closed(stage.now, code);
        assert_eq!((stage.replica.poll_timeout(), stage.events()), (None, vec![]), "closed once more with {code:?}");
    }
    stage.replica.connect_now(stage.now);
    assert_eq!(stage.events(), [Event::Connect]);
    stage.replica.handle_closed(stage.now, Some(4401));
    assert_eq!(stage.events(), [Event::SignedOut], "and said anew for each line");
}

#[test]
fn connecting_now_does_nothing_to_a_line_that_is_coming_up_or_live() {
    let mut stage = Stage::new();
    stage.replica.connect_now(stage.now);
    assert_eq!(stage.events(), [Event::Connect]);
    stage.replica.connect_now(stage.now);
    stage.replica.handle_opened(stage.now);
    stage.replica.connect_now(stage.now);
    stage.hear(welcome());
    stage.replica.connect_now(stage.now);
    assert_eq!(stage.events(), []);
}

#[test]
fn what_was_to_be_sent_on_a_line_is_not_sent_on_the_next() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.replica.handle_closed(stage.now, None);
    assert!(stage.sent().is_empty());
    stage.mutate(2, &[add(2, "tea")]).expect("fine");
    assert!(stage.sent().is_empty(), "nowhere to send it");
    stage.connect();
    let types: Vec<Value> = stage.sent().iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(types, ["hello", "subscribe"]);
    stage.mutate(3, &[add(3, "jam")]).expect("fine");
    assert!(stage.sent().is_empty(), "a push waits for the answer");
    stage.hear(subscribed(0, 0));
    assert_eq!(stage.pushed(), [1, 2, 3]);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Nothing,
    StartsOver,
    Disconnects,
}

#[test]
fn frames_a_replica_cannot_use() {
    use Then::{Disconnects, Nothing, StartsOver};
    let about_another_book = subscribed(3, 0).to_string().replace("00000000b", "00000000c");
    let of_tomorrow = json!({
        "type": "entries", "book": BOOK,
        "entries": [crate::stage::others(1, &[json!({ "type": "item_folded", "id": 1 })])],
    });
    let cases = [
        (r#"{"type":"tomorrow"}"#, Nothing),
        (r#"{"type":"presence","book":"00000000-0000-0000-0000-00000000000b","peers":[],"count":0}"#, Nothing),
        (&*about_another_book, Nothing),
        (r#"{"type":"entries","book":"00000000-0000-0000-0000-00000000000b","entries":[]}"#, Nothing),
        (r#"{"type":"entries","book":"00000000-0000-0000-0000-00000000000c","entries":[{"no":"entry"}]}"#, Nothing),
        (r#"{"type":"entries","book":"00000000-0000-0000-0000-00000000000b","entries":[{"no":"entry"}]}"#, StartsOver),
        (r#"{"type":"fates","book":"00000000-0000-0000-0000-00000000000b","entries":[{"no":"entry"}]}"#, StartsOver),
        (&*of_tomorrow.to_string(), StartsOver),
        (r#"{"type":"subscribed"}"#, Disconnects),
        (r#"{"type":7}"#, Disconnects),
        ("[]", Disconnects),
        ("{", Disconnects),
        ("", Disconnects),
    ];
    for (text, expected) in cases {
        let mut stage = Stage::live();
        stage.mutate(1, &[add(1, "milk")]).expect("fine");
        stage.forget();
        stage.replica.handle_text(stage.now, text);
        let then = match &*stage.events() {
            [] => Nothing,
            [Event::FetchSnapshot { book: BOOK }] => StartsOver,
            [Event::Disconnect { .. }] => Disconnects,
            more => panic!("{text}: {more:?}"),
        };
        assert_eq!(then, expected, "{text}");
        assert_eq!(stage.copy().contradictions().count, u32::from(then == StartsOver), "{text}");
        assert_eq!((stage.view().as_str(), stage.pending(), stage.seq().0), ("milk", vec![1], 0), "{text}");
    }
    let with_a_future = frame(r#"{"type":"drain","retry_after_ms":5,"future":{"x":[]}}"#);
    let mut stage = Stage::live();
    stage.hear(with_a_future);
    assert!(stage.replica.poll_timeout().is_some());
}

#[test]
fn the_status_says_where_a_book_stands() {
    let mut stage = Stage::new();
    let status = |stage: &Stage| stage.replica.sync_status(BOOK);
    assert_eq!(status(&stage), SyncStatus::Offline(0));
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    assert_eq!(status(&stage), SyncStatus::Offline(1));
    stage.connect();
    assert_eq!(status(&stage), SyncStatus::Saving(1));
    stage.hear(subscribed(2, 0));
    assert_eq!(status(&stage), SyncStatus::Saving(1));
    stage.hear_entries(&[crate::stage::others(1, &[])]);
    stage.hear_entries(&[crate::stage::entry(2, crate::stage::ME, 1, 1, &[crate::stage::added(1, "milk")])]);
    assert_eq!(status(&stage), SyncStatus::Synced);
    stage.hear(subscribed(3, 1));
    assert_eq!(status(&stage), SyncStatus::Saving(0), "an entry is still to come");
    stage.hear_entries(&[crate::stage::others(3, &[])]);
    assert_eq!(status(&stage), SyncStatus::Synced);
    stage.replica.handle_closed(stage.now, None);
    assert_eq!(status(&stage), SyncStatus::Offline(0));
}
