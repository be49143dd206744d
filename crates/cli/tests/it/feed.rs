//! `tidebook feed`: a book's changes as JSON lines.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::timeout;

use crate::program::{Place, run};
use crate::raw::PATIENCE;
use crate::says::{contact, fresh};

#[tokio::test]
async fn each_change_is_a_line() {
    let place = Place::new().await;
    let book = place.mira.book("Harbour Street").await;
    let mut device = place.mira.device(&book).await;
    // By name and by id.
    for named in ["Harbour Street", &book.id] {
        let head = place.mira.head(&book).await;
        let after = (head - 1).to_string();
        let mut child =
            place.signed(&["feed", named, "--after", &after]).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut next = async || -> Value {
            let line = timeout(PATIENCE, lines.next_line()).await.expect("a line").expect("text").expect("no end");
            serde_json::from_str(&line).expect("JSON")
        };
        assert_eq!(next().await, json!({"type": "ready", "seq": head}));
        while next().await["seq"] != head {}
        let mut seen = Vec::new();
        for name in ["Ana", "Jürgen \"東京\""] {
            let entry = device.write(&[contact(&fresh(), name)]).await;
            loop {
                let frame = next().await;
                if frame["seq"] == entry.seq() {
                    assert_eq!((&frame["type"], &frame["data"]["name"]), (&json!("contact_created"), &json!(name)));
                    seen.push(frame["seq"].clone());
                    break;
                }
            }
        }
        assert_eq!(seen.len(), 2);
        child.kill().await.expect("it still follows");
    }
}

#[tokio::test]
async fn a_book_has_to_be_known_and_one() {
    let place = Place::new().await;
    for name in ["Quay", "Quay", "Harbour Street"] {
        place.mira.book(name).await;
    }
    let unknown = fresh();
    for (named, said) in [("Nowhere", "Harbour Street"), (unknown.as_str(), "Harbour Street"), ("Quay", "2 books")] {
        let ran = run(&mut place.signed(&["feed", named]), "").await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{named}");
        assert!(ran.err.contains(said), "{named}: {}", ran.err);
    }
}

/// A server that goes away ends the feed with what it said, after everything that came.
#[tokio::test]
async fn it_ends_with_the_server() {
    let place = Place::new().await;
    place.mira.book("Harbour Street").await;
    let mut command = place.signed(&["feed", "Harbour Street"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let first = lines.next_line().await.expect("text").expect("a first line");
    assert_eq!(serde_json::from_str::<Value>(&first).expect("JSON"), json!({"type": "ready", "seq": 1}));
    place.serving.signal("TERM").await;
    let last = lines.next_line().await.expect("text").expect("a last line");
    assert!(last.contains("drain"), "{last}");
    let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").expect("its output");
    assert_eq!(output.status.code(), Some(1));
}
