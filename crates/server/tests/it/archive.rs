//! Books put away, books gone for good, and the list of books.

use reqwest::Method;
use serde_json::{Value, json};

use crate::feed;
use crate::person::{Answer, Book, Person};
use crate::says::{contact, fresh, mutation, someone, subscribe, transaction};
use crate::server::TestServer;
use crate::stage::Stage;
use crate::stream::Events;

async fn archive(person: &Person, book: &Book) -> Answer {
    person.ask(Method::DELETE, &book.path(""), None).await
}

async fn purge(person: &Person, book: &Book) -> Answer {
    person.ask(Method::DELETE, &book.path("?purge=true"), None).await
}

#[tokio::test]
async fn an_archived_book_is_read_and_not_written() {
    let stage = Stage::new().await;
    let Stage { server: _, mira, jonas, book, .. } = &stage;
    let (ana, lunch) = (fresh(), transaction(&fresh(), "gave", 5, "EUR"));
    let mut device = mira.device(book).await;
    device.write(&[contact(&ana, "Ana")]).await;
    assert_eq!(archive(mira, book).await.status, 204);
    let before = mira.snapshot(book).await;

    assert_eq!(device.offer(&[mutation(2, &[someone()])]).await[0].refusal(), "archived");
    let record = book.path(&format!("/contacts/{ana}"));
    let writes = [
        (Method::POST, book.path("/contacts"), Some(json!({"name": "Bo"}))),
        (Method::PATCH, record.clone(), Some(json!({"name": "Anna"}))),
        (Method::DELETE, record.clone(), None),
        (Method::POST, format!("{record}/restore"), None),
        (Method::POST, book.path("/transactions"), Some(crate::says::with(lunch, &json!({"contact": ana})))),
    ];
    for (method, path, body) in writes {
        for person in [mira, jonas] {
            let answer = person.ask(method.clone(), &path, body.as_ref()).await;
            assert_eq!(answer.problem(), (409, "archived".into()), "{method} {path}");
        }
    }
    let body = json!({"epoch": book.epoch, "replica": fresh(), "mutations": [mutation(1, &[someone()])]});
    let answer = jonas.ask(Method::POST, &book.path("/mutations"), Some(&body)).await.json();
    assert_eq!((&answer["entries"], &answer["refused"][0]["code"]), (&json!([]), &json!("archived")));

    for path in ["", "/members", "/snapshot", "/entries", "/entries/1/hash", "/contacts", "/transactions"] {
        assert_eq!(jonas.get(&book.path(path)).await.status, 200, "{path}");
    }
    assert_eq!(jonas.get(&record).await.json()["name"], "Ana");
    let mut raw = jonas.welcomed(&fresh()).await;
    raw.send(&subscribe(&book.id)).await;
    assert_eq!(raw.frame().await["head"], 3);
    assert_eq!(mira.snapshot(book).await, before);
    // Once more changes nothing.
    assert_eq!(archive(mira, book).await.status, 204);
}

