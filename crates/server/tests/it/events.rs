//! The feed as server-sent events.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::feed;
use crate::says::{contact, fresh, someone};
use crate::server::TestServer;
use crate::stage::Stage;
use crate::stream::{Event, Events};

/// The same frames as over a socket; `id` is the seq and stands on an entry's last frame only.
#[tokio::test]
async fn events_are_the_feeds_frames() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let mut events = Events::open(&mira, &book.path("/feed"), &[]).await;
    assert_eq!(events.next().await, Some(Event { id: None, data: json!({"type": "ready", "seq": 1}) }));
    let mut socket = feed::open(&mira, &format!("?book={}", book.id)).await;
    socket.frame_of("ready").await;
    device.write(&[someone()]).await;
    // A text that would end an event, were it not JSON.
    device.write(&[someone(), contact(&fresh(), "data: x"), someone()]).await;
    let ids = [Some("2"), None, None, Some("3")];
    for id in ids {
        let event = events.next().await.expect("an event");
        assert_eq!((event.id.as_deref(), event.data), (id, socket.frame().await));
    }
}

/// From `after`, or from the id a browser says it has, which is the later word.
#[tokio::test]
async fn a_stream_resumes_where_it_broke() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    for _ in 0..3 {
        device.write(&[someone(), someone()]).await;
    }
    let cases: [(&str, Option<&str>, u64); 5] = [
        ("?after=0", None, 1),
        ("?after=2", None, 3),
        ("", Some("3"), 4),
        ("?after=1", Some("3"), 4),
        ("?after=3", Some("x"), 4),
    ];
    for (query, last_id, first) in cases {
        let header = last_id.map(|id| ("last-event-id", id));
        let headers: Vec<_> = header.into_iter().collect();
        let mut events = Events::open(&mira, &book.path(&format!("/feed{query}")), &headers).await;
        assert_eq!(events.data().await["type"], "ready");
        let mut seen = Vec::new();
        while seen.last() != Some(&(4, 1)) {
            let data = events.data().await;
            seen.push((data["seq"].as_u64().expect("a seq"), data["i"].as_u64().expect("a place")));
        }
        let expected: Vec<(u64, u64)> = (first..=4).flat_map(|seq| [(seq, 0), (seq, 1)]).collect();
        assert_eq!(seen, expected, "{query} {last_id:?}");
    }
    for query in ["?after=x", "?after=-1"] {
        assert_eq!(
            mira.get(&book.path(&format!("/feed{query}"))).await.problem(),
            (400, "malformed".into()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let phone = mira.sign_in().await;
    let mut ending = Events::open(&phone, &book.path("/feed"), &[]).await;
    let mut staying = Events::open(&mira, &book.path("/feed"), &[]).await;
    for events in [&mut ending, &mut staying] {
        assert_eq!(events.data().await["type"], "ready");
    }
    assert_eq!(phone.ask(Method::DELETE, "/api/v1/sessions/current", None).await.status, 204);
    let since = Instant::now();
    ending.rest().await;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    mira.device(&book).await.write(&[someone()]).await;
    assert_eq!(staying.data().await["type"], "contact_created");
}

/// Nothing of the book follows the entry that removes its reader, also where much is still to be told.
#[tokio::test]
async fn a_stream_ends_with_its_membership() {
    let stage = Stage::new().await;
    let Stage { mira, jonas, book, .. } = &stage;
    let mut events = Events::open(jonas, &book.path("/feed"), &[]).await;
    assert_eq!(events.data().await["type"], "ready");
    assert_eq!(mira.remove(jonas, book).await.status, 204);
    mira.device(book).await.write(&[contact(&fresh(), "The canary")]).await;
    let told: Vec<Value> = events.rest().await.into_iter().map(|event| event.data).collect();
    assert!(!json!(told).to_string().contains("canary"), "{told:?}");
}

#[tokio::test]
async fn a_stream_ends_when_the_server_stops() {
    let (server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut events = Events::open(&mira, &book.path("/feed"), &[]).await;
    assert_eq!(events.data().await["type"], "ready");
    let stopping = server.stop();
    let since = Instant::now();
    events.rest().await;
    stopping.finished().await;
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
}
