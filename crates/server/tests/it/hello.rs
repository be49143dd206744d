//! Hello and welcome: how a socket learns whom it speaks to, and how it ends where it does not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::raw::{FEED, Raw, SYNC};
use crate::says::{fresh, hello, subscribe, with};
use crate::server::TestServer;

#[tokio::test]
async fn a_welcome_says_who_and_how_much() {
    let (_server, mira) = TestServer::with_mira().await;
    let mut raw = mira.silent().await;
    raw.send(&hello(&fresh(), Some(&mira.token))).await;
    let welcome = raw.frame().await;
    assert_eq!((&welcome["type"], &welcome["protocol"]), (&json!("welcome"), &json!(1)));
    assert_eq!(welcome["user"], json!({"id": mira.id, "name": "Mira"}));
    assert!(welcome["server_at"].as_u64().expect("a time") > 1_700_000_000_000, "{welcome}");
    let limits = json!({
        "frame_up_bytes": 262_144, "frame_down_bytes": 1_048_576, "mutation_bytes": 131_072, "mutation_ops": 1000,
    });
    assert_eq!(welcome["limits"], limits);
}

#[tokio::test]
async fn the_handshake_may_have_said_already_who_it_is() {
    let (_server, mira) = TestServer::with_mira().await;
    let own = format!("http://{}", mira.address);
    let (bearer, cookie) = (mira.bearer(), mira.cookie());
    let cases: [&[(&str, &str)]; 3] =
        [&[("authorization", &bearer)], &[("cookie", &cookie)], &[("cookie", &cookie), ("origin", &own)]];
    for headers in cases {
        let headers: Vec<_> = headers.iter().copied().chain([("sec-websocket-protocol", SYNC)]).collect();
        let (mut raw, _) = Raw::open(mira.address, "/ws", &headers).await.expect("an open socket");
        raw.send(&hello(&fresh(), None)).await;
        assert_eq!(raw.frame().await["user"]["id"], mira.id, "{headers:?}");
    }
}

/// Each on a socket of its own: the first frame, the error's code and the close code.
#[tokio::test]
async fn a_hello_that_is_none_ends_the_socket() {
    let (_server, mira) = TestServer::with_mira().await;
    let good = hello(&fresh(), Some(&mira.token));
    let without = |field: &str| {
        let mut hello = good.clone();
        hello.as_object_mut().expect("an object").remove(field);
        hello
    };
    let other_end = if mira.token.ends_with('0') { '1' } else { '0' };
    let almost = format!("{}{other_end}", &mira.token[..63]);
    let cases: [(Value, &str, u16); 14] = [
        (subscribe(&fresh()), "unauthenticated", 4401),
        (json!({"type": "push", "book": fresh(), "epoch": fresh(), "mutations": []}), "unauthenticated", 4401),
        (json!({"type": "presence", "book": fresh()}), "unauthenticated", 4401),
        (without("token"), "unauthenticated", 4401),
        (with(good.clone(), &json!({"token": ""})), "unauthenticated", 4401),
        (with(good.clone(), &json!({"token": "0".repeat(64)})), "unauthenticated", 4401),
        (with(good.clone(), &json!({"token": almost})), "unauthenticated", 4401),
        (with(good.clone(), &json!({"token": mira.token.to_uppercase()})), "unauthenticated", 4401),
        (with(good.clone(), &json!({"protocol": 2})), "unsupported_protocol", 4400),
        (with(good.clone(), &json!({"protocol": 0})), "unsupported_protocol", 4400),
        (with(good.clone(), &json!({"protocol": "1"})), "malformed", 4400),
        (with(good.clone(), &json!({"replica": "me"})), "malformed", 4400),
        (without("replica"), "malformed", 4400),
        (without("protocol"), "malformed", 4400),
    ];
    for (first, code, close) in cases {
        let mut raw = mira.silent().await;
        raw.send(&first).await;
        assert_eq!(raw.error().await, (code.to_owned(), Some(close)), "{first}");
    }
    // And the same with nothing wrong in it is welcome.
    let mut raw = mira.silent().await;
    raw.send(&good).await;
    assert_eq!(raw.frame().await["type"], "welcome");
}

#[tokio::test]
async fn hello_is_said_once() {
    let (_server, mira) = TestServer::with_mira().await;
    let replica = fresh();
    let mut raw = mira.welcomed(&replica).await;
    raw.send(&hello(&replica, Some(&mira.token))).await;
    assert_eq!(raw.error().await, ("malformed".into(), Some(4400)));
}

/// Both kinds of socket give a caller five seconds to say who it is.
#[tokio::test]
async fn who_says_nothing_is_closed_after_five_seconds() {
    let (_server, mira) = TestServer::with_mira().await;
    let silent = async |subprotocol: &'static str| {
        let headers = [("sec-websocket-protocol", subprotocol)];
        let began = Instant::now();
        let (mut raw, _) = Raw::open(mira.address, "/ws", &headers).await.expect("an open socket");
        (raw.error().await, began.elapsed())
    };
    let ended = tokio::join!(silent(SYNC), silent(FEED));
    for (error, after) in [ended.0, ended.1] {
        assert_eq!(error, ("too_slow".into(), Some(4408)));
        assert!((Duration::from_millis(4900)..Duration::from_secs(8)).contains(&after), "{after:?}");
    }
}
