//! How sockets end: with their session, and with the server.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::person::Person;
use crate::raw::{Closed, Raw, SYNC};
use crate::says::{fresh, hello, mutation, push, someone, someone_of, subscribe};
use crate::server::TestServer;

/// Sockets of every kind that one session can have: hello with a token, with a cookie, with a header; and feeds.
async fn sockets_of(person: &Person, book: &str) -> Vec<Raw> {
    let (bearer, cookie) = (person.bearer(), person.cookie());
    let mut sockets = vec![person.welcomed(&fresh()).await];
    for header in [("cookie", cookie.as_str()), ("authorization", bearer.as_str())] {
        let headers = [header, ("sec-websocket-protocol", SYNC)];
        let (mut raw, _) = Raw::open(person.address, "/ws", &headers).await.expect("an open socket");
        raw.send(&hello(&fresh(), None)).await;
        assert_eq!(raw.frame().await["type"], "welcome");
        sockets.push(raw);
    }
    for raw in &mut sockets {
        raw.send(&subscribe(book)).await;
        raw.frame_of("entries").await;
    }
    let path = format!("/ws?book={book}");
    for header in [("cookie", cookie.as_str()), ("authorization", bearer.as_str())] {
        let (mut feed, _) = Raw::open(person.address, &path, &[header]).await.expect("an open socket");
        assert_eq!(feed.frame().await["type"], "ready");
        sockets.push(feed);
    }
    let (mut feed, _) = Raw::open(person.address, &path, &[]).await.expect("an open socket");
    feed.send(&json!({"token": person.token})).await;
    assert_eq!(feed.frame().await["type"], "ready");
    sockets.push(feed);
    sockets
}

#[tokio::test]
async fn sockets_end_with_their_session_and_no_others() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let phone = mira.sign_in().await;
    let ending = sockets_of(&phone, &book.id).await;
    let mut staying = sockets_of(&mira, &book.id).await;

    let began = Instant::now();
    assert_eq!(phone.ask(Method::DELETE, "/api/v1/sessions/current", None).await.status, 204);
    for mut raw in ending {
        assert_eq!(raw.error().await, ("unauthenticated".into(), Some(4401)));
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());

    mira.device(&book).await.write(&[someone()]).await;
    for raw in &mut staying {
        let frame = raw.frame().await;
        assert!(["entries", "contact_created"].contains(&frame["type"].as_str().expect("a type")), "{frame}");
    }
    // And the token opens nothing any more.
    let mut raw = phone.silent().await;
    raw.send(&hello(&fresh(), Some(&phone.token))).await;
    assert_eq!(raw.error().await, ("unauthenticated".into(), Some(4401)));
    assert_eq!(phone.get("/api/v1/books").await.problem(), (401, "unauthenticated".into()));
}

#[tokio::test]
async fn another_device_can_end_a_session() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let phone = mira.sign_in().await;
    let mut sockets = sockets_of(&phone, &book.id).await;
    let sessions = mira.get("/api/v1/sessions").await.json();
    let items = sessions["items"].as_array().expect("a list");
    let other = items.iter().find(|item| item["current"] == false).expect("the phone's");
    let path = format!("/api/v1/sessions/{}", other["id"].as_str().expect("an id"));
    assert_eq!(mira.ask(Method::DELETE, &path, None).await.status, 204);
    for raw in &mut sockets {
        assert_eq!(raw.error().await, ("unauthenticated".into(), Some(4401)));
    }
}

/// A socket that is far behind and reads slowly ends with its session all the same: it gets no more than what was on
/// its way.
#[tokio::test]
async fn a_socket_that_lags_ends_with_its_session_too() {
    const BULKY: u64 = 120;
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let phone = mira.sign_in().await;
    let mut writer = mira.device(&book).await;
    for _ in 0..BULKY {
        let ops: Vec<Value> = (0..10).map(|_| someone_of(11_900)).collect();
        writer.write(&ops).await;
    }

    let headers = [("sec-websocket-protocol", SYNC)];
    let mut lagging = Raw::open_narrow(mira.address, "/ws", &headers).await.expect("an open socket");
    lagging.send(&hello(&fresh(), Some(&phone.token))).await;
    lagging.send(&subscribe(&book.id)).await;
    lagging.frame_of("people").await;
    assert_eq!(phone.ask(Method::DELETE, "/api/v1/sessions/current", None).await.status, 204);
    let (frames, Closed(code)) = lagging.rest().await;
    let seqs = frames.iter().filter_map(|frame| frame["entries"].as_array()).flatten().count();
    assert!(seqs < BULKY as usize, "all {seqs} entries came after the session had ended; closed with {code:?}");
}

/// The same on the feed.
#[tokio::test]
async fn a_feed_that_lags_ends_with_its_session_too() {
    const BULKY: usize = 120;
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let phone = mira.sign_in().await;
    let mut writer = mira.device(&book).await;
    for _ in 0..BULKY {
        let ops: Vec<Value> = (0..10).map(|_| someone_of(11_900)).collect();
        writer.write(&ops).await;
    }
    let (path, bearer) = (format!("/ws?book={}&after=1", book.id), phone.bearer());
    let mut lagging = Raw::open_narrow(mira.address, &path, &[("authorization", &bearer)]).await.expect("a socket");
    lagging.frame_of("contact_created").await;
    assert_eq!(phone.ask(Method::DELETE, "/api/v1/sessions/current", None).await.status, 204);
    let (frames, Closed(code)) = lagging.rest().await;
    let told = frames.iter().filter(|frame| frame["type"] == "contact_created").count();
    assert!(told < 10 * BULKY - 1, "all {told} changes came after the session had ended; closed with {code:?}");
}

#[tokio::test]
async fn a_server_that_stops_says_when_to_come_back() {
    let (server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let sockets = sockets_of(&mira, &book.id).await;
    let silent = mira.silent().await;
    let stopping = server.stop();
    for mut raw in sockets.into_iter().chain([silent]) {
        let (frames, closed) = raw.rest().await;
        assert_eq!(closed, Closed(Some(1012)), "{frames:?}");
        assert_eq!(frames.len(), 1, "{frames:?}");
        assert_eq!(frames[0]["type"], "drain");
        let retry_after_ms = frames[0]["retry_after_ms"].as_u64().expect("a time");
        assert!((1..=60_000).contains(&retry_after_ms), "{frames:?}");
    }
    stopping.finished().await;
}

/// What was acknowledged before the end is there after it, and nothing else.
#[tokio::test]
async fn a_stop_in_the_middle_of_writing_loses_nothing() {
    let (server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let (acks, mut acked) = tokio::sync::mpsc::unbounded_channel();
    let writing = tokio::spawn(async move {
        let mutations: Vec<Value> = (1..=400).map(|n| mutation(n, &[someone()])).collect();
        for mutation in &mutations {
            device.raw.send(&push(&device.book, std::slice::from_ref(mutation))).await;
        }
        while let Ok(text) = device.raw.text().await {
            for entry in crate::raw::entries_of(&text) {
                drop(acks.send(entry));
            }
        }
    });
    let mut kept = vec![acked.recv().await.expect("a first answer")];
    let stopping = server.stop();
    while let Some(entry) = acked.recv().await {
        kept.push(entry);
    }
    writing.await.expect("the socket ends");
    let server = stopping.restarted().await;
    let mira = mira.at(server.address);
    let log = mira.log(&book).await;
    for entry in &kept {
        let place = usize::try_from(entry.seq()).expect("a small seq") - 1;
        assert_eq!(log.get(place), Some(entry));
    }
    assert!(log.len() > kept.len());
}
