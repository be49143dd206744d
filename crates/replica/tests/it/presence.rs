//! Who is in a book: heard, said, and forgotten with the line.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tidebook_book::{BookId, ReplicaId};
use tidebook_replica::Event;
use uuid::Uuid;

use crate::stage::{ANA, BOOK, ME, OTHER, Stage, required, subscribed};

const ELSEWHERE: BookId = BookId(Uuid::from_u128(0xbb));

fn peer(replica: ReplicaId) -> Value {
    json!({ "replica": replica, "user": ANA, "viewing": { "kind": "book" }, "editing": null, "since_at": 7 })
}

fn list(peers: &[ReplicaId]) -> Value {
    let peers: Vec<Value> = peers.iter().map(|replica| peer(*replica)).collect();
    json!({ "type": "presence", "book": BOOK, "count": peers.len(), "peers": peers })
}

fn raw(value: &Value) -> Option<Box<RawValue>> {
    (!value.is_null()).then(|| RawValue::from_string(value.to_string()).expect("JSON"))
}

impl Stage {
    fn show(&mut self, book: BookId, viewing: &Value, editing: &Value) {
        self.replica.show(book, raw(viewing), raw(editing));
    }

    fn peers(&self) -> Vec<ReplicaId> {
        self.copy().peers().iter().map(|peer| peer.replica).collect()
    }
}

fn said(book: BookId, viewing: &Value, editing: &Value) -> Value {
    json!({ "type": "presence", "book": book, "viewing": viewing, "editing": editing })
}

fn item() -> Value {
    json!({ "kind": "item", "id": 1 })
}

#[test]
fn the_last_list_stands_without_the_replica_itself() {
    let mut stage = Stage::live();
    stage.hear(list(&[ME]));
    assert_eq!((stage.peers(), stage.events()), (vec![], vec![]), "nobody came and nobody went");
    stage.hear(list(&[ME, OTHER]));
    assert_eq!((stage.peers(), stage.events()), (vec![OTHER], vec![Event::Presence { book: BOOK }]));
    let seen = &stage.copy().peers()[0];
    assert_eq!(
        (seen.user, seen.since_at.0, seen.viewing.as_ref().map(|it| it.get())),
        (ANA, 7, Some("{\"kind\":\"book\"}"))
    );
    stage.hear(list(&[ME]));
    assert_eq!((stage.peers(), stage.events()), (vec![], vec![Event::Presence { book: BOOK }]));
}

#[test]
fn a_list_is_kept_up_to_its_bound() {
    let mut stage = Stage::live();
    for (sent, kept) in [(64, 64), (65, 64)] {
        let peers: Vec<ReplicaId> = (100..100 + sent).map(|number| ReplicaId(Uuid::from_u128(number))).collect();
        stage.hear(list(&peers));
        assert_eq!(stage.peers().len(), kept);
    }
}

#[test]
fn without_a_line_nobody_is_there() {
    let closed = |stage: &mut Stage| stage.replica.handle_closed(stage.now, None);
    let drained = |stage: &mut Stage| stage.hear(json!({ "type": "drain", "retry_after_ms": 0 }));
    for lose in [closed, drained] {
        let mut stage = Stage::live();
        stage.hear(list(&[OTHER]));
        stage.forget();
        lose(&mut stage);
        assert!(stage.events().contains(&Event::Presence { book: BOOK }));
        assert!(stage.peers().is_empty());
        stage.connect();
        stage.hear(subscribed(0, 0));
        stage.forget();
        assert!(stage.peers().is_empty(), "until the next list");
    }
}

#[test]
fn who_is_removed_sees_nobody() {
    let mut stage = Stage::live();
    stage.hear(list(&[OTHER]));
    stage.hear(json!({ "type": "role", "book": BOOK, "role": null }));
    assert!(stage.peers().is_empty());
    stage.forget();
    stage.hear(list(&[OTHER]));
    assert_eq!((stage.peers(), stage.events()), (vec![], vec![]));
}

#[test]
fn where_the_person_is_is_said_when_it_changes() {
    let mut stage = Stage::live();
    stage.show(BOOK, &item(), &Value::Null);
    assert_eq!(stage.sent(), [said(BOOK, &item(), &Value::Null)]);
    stage.show(BOOK, &item(), &Value::Null);
    assert!(stage.sent().is_empty(), "it is known");
    stage.show(BOOK, &item(), &item());
    assert_eq!(stage.sent(), [said(BOOK, &item(), &item())]);
}

