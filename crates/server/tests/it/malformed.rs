//! Frames that are none: each ends its own socket with the code that says why, and touches nothing else.

use serde_json::json;

use crate::person::Person;
use crate::raw::Raw;
use crate::says::{fresh, mutation, push, someone, subscribe, with};
use crate::server::TestServer;

enum Frame {
    Text(String),
    Binary(Vec<u8>),
}

async fn ending(mira: &Person, frame: &Frame) -> (String, Option<u16>) {
    let mut raw: Raw = mira.welcomed(&fresh()).await;
    match frame {
        Frame::Text(text) => raw.send_text(text.clone()).await,
        Frame::Binary(bytes) => raw.send_binary(bytes.clone()).await,
    }
    raw.error().await
}

#[tokio::test]
async fn each_says_why_and_harms_nobody_else() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut bystander = mira.device(&book).await;
    bystander.write(&[someone()]).await;
    let before = mira.snapshot(&book).await;

    let good = mutation(1, &[someone()]);
    let pushing = |mutation| push(&book, &[mutation]).to_string();
    let text = |text: &str| Frame::Text(text.to_owned());
    let padded =
        |bytes: usize| Frame::Text(format!(r#"{{"type":"presence","book":"{}"}}{}"#, book.id, " ".repeat(bytes)));
    let (malformed, too_large) = (("malformed", 4400), ("too_large", 4413));
    let cases = [
        (text(""), malformed),
        (text("{"), malformed),
        (text("null"), malformed),
        (text("7"), malformed),
        (text("[]"), malformed),
        (text("{}"), malformed),
        (text(r#"{"type":7}"#), malformed),
        (text(r#"{"type":"shout"}"#), malformed),
        (text(r#"{"type":"subscribe","type":"push"}"#), malformed),
        (text(r#"{"type":"unsubscribe"}"#), malformed),
        (Frame::Text("[".repeat(100_000)), malformed),
        (Frame::Text(format!(r#"{{"type":"presence","book":{}"#, "[".repeat(200_000))), malformed),
        (Frame::Text(with(subscribe(&book.id), &json!({"book": "harbour"})).to_string()), malformed),
        (Frame::Text(with(subscribe(&book.id), &json!({"book": book.id.to_uppercase()})).to_string()), malformed),
        (Frame::Text(with(subscribe(&book.id), &json!({"after": -1})).to_string()), malformed),
        (Frame::Text(with(subscribe(&book.id), &json!({"after": 1.5})).to_string()), malformed),
        (Frame::Text(with(subscribe(&book.id), &json!({"after": "0"})).to_string()), malformed),
        (Frame::Text(with(subscribe(&book.id), &json!({"after": 1})).to_string()), malformed),
        (Frame::Text(with(subscribe(&book.id), &json!({"after": 1, "hash": "00"})).to_string()), malformed),
        (Frame::Text(with(subscribe(&book.id), &json!({"pending_from": -1})).to_string()), malformed),
        (Frame::Text(pushing(json!({}))), malformed),
        (Frame::Text(pushing(json!(null))), malformed),
        (Frame::Text(pushing(with(good.clone(), &json!({"id": 7})))), malformed),
        (Frame::Text(pushing(with(good.clone(), &json!({"n": -1})))), malformed),
        (Frame::Text(pushing(with(good.clone(), &json!({"n": "1"})))), malformed),
        (Frame::Text(pushing(with(good.clone(), &json!({"base": null})))), malformed),
        (Frame::Text(pushing(with(good.clone(), &json!({"ops": {}})))), malformed),
        (Frame::Text(with(push(&book, &[]), &json!({"epoch": 1})).to_string()), malformed),
        (Frame::Text(with(push(&book, &[]), &json!({"mutations": {}})).to_string()), malformed),
        (Frame::Text(format!("{}x", pushing(good.clone()))), malformed),
        (Frame::Binary(pushing(good.clone()).into_bytes()), malformed),
        (Frame::Binary(Vec::new()), malformed),
        (padded(300_000), too_large),
        (padded(600_000), too_large),
        (Frame::Binary(vec![0; 600_000]), too_large),
    ];
    for (index, (frame, (code, close))) in cases.iter().enumerate() {
        let shown = match frame {
            Frame::Text(text) => text.chars().take(200).collect(),
            Frame::Binary(bytes) => format!("{} bytes", bytes.len()),
        };
        assert_eq!(ending(&mira, frame).await, ((*code).to_owned(), Some(*close)), "case {index}: {shown}");
    }

    assert_eq!(mira.snapshot(&book).await, before);
    let next = bystander.write(&[someone()]).await;
    assert_eq!(next.seq(), before["seq"].as_u64().expect("a seq") + 1);
}

/// Both sides of 256 KiB.
#[tokio::test]
async fn a_frame_has_at_most_256_kib() {
    let (_server, mira) = TestServer::with_mira().await;
    let bare = with(subscribe(&fresh()), &json!({"padding": ""})).to_string();
    for (bytes, fits) in [(262_144, true), (262_145, false)] {
        let padding = "x".repeat(bytes - bare.len());
        let frame = bare.replace(r#""padding":"""#, &format!(r#""padding":"{padding}""#));
        assert_eq!(frame.len(), bytes);
        let mut raw = mira.welcomed(&fresh()).await;
        raw.send_text(frame).await;
        if fits {
            assert_eq!(raw.frame().await["type"], "role");
        } else {
            assert_eq!(raw.error().await, ("too_large".into(), Some(4413)));
        }
    }
}

/// Newer clients may say more; what they add is ignored.
#[tokio::test]
async fn unknown_fields_change_nothing() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let op = with(someone(), &json!({"colour": "blue"}));
    let mutation = with(mutation(1, &[op]), &json!({"mood": {"deep": [1]}}));
    device.raw.send(&with(push(&book, std::slice::from_ref(&mutation)), &json!({"urgent": true}))).await;
    let entry = device.fates(&[mutation]).await.remove(0).entry();
    assert!(!entry.bytes.contains("colour") && !entry.bytes.contains("mood"), "{}", entry.bytes);
    assert_eq!(entry.value["changes"][0]["type"], "contact_created");
}
