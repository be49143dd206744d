//! The feed: a book's changes for any WebSocket tool.

use serde_json::{Value, json};

use crate::person::Person;
use crate::raw::{Closed, FEED, Raw};
use crate::says::{contact, fresh, someone, someone_of, transaction, with};
use crate::server::TestServer;

/// A feed whose handshake says who it is.
pub(crate) async fn open(person: &Person, query: &str) -> Raw {
    let bearer = person.bearer();
    let headers = [("authorization", bearer.as_str()), ("sec-websocket-protocol", FEED)];
    Raw::open(person.address, &format!("/ws{query}"), &headers).await.expect("an open socket").0
}

#[tokio::test]
async fn a_created_contact_is_told_like_this() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let mut feed = open(&mira, &format!("?book={}", book.id)).await;
    assert_eq!(feed.frame().await, json!({"type": "ready", "seq": 1}));
    let ana = fresh();
    let entry = device.write(&[with(contact(&ana, "Ana"), &json!({"phone": "+81"}))]).await;
    let expected = json!({
        "type": "contact_created",
        "data": {
            "id": ana, "name": "Ana", "phone": "+81", "balance": 0, "balances": {}, "deleted": false, "seq": 2,
        },
        "seq": 2, "i": 0, "of": 1, "at": entry.value["at"], "by": {"id": mira.id, "name": "Mira"},
    });
    assert_eq!(feed.frame().await, expected);

    // What is rejected is not told; what is told next is the next change.
    device.write(&[contact(&fresh(), "")]).await;
    let lunch = with(transaction(&ana, "gave", 2050, "EUR"), &json!({"due": "2026-12-01"}));
    let entry = device.write(&[lunch.clone(), transaction(&ana, "got", 300, "JPY")]).await;
    let frame = feed.frame().await;
    let expected = json!({
        "type": "transaction_created",
        "data": {
            "id": lunch["id"], "contact": ana, "direction": "gave", "amount": 2050, "currency": "EUR",
            "date": "2026-11-22", "due": "2026-12-01", "deleted": false, "seq": 4,
            "contact_balances": {"EUR": 2050, "JPY": -300},
        },
        "seq": 4, "i": 0, "of": 2, "at": entry.value["at"], "by": {"id": mira.id, "name": "Mira"},
    });
    assert_eq!(frame, expected);
    let second = feed.frame().await;
    assert_eq!([&second["seq"], &second["i"], &second["of"]], [&json!(4), &json!(1), &json!(2)]);
    assert_eq!(second["data"]["contact_balances"], json!({"EUR": 2050, "JPY": -300}));
}

/// `data` is the record as it stands: told late, a contact has the balance it has now.
#[tokio::test]
async fn what_is_told_late_is_told_as_it_stands() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let ana = fresh();
    device.write(&[contact(&ana, "Ana")]).await;
    device.write(&[transaction(&ana, "gave", 700, "EUR"), transaction(&ana, "got", 9, "USD")]).await;
    device.write(&[transaction(&ana, "got", 200, "EUR"), transaction(&ana, "gave", 9, "USD")]).await;
    let mut feed = open(&mira, &format!("?book={}&after=1", book.id)).await;
    let data = feed.frame_of("contact_created").await["data"].clone();
    assert_eq!((&data["balance"], &data["balances"]), (&json!(500), &json!({"EUR": 500})));
}

#[tokio::test]
async fn a_book_from_its_beginning() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut feed = open(&mira, &format!("?book={}&after=0", book.id)).await;
    assert_eq!(feed.frame().await, json!({"type": "ready", "seq": 1}));
    let created = feed.frame().await;
    assert_eq!((&created["type"], &created["i"], &created["of"]), (&json!("book_created"), &json!(0), &json!(2)));
    assert_eq!(created["data"], json!({"id": book.id, "name": "Harbour Street", "currency": "EUR"}));
    let added = feed.frame().await;
    assert_eq!((&added["type"], &added["i"], &added["of"]), (&json!("member_added"), &json!(1), &json!(2)));
    assert_eq!(added["data"], json!({"user": {"id": mira.id, "name": "Mira"}, "role": "owner"}));
}

/// Feeds that begin while others write: everything since `after`, each change once, in order.
#[tokio::test]
async fn after_and_live_meet_without_a_gap() {
    const WRITES: u64 = 120;
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut writer = mira.device(&book).await;
    let writing = tokio::spawn(async move {
        for _ in 0..WRITES {
            writer.write(&[someone(), someone()]).await;
        }
    });
    let mut feeds = tokio::task::JoinSet::new();
    for round in 0..16 {
        // From the head on by name, from the beginning, or from nowhere: live only.
        let head = mira.head(&book).await;
        let after = [None, Some(1), Some(head)][round % 3];
        let query = after.map_or_else(String::new, |after| format!("&after={after}"));
        let mut feed = open(&mira, &format!("?book={}{query}", book.id)).await;
        feeds.spawn(async move {
            let ready = feed.frame().await["seq"].as_u64().expect("a seq");
            let first = after.unwrap_or(ready) + 1;
            let expected: Vec<(u64, u64)> = (first..=WRITES + 1).flat_map(|seq| [(seq, 0), (seq, 1)]).collect();
            let mut got = Vec::new();
            while got.len() < expected.len() {
                let frame = feed.frame().await;
                assert_eq!(frame["of"], 2);
                got.push((frame["seq"].as_u64().expect("a seq"), frame["i"].as_u64().expect("a place")));
            }
            assert_eq!(got, expected, "after {after:?}");
        });
    }
    writing.await.expect("every write enters");
    while let Some(followed) = feeds.join_next().await {
        followed.expect("no gap, no repeat");
    }
}