#[test]
fn it_is_said_once_the_book_is_followed_and_again_on_each_line() {
    let mut stage = Stage::new();
    stage.show(BOOK, &item(), &Value::Null);
    for _ in 0..2 {
        stage.connect();
        let types: Vec<Value> = stage.sent().iter().map(|frame| frame["type"].clone()).collect();
        assert_eq!(types, ["hello", "subscribe"], "who does not follow a book is not heard there");
        stage.hear(subscribed(0, 0));
        assert_eq!(stage.sent(), [said(BOOK, &item(), &Value::Null)]);
        stage.replica.handle_closed(stage.now, None);
    }
}

#[test]
fn it_waits_while_the_book_starts_over() {
    let mut stage = Stage::welcome();
    stage.hear(required(9));
    stage.show(BOOK, &item(), &Value::Null);
    assert!(stage.sent().is_empty());
}

#[test]
fn who_goes_to_another_book_takes_their_leave() {
    let mut stage = Stage::live();
    stage.replica.open_book(ELSEWHERE);
    stage.show(BOOK, &item(), &Value::Null);
    stage.forget();
    stage.show(ELSEWHERE, &item(), &Value::Null);
    assert_eq!(stage.sent(), [said(BOOK, &Value::Null, &Value::Null)], "the other is not followed yet");
    let mut frame = subscribed(0, 0);
    frame["book"] = json!(ELSEWHERE);
    stage.hear(frame);
    assert_eq!(stage.sent(), [said(ELSEWHERE, &item(), &Value::Null)]);
    stage.hear(subscribed(0, 0));
    assert!(stage.sent().is_empty(), "in the first book there is nothing to say any more");
}

#[test]
fn who_is_dropped_from_the_list_says_it_again() {
    let mut stage = Stage::live();
    stage.show(BOOK, &item(), &Value::Null);
    stage.forget();
    stage.hear(list(&[OTHER]));
    assert!(stage.sent().is_empty(), "the list was on its way already");
    stage.hear(list(&[ME, OTHER]));
    assert!(stage.sent().is_empty());
    // Another tab spoke last, and was closed.
    stage.hear(list(&[OTHER]));
    assert_eq!(stage.sent(), [said(BOOK, &item(), &Value::Null)]);
    stage.hear(list(&[OTHER]));
    assert!(stage.sent().is_empty(), "once");
    // In a crowd the list does not name everybody.
    stage.hear(list(&[ME, OTHER]));
    let mut crowd = list(&[OTHER]);
    crowd["count"] = json!(65);
    stage.hear(crowd);
    assert!(stage.sent().is_empty());
}

/// What this window said was forgotten while its line was quiet, and another spoke for their replica.
#[test]
fn who_is_nowhere_since_another_window_left_says_it_again() {
    let mut stage = Stage::live();
    stage.show(BOOK, &item(), &Value::Null);
    stage.hear(list(&[ME, OTHER]));
    stage.forget();
    let mut elsewhere = list(&[ME, OTHER]);
    elsewhere["peers"][0]["viewing"] = Value::Null;
    stage.hear(elsewhere.clone());
    assert_eq!(stage.sent(), [said(BOOK, &item(), &Value::Null)]);
    stage.hear(elsewhere);
    assert!(stage.sent().is_empty(), "once");
}

#[test]
fn who_is_nowhere_in_the_book_is_not_shown_there() {
    let mut stage = Stage::live();
    let mut frame = list(&[OTHER]);
    frame["peers"][0]["viewing"] = Value::Null;
    stage.hear(frame);
    assert_eq!((stage.peers(), stage.events()), (vec![], vec![]));
}

#[test]
fn after_a_subscription_nobody_is_there_until_the_server_says_so() {
    let mut stage = Stage::live();
    stage.hear(list(&[OTHER]));
    stage.forget();
    stage.hear(subscribed(0, 0));
    assert_eq!(stage.peers(), []);
    assert!(stage.events().contains(&Event::Presence { book: BOOK }));
}
