//! The WebSocket itself, frame by frame: what is answered, and what ends it.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::line::{Line, announced, frame};
use crate::person::Answer;
use crate::raw::{Raw, SYNC};
use crate::says::{fresh, hello, someone_of, subscribe};
use crate::server::TestServer;

#[tokio::test]
async fn a_ping_is_answered_also_within_a_message() {
    let (_server, mira) = TestServer::with_mira().await;
    mira.book("Harbour Street").await;
    let mut line = Line::feed(&mira).await;
    line.send(&[frame(0x89, b"one"), frame(0x01, b"some"), frame(0x89, b""), frame(0x80, b"thing")].concat()).await;
    assert_eq!(line.frame().await, Some((0x8a, b"one".to_vec())));
    assert_eq!(line.frame().await, Some((0x8a, vec![])));
    line.send(&frame(0x89, &[7; 125])).await;
    assert_eq!(line.frame().await, Some((0x8a, vec![7; 125])));
}

/// A token that is said before the handshake is answered, and one that comes byte by byte.
#[tokio::test]
async fn frames_may_come_in_any_pieces() {
    let (_server, mira) = TestServer::with_mira().await;
    mira.book("Harbour Street").await;
    let token = frame(0x81, json!({"token": mira.token}).to_string().as_bytes());
    let mut line = Line::open(mira.address, "/ws", "", &token).await;
    assert!(line.frame().await.expect("a frame").1.starts_with(br#"{"type":"ready""#));

    let mut line = Line::open(mira.address, "/ws", "", &token[..3]).await;
    line.stream.set_nodelay(true).expect("a line");
    for byte in &token[3..] {
        line.send(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    assert!(line.frame().await.expect("a frame").1.starts_with(br#"{"type":"ready""#));
}

#[tokio::test]
async fn a_close_is_answered_in_its_own_words() {
    let (_server, mira) = TestServer::with_mira().await;
    mira.book("Harbour Street").await;
    for (said, answered) in [(vec![], None), (vec![3, 232], Some(1000)), (b"\x0f\xa7bye".to_vec(), Some(4007))] {
        let mut line = Line::feed(&mira).await;
        // What comes behind it is not looked at.
        line.send(&[frame(0x88, &said), frame(0x89, b"after"), vec![0xff; 9]].concat()).await;
        assert_eq!(line.closed().await, answered, "{said:?}");
    }
}

#[tokio::test]
async fn what_is_no_websocket_ends_with_the_reason() {
    let (_server, mira) = TestServer::with_mira().await;
    mira.book("Harbour Street").await;
    let cases = [
        ("no mask", vec![0x81, 0x02, b'h', b'i'], 1002),
        ("a reserved bit", frame(0xc1, b"hi"), 1002),
        ("a reserved opcode", frame(0x83, b"hi"), 1002),
        ("a long ping", frame(0x89, &[0; 126]), 1002),
        ("a ping in fragments", frame(0x09, b""), 1002),
        ("a continuation of nothing", frame(0x80, b"hi"), 1002),
        ("half a close code", frame(0x88, &[3]), 1002),
        ("a close code that is none", frame(0x88, &[3, 237]), 1002),
        ("no text", frame(0x81, b"\xff"), 1007),
        ("no text, in fragments", [frame(0x01, b"\xe2\x82"), frame(0x80, b"!")].concat(), 1007),
    ];
    for (name, bytes, code) in cases {
        let mut line = Line::feed(&mira).await;
        // With more behind it than is read.
        line.send(&[bytes, vec![b'x'; 100_000]].concat()).await;
        assert_eq!(line.closed().await, Some(code), "{name}");
    }
}

/// However a message gets beyond the bound, its sender is told so; on both kinds of socket.
#[tokio::test]
async fn a_message_that_does_not_end_is_cut_off() {
    let (_server, mira) = TestServer::with_mira().await;
    mira.book("Harbour Street").await;
    let floods = [
        ("announced", announced(0x81, 1 << 40)),
        ("fragments", [frame(0x01, b"x"), frame(0x00, &[b'x'; 1000]).repeat(600)].concat()),
        ("nothing, often", [frame(0x01, b""), frame(0x00, b"").repeat(100_000)].concat()),
        ("sent whole", frame(0x81, &[b'x'; 2_000_000])),
    ];
    let lines = format!("Authorization: {}\r\n", mira.bearer());
    let sync = format!("Sec-WebSocket-Protocol: {SYNC}\r\n{lines}");
    for (name, bytes) in floods {
        for lines in [&lines, &sync] {
            let mut line = Line::open(mira.address, "/ws", lines, &[]).await;
            line.send(&bytes).await;
            assert_eq!(line.closed().await, Some(4413), "{name} {lines}");
        }
    }
}

/// Who stops reading is let go of after ten seconds, with whatever is still to be said.
#[tokio::test]
async fn who_does_not_read_is_closed_after_ten_seconds() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut watching = mira.welcomed(&fresh()).await;
    watching.send(&subscribe(&book.id)).await;

    let mut stuck = Raw::open_narrow(mira.address, "/ws", &[("sec-websocket-protocol", SYNC)]).await.expect("a socket");
    stuck.send(&hello(&fresh(), Some(&mira.token))).await;
    stuck.send(&subscribe(&book.id)).await;
    stuck.send(&json!({"type": "presence", "book": book.id, "viewing": null, "editing": null})).await;
    let count_is = async |raw: &mut Raw, count: usize| while raw.frame_of("presence").await["count"] != count {};
    count_is(&mut watching, 1).await;
    let mut writer = mira.device(&book).await;
    for _ in 0..60 {
        let ops: Vec<Value> = (0..10).map(|_| someone_of(11_900)).collect();
        writer.write(&ops).await;
    }
    let began = Instant::now();
    count_is(&mut watching, 0).await;
    assert!((Duration::from_secs(5)..Duration::from_secs(14)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

/// RFC 6455, 4.2: what a handshake must have.
#[tokio::test]
async fn a_handshake_is_whole_or_none() {
    let (_server, mira) = TestServer::with_mira().await;
    let knock = async |name: &str, value: Option<&str>| -> Answer {
        let whole = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let mut headers: Vec<(&str, &str)> = whole.into_iter().filter(|(header, _)| *header != name).collect();
        headers.extend(value.map(|value| (name, value)));
        mira.call(Method::GET, "/ws", &headers, None).await
    };
    for (name, value, status) in [
        ("connection", None, 426),
        ("connection", Some("keep-alive"), 426),
        ("upgrade", None, 426),
        ("upgrade", Some("h2c"), 426),
        ("sec-websocket-version", None, 426),
        ("sec-websocket-version", Some("8"), 426),
        ("sec-websocket-key", None, 400),
        ("sec-websocket-key", Some("dGhlIHNhbXBsZQ=="), 400),
        ("sec-websocket-key", Some("no base64"), 400),
    ] {
        let answer = knock(name, value).await;
        let code = if status == 426 { "upgrade_required" } else { "malformed" };
        assert_eq!(answer.problem(), (status, code.into()), "{name} {value:?}");
        assert_eq!(answer.header("sec-websocket-version"), (status == 426).then_some("13"), "{name} {value:?}");
    }
}
