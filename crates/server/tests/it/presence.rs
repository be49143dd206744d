//! Who is in a book now: shown to all who follow it, kept nowhere.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::person::{Book, Person};
use crate::raw::Raw;
use crate::says::{fresh, subscribe};
use crate::server::TestServer;

/// A socket of a replica that follows the book, with what a subscription begins with read.
async fn follower(person: &Person, book: &Book) -> (Raw, String) {
    let replica = fresh();
    let mut raw = person.welcomed(&replica).await;
    raw.send(&subscribe(&book.id)).await;
    raw.frame_of("entries").await;
    (raw, replica)
}

fn looking(book: &Book, viewing: &Value, editing: &Value) -> Value {
    json!({"type": "presence", "book": book.id, "viewing": viewing, "editing": editing})
}

/// The replicas in the next list that names so many.
async fn until_count(raw: &mut Raw, count: usize) -> Vec<Value> {
    loop {
        let list = raw.frame_of("presence").await;
        if list["count"] == count {
            return list["peers"].as_array().expect("peers").clone();
        }
    }
}

#[tokio::test]
async fn a_peer_is_seen_with_what_it_looks_at_and_vanishes_when_it_goes() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let (mut watching, _) = follower(&mira, &book).await;
    let (mut present, replica) = follower(&mira, &book).await;
    let contact = json!({"kind": "contact", "id": fresh()});
    let editing = json!({"kind": "contact", "id": fresh(), "field": "note"});
    present.send(&looking(&book, &contact, &editing)).await;
    let peers = until_count(&mut watching, 1).await;
    let since = peers[0]["since_at"].as_u64().expect("a time");
    let expected =
        json!({"replica": replica, "user": mira.id, "viewing": contact, "editing": editing, "since_at": since});
    assert_eq!(peers, [expected]);

    present.send(&looking(&book, &json!({"kind": "book"}), &Value::Null)).await;
    let peers = until_count(&mut watching, 1).await;
    assert_eq!((&peers[0]["viewing"], &peers[0]["editing"]), (&json!({"kind": "book"}), &Value::Null));
    assert_eq!(peers[0]["since_at"], since);

    // Who comes later is told once.
    let (mut later, _) = follower(&mira, &book).await;
    assert_eq!(until_count(&mut later, 1).await.len(), 1);

    let gone_at = Instant::now();
    drop(present);
    assert!(until_count(&mut watching, 0).await.is_empty());
    assert!(gone_at.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn who_leaves_the_book_or_is_removed_is_not_shown() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let (mut watching, _) = follower(&mira, &book).await;
    let (mut present, _) = follower(&mira, &book).await;
    present.send(&looking(&book, &Value::Null, &Value::Null)).await;
    until_count(&mut watching, 1).await;
    present.send(&json!({"type": "unsubscribe", "book": book.id})).await;
    until_count(&mut watching, 0).await;
    // Who does not follow a book is not present in it.
    present.send(&looking(&book, &Value::Null, &Value::Null)).await;
    present.send(&subscribe(&book.id)).await;
    present.frame_of("entries").await;
    present.send(&looking(&book, &Value::Null, &Value::Null)).await;
    assert_eq!(until_count(&mut watching, 1).await.len(), 1);
}

#[tokio::test]
async fn whoever_is_hung_up_on_is_not_shown() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let (mut watching, _) = follower(&mira, &book).await;
    let (mut present, _) = follower(&mira, &book).await;
    present.send(&looking(&book, &json!({"kind": "book"}), &Value::Null)).await;
    until_count(&mut watching, 1).await;
    present.send(&json!({"type": 7})).await;
    until_count(&mut watching, 0).await;
}

#[tokio::test]
async fn lists_come_at_most_four_times_a_second() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let (mut watching, _) = follower(&mira, &book).await;
    let (mut present, _) = follower(&mira, &book).await;
    let begun = Instant::now();
    for number in 0..200 {
        present.send(&looking(&book, &json!({"kind": "contact", "id": number}), &Value::Null)).await;
    }
    let mut lists = 0;
    loop {
        let list = watching.frame_of("presence").await;
        lists += 1;
        if list["peers"][0]["viewing"]["id"] == 199 {
            break;
        }
    }
    let most = 2 + u128::from(lists as u32 > 2) * begun.elapsed().as_millis() / 250;
    assert!(lists <= most, "{lists} lists in {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_dead_line_is_noticed() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let (mut watching, _) = follower(&mira, &book).await;
    // It is never read from again, so it answers no ping; and it stays open.
    let (mut silent, _) = follower(&mira, &book).await;
    silent.send(&looking(&book, &Value::Null, &Value::Null)).await;
    let said_at = Instant::now();
    until_count(&mut watching, 1).await;
    until_count(&mut watching, 0).await;
    assert!(said_at.elapsed() < Duration::from_secs(15));
    drop(silent);
}

#[tokio::test]
async fn what_is_no_small_object_is_refused() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    for wrong in [json!("contact"), json!([1]), json!(7), json!({"kind": "x".repeat(512)})] {
        for message in [looking(&book, &wrong, &Value::Null), looking(&book, &Value::Null, &wrong)] {
            let (mut raw, _) = follower(&mira, &book).await;
            raw.send(&message).await;
            let (frames, closed) = raw.rest().await;
            assert_eq!(frames.last().map(|frame| &frame["code"]), Some(&json!("malformed")), "{message}");
            assert_eq!(closed.0, Some(4400));
        }
    }
}