#[tokio::test]
async fn a_restart_leaves_it_archived() {
    let (server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    archive(&mira, &book).await;
    let server = server.stop().restarted().await;
    let mira = mira.at(server.address);
    assert_eq!(mira.device(&book).await.offer(&[mutation(1, &[someone()])]).await[0].refusal(), "archived");
}

#[tokio::test]
async fn a_purged_book_is_gone_for_all() {
    let stage = Stage::new().await;
    let Stage { mira, jonas, book, .. } = &stage;
    let mut device = jonas.device(book).await;
    device.write(&[contact(&fresh(), "The canary")]).await;
    let mut socket = feed::open(jonas, &format!("?book={}", book.id)).await;
    socket.frame_of("ready").await;
    let mut events = Events::open(jonas, &book.path("/feed"), &[]).await;
    events.next().await;
    let mut followers = Vec::new();
    for person in [mira, jonas] {
        let mut raw = person.welcomed(&fresh()).await;
        raw.send(&subscribe(&book.id)).await;
        raw.frame_of("entries").await;
        followers.push(raw);
    }
    let invite = mira.invite(book, &json!({"role": "editor"})).await;

    assert_eq!(purge(mira, book).await.status, 204);
    for raw in &mut followers {
        assert_eq!(raw.frame().await, json!({"type": "role", "book": book.id, "role": null}));
        raw.send(&subscribe(&book.id)).await;
        assert_eq!(raw.frame().await, json!({"type": "role", "book": book.id, "role": null}));
    }
    assert!(!json!(socket.rest().await.0).to_string().contains("canary"));
    events.rest().await;
    assert_eq!(device.offer(&[mutation(2, &[someone()])]).await[0].refusal(), "not_a_member");
    for person in [mira, jonas] {
        for path in ["", "/members", "/snapshot", "/entries", "/contacts"] {
            assert_eq!(person.get(&book.path(path)).await.problem(), (404, "not_found".into()), "{path}");
        }
        assert_eq!(person.get("/api/v1/books").await.json()["items"], json!([]));
    }
    assert_eq!(purge(mira, book).await.problem(), (404, "not_found".into()));
    assert_eq!(jonas.accept(&invite).await.problem(), (410, "invite_gone".into()));

    // The id can be used again, by anyone, and nothing of the old book is in the new one.
    let answer = jonas.ask(Method::POST, "/api/v1/books", Some(&json!({"id": book.id, "name": "New"}))).await;
    assert_eq!((answer.status, &answer.json()["head"]), (201, &json!(1)));
    assert!(!jonas.snapshot(book).await.to_string().contains("canary"));
    assert_eq!(mira.get(&book.path("")).await.problem(), (404, "not_found".into()));
}

/// A socket that had left the book before follows the new one of the same id.
#[tokio::test]
async fn the_id_of_a_purged_book_is_followed_anew() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut raw = mira.welcomed(&fresh()).await;
    raw.send(&subscribe(&book.id)).await;
    raw.frame_of("entries").await;
    raw.send(&json!({"type": "unsubscribe", "book": book.id})).await;
    assert_eq!(purge(&mira, &book).await.status, 204);
    let new = mira.ask(Method::POST, "/api/v1/books", Some(&json!({"id": book.id, "name": "New"}))).await.json();
    assert_ne!(new["epoch"], book.epoch);
    raw.send(&subscribe(&book.id)).await;
    assert_eq!(raw.frame_of("entries").await["entries"][0]["changes"][0]["name"], "New");
    mira.ask(Method::POST, &book.path("/contacts"), Some(&json!({"name": "Ana"}))).await;
    assert_eq!(raw.frame_of("entries").await["entries"][0]["changes"][0]["name"], "Ana");
}

/// Readers and writers in the middle of it: each is answered, and none brings the book back.
#[tokio::test]
async fn a_purge_in_the_middle_of_everything() {
    let (_server, mira) = TestServer::with_mira().await;
    for _ in 0..5 {
        let book = mira.book("Harbour Street").await;
        let mut asking = tokio::task::JoinSet::new();
        for reader in 0..4 {
            let (mira, book) = (mira.clone(), book.clone());
            asking.spawn(async move {
                loop {
                    let answer = match reader {
                        0 => mira.ask(Method::POST, &book.path("/contacts"), Some(&json!({"name": "Ana"}))).await,
                        _ => mira.get(&book.path("/snapshot")).await,
                    };
                    match answer.status {
                        404 => return,
                        // Its actor is stopping: come back.
                        503 | 200 | 201 => {}
                        other => panic!("{other}: {}", answer.body),
                    }
                }
            });
        }
        assert_eq!(purge(&mira, &book).await.status, 204);
        assert_eq!(mira.get(&book.path("/snapshot")).await.problem(), (404, "not_found".into()));
        while let Some(asked) = asking.join_next().await {
            asked.expect("an end");
        }
    }
}

#[tokio::test]
async fn books_are_listed_a_page_at_a_time() {
    let (server, mira) = TestServer::with_mira().await;
    let jonas = server.person("Jonas").await;
    let mut made = Vec::new();
    for name in ["One", "Two", "Three", "Four", "Five"] {
        made.push(mira.book(name).await.id);
    }
    let shared = jonas.book("Shared").await;
    jonas.let_in(&mira, &shared, "viewer").await;
    jonas.book("Not hers").await;
    made.push(shared.id);
    let pages = async |query: &str| -> Vec<Vec<String>> {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = mira.get(&format!("/api/v1/books?{query}{cursor}")).await.json();
            let items = page["items"].as_array().expect("a list");
            pages.push(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return pages,
            }
        }
    };
    for (query, sizes) in [("", vec![6]), ("limit=6", vec![6]), ("limit=4", vec![4, 2]), ("limit=1", vec![1; 6])] {
        let pages = pages(query).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{query}");
        assert_eq!(pages.concat(), made, "{query}");
    }
    for query in ["limit=0", "limit=-1", "limit=x", "cursor=x"] {
        let answer = mira.get(&format!("/api/v1/books?{query}")).await;
        assert_eq!(answer.problem(), (400, "malformed".into()), "{query}");
    }
    let item: Value = mira.get("/api/v1/books").await.json()["items"][5].clone();
    assert_eq!((&item["role"], &item["name"], &item["head"]), (&json!("viewer"), &json!("Shared"), &json!(2)));
}
