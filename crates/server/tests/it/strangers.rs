//! A book that is someone else's and one that does not exist: nobody outside can tell the two apart.

use reqwest::Method;
use serde_json::{Value, json};

use crate::person::{Book, Person};
use crate::raw::{Closed, FEED, Raw};
use crate::says::{fresh, mutation, push, someone, subscribe, subscribe_after};
use crate::server::TestServer;

/// All that a stranger can get out of the server about a book, with the book's own id taken out.
async fn all_answers(stranger: &Person, book: &Book) -> Vec<String> {
    let mut answers = Vec::new();
    let paths = ["", "/snapshot", "/entries", "/entries?after=0&limit=1", "/entries/1/hash"];
    for path in paths {
        let answer = stranger.get(&format!("/api/v1/books/{}{path}", book.id)).await;
        assert_eq!(answer.problem(), (404, "not_found".into()), "{path}");
        answers.push(answer.body);
    }
    answers.push(stranger.get("/api/v1/books").await.body);

    let mut raw = stranger.welcomed(&fresh()).await;
    for message in [subscribe(&book.id), subscribe_after(book, 1, &"0".repeat(64))] {
        raw.send(&message).await;
        let role = raw.frame().await;
        assert_eq!(role, json!({"type": "role", "book": book.id, "role": null}));
        answers.push(role.to_string());
    }
    let mutations = [mutation(1, &[someone()]), mutation(2, &[someone()])];
    raw.send(&push(book, &mutations)).await;
    for mutation in &mutations {
        let refused = raw.frame().await;
        let told = [&refused["type"], &refused["book"], &refused["id"], &refused["n"], &refused["code"]];
        assert_eq!(told, [&json!("refused"), &json!(book.id), &mutation["id"], &mutation["n"], &json!("not_a_member")]);
        answers.push(format!("{} {}", refused["code"], refused["detail"]));
    }
    answers.push(feed_answer(stranger, book).await);
    answers.iter().map(|answer| answer.replace(&book.id, "BOOK")).collect()
}

async fn feed_answer(stranger: &Person, book: &Book) -> String {
    let bearer = stranger.bearer();
    let headers = [("authorization", bearer.as_str()), ("sec-websocket-protocol", FEED)];
    let path = format!("/ws?book={}&after=0", book.id);
    let (mut raw, _) = Raw::open(stranger.address, &path, &headers).await.expect("an open socket");
    let (frames, Closed(code)) = raw.rest().await;
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!((&frames[0]["type"], &frames[0]["code"], code), (&json!("error"), &json!("not_found"), Some(4403)));
    frames[0].to_string()
}

#[tokio::test]
async fn others_books_look_like_no_books() {
    let (server, mira) = TestServer::with_mira().await;
    let jonas = server.person("Jonas").await;
    let book = mira.book("The canary").await;
    mira.device(&book).await.write(&[someone()]).await;
    let before = mira.snapshot(&book).await;

    let others = all_answers(&jonas, &book).await;
    let none = all_answers(&jonas, &Book { id: fresh(), epoch: fresh() }).await;
    assert_eq!(others, none);
    assert!(!others.concat().contains("canary"), "{others:?}");
    assert_eq!(mira.snapshot(&book).await, before);
}

#[tokio::test]
async fn nobody_sees_nothing() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("The canary").await;
    let cases = [
        (Method::GET, "/api/v1/books".to_owned(), None),
        (Method::POST, "/api/v1/books".to_owned(), Some(json!({"name": "H"}))),
        (Method::GET, format!("/api/v1/books/{}", book.id), None),
        (Method::GET, format!("/api/v1/books/{}/snapshot", book.id), None),
        (Method::GET, format!("/api/v1/books/{}/entries", book.id), None),
        (Method::GET, format!("/api/v1/books/{}/entries/1/hash", book.id), None),
        (Method::GET, "/api/v1/sessions".to_owned(), None),
        (Method::GET, "/api/v1/accounts/me".to_owned(), None),
    ];
    for (method, path, body) in cases {
        let wrong = format!("Bearer {}", "0".repeat(64));
        let headers: [&[(&str, &str)]; 3] = [&[], &[("authorization", &wrong)], &[("authorization", "Basic bWlyYTo=")]];
        for headers in headers {
            let answer = mira.call(method.clone(), &path, headers, body.as_ref()).await;
            assert_eq!(answer.problem(), (401, "unauthenticated".into()), "{method} {path} {headers:?}");
        }
    }
}

/// A page of another site cannot make a browser write with its person's cookie.
#[tokio::test]
async fn a_cookie_writes_from_the_servers_own_pages_only() {
    let (_server, mira) = TestServer::with_mira().await;
    let (cookie, own) = (mira.cookie(), format!("http://{}", mira.address));
    let body = json!({"name": "H"});
    let cases = [(None, 403), (Some("null"), 403), (Some("http://evil.example"), 403), (Some(own.as_str()), 201)];
    for (origin, status) in cases {
        let origin_header = origin.map(|origin| ("origin", origin));
        let headers: Vec<_> = [("cookie", cookie.as_str())].into_iter().chain(origin_header).collect();
        let answer = mira.call(Method::POST, "/api/v1/books", &headers, Some(&body)).await;
        assert_eq!(answer.status, status, "{origin:?}");
    }
    let books: Value = mira.get("/api/v1/books").await.json();
    assert_eq!(books["items"].as_array().expect("a list").len(), 1);
}