#[tokio::test]
async fn a_feed_says_who_it_is_in_one_of_three_ways() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let path = format!("/ws?book={}", book.id);
    let (bearer, cookie) = (mira.bearer(), mira.cookie());
    let ready = json!({"type": "ready", "seq": 1});
    for header in [("authorization", bearer.as_str()), ("cookie", cookie.as_str())] {
        // Also where no subprotocol is named.
        for subprotocol in [None, Some(("sec-websocket-protocol", FEED))] {
            let headers: Vec<_> = [header].into_iter().chain(subprotocol).collect();
            let (mut feed, _) = Raw::open(mira.address, &path, &headers).await.expect("an open socket");
            assert_eq!(feed.frame().await, ready, "{headers:?}");
        }
    }
    let (mut feed, _) = Raw::open(mira.address, &path, &[]).await.expect("an open socket");
    feed.send(&json!({"token": mira.token})).await;
    assert_eq!(feed.frame().await, ready);
}

#[tokio::test]
async fn a_feed_for_nobody_ends() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let path = format!("/ws?book={}", book.id);
    let cases = [
        (json!({"token": "0".repeat(64)}), ("unauthenticated", 4401)),
        (json!({"token": ""}), ("unauthenticated", 4401)),
        (json!({"token": 7}), ("malformed", 4400)),
        (json!({}), ("malformed", 4400)),
        (json!("hello"), ("malformed", 4400)),
    ];
    for (first, (code, close)) in cases {
        let (mut feed, _) = Raw::open(mira.address, &path, &[]).await.expect("an open socket");
        feed.send(&first).await;
        assert_eq!(feed.error().await, (code.to_owned(), Some(close)), "{first}");
    }
}

/// It need not be waited for: what stands in the header is all there is to know.
#[tokio::test]
async fn a_wrong_token_in_the_header_is_told_at_once() {
    let (_server, mira) = TestServer::with_mira().await;
    for stated in ["Bearer nope", "Basic x"] {
        let (mut raw, _) = Raw::open(mira.address, "/ws", &[("authorization", stated)]).await.expect("an open socket");
        assert_eq!(raw.error().await, ("unauthenticated".to_owned(), Some(4401)), "{stated}");
    }
}

#[tokio::test]
async fn without_a_name_it_is_the_oldest_book() {
    let (_server, mira) = TestServer::with_mira().await;
    assert_eq!(open(&mira, "").await.error().await, ("not_found".into(), Some(4403)));
    let first = mira.book("First").await;
    mira.book("Second").await;
    let mut feed = open(&mira, "?after=0").await;
    assert_eq!(feed.frame().await["type"], "ready");
    assert_eq!(feed.frame().await["data"]["id"], first.id);
}

/// A feed only speaks; a reader that stops for a while then reads on without a gap.
#[tokio::test]
async fn a_reader_that_pauses_misses_nothing() {
    const WRITES: u64 = 40;
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let bearer = mira.bearer();
    let path = format!("/ws?book={}", book.id);
    let mut feed = Raw::open_narrow(mira.address, &path, &[("authorization", &bearer)]).await.expect("an open socket");
    feed.send_text("what is said here is passed over").await;
    assert_eq!(feed.frame().await["type"], "ready");
    for _ in 1..=WRITES {
        let ops: Vec<Value> = (0..10).map(|_| someone_of(11_900)).collect();
        device.write(&ops).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 10 * usize::try_from(WRITES).expect("few") {
        let frame = feed.frame().await;
        seen.push((frame["seq"].as_u64().expect("a seq"), frame["i"].as_u64().expect("a place")));
    }
    assert_eq!(seen, (2..=WRITES + 1).flat_map(|seq| (0..10).map(move |i| (seq, i))).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_book_that_is_no_id_ends_the_handshake() {
    let (_server, mira) = TestServer::with_mira().await;
    let bearer = mira.bearer();
    let opened = Raw::open(mira.address, "/ws?book=harbour", &[("authorization", &bearer)]).await;
    match opened {
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => {
            assert_eq!(response.status(), 400);
            assert_eq!(response.headers()["content-type"], "application/problem+json");
        }
        Err(other) => panic!("{other}"),
        Ok((mut raw, _)) => {
            let (frames, Closed(code)) = raw.rest().await;
            panic!("{frames:?} {code:?}");
        }
    }
}
