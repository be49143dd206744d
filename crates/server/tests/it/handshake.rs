//! The handshake: who may open a socket, and which conversation it is for.

use reqwest::Method;

use crate::person::{Answer, Person};
use crate::raw::{FEED, SYNC};
use crate::server::TestServer;

/// What a handshake with these headers is answered with.
async fn knock(person: &Person, path: &str, headers: &[(&str, &str)]) -> Answer {
    let socket = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    // An upgraded line has no body that would end, so only the head is waited for.
    let mut request = reqwest::Client::new().get(format!("http://{}{path}", person.address));
    for (name, value) in socket.iter().chain(headers) {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = if status == 101 { String::new() } else { response.text().await.expect("a body") };
    Answer { status, headers, body }
}

#[tokio::test]
async fn only_the_servers_own_origins_may_open_a_socket() {
    let (_server, mira) = TestServer::with_mira().await;
    let port = mira.address.port();
    let other = if port == 65535 { 1024 } else { port + 1 };
    let own = (101, "");
    let foreign = (403, "origin");
    let cases = [
        (format!("http://127.0.0.1:{port}"), own),
        (format!("http://localhost:{port}"), own),
        (format!("http://[::1]:{port}"), own),
        ("null".into(), foreign),
        ("https://evil.example".into(), foreign),
        (format!("http://evil.localhost:{port}"), foreign),
        (format!("http://localhost:{port}.evil.example"), foreign),
        (format!("http://localhost:{port}@evil.example"), foreign),
        (format!("http://localhost:{port}0"), foreign),
        (format!("http://localhost:{other}"), foreign),
        ("http://localhost".into(), foreign),
        (format!("https://localhost:{port}"), foreign),
        (format!("http://localhost:{port}/"), foreign),
    ];
    for (origin, expected) in cases {
        for subprotocol in [SYNC, FEED] {
            // A person's own cookie opens no door to another page.
            let cookie = mira.cookie();
            let headers =
                [("origin", origin.as_str()), ("sec-websocket-protocol", subprotocol), ("cookie", cookie.as_str())];
            let (status, code) = knock(&mira, "/ws", &headers).await.problem();
            assert_eq!((status, code.as_str()), expected, "{origin} {subprotocol}");
        }
    }
    // A program says no origin; one that says its own twice is not a browser.
    assert_eq!(knock(&mira, "/ws", &[]).await.status, 101);
    let own = format!("http://127.0.0.1:{port}");
    assert_eq!(knock(&mira, "/ws", &[("origin", &own), ("origin", &own)]).await.problem(), (403, "origin".into()));
}

#[tokio::test]
async fn a_host_header_proves_nothing() {
    let (_server, mira) = TestServer::with_mira().await;
    let headers = [("host", "evil.example"), ("origin", "http://evil.example")];
    assert_eq!(knock(&mira, "/ws", &headers).await.problem(), (403, "origin".into()));
}

#[tokio::test]
async fn the_subprotocol_says_which_conversation_it_is() {
    let (_server, mira) = TestServer::with_mira().await;
    let cases: [(&[&str], _, Option<&str>); 9] = [
        (&[], 101, None),
        (&[SYNC], 101, Some(SYNC)),
        (&[FEED], 101, Some(FEED)),
        (&["tidebook.feed.v1, tidebook.sync.v1"], 101, Some(FEED)),
        (&["graphql-ws, tidebook.sync.v1"], 101, Some(SYNC)),
        (&["graphql-ws", SYNC], 101, Some(SYNC)),
        (&["graphql-ws"], 400, None),
        (&["tidebook.sync.v2"], 400, None),
        (&["TIDEBOOK.SYNC.V1"], 400, None),
    ];
    for (named, status, answered) in cases {
        let headers: Vec<(&str, &str)> = named.iter().map(|name| ("sec-websocket-protocol", *name)).collect();
        let answer = knock(&mira, "/ws", &headers).await;
        assert_eq!(answer.status, status, "{named:?}");
        assert_eq!(answer.header("sec-websocket-protocol"), answered, "{named:?}");
        if status == 400 {
            assert_eq!(answer.problem(), (400, "malformed".into()), "{named:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_told_so() {
    let (_server, mira) = TestServer::with_mira().await;
    let plain = mira.call(Method::GET, "/ws", &[], None).await;
    assert_eq!(plain.problem(), (426, "upgrade_required".into()));
    let posted = mira.call(Method::POST, "/ws", &[], None).await;
    assert!([405, 426].contains(&posted.status), "{}", posted.status);
}
