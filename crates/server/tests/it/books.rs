//! Books over HTTP.

use reqwest::Method;
use serde_json::{Value, json};

use crate::person::Person;
use crate::says::fresh;
use crate::server::TestServer;

async fn make(person: &Person, body: &Value) -> (u16, Value) {
    let answer = person.ask(Method::POST, "/api/v1/books", Some(body)).await;
    if answer.status >= 400 {
        answer.problem();
    }
    (answer.status, answer.json())
}

#[tokio::test]
async fn a_new_book_has_one_entry() {
    let (_server, mira) = TestServer::with_mira().await;
    let id = fresh();
    let (status, book) = make(&mira, &json!({"id": id, "name": "Harbour Street", "currency": "JPY"})).await;
    assert_eq!(status, 201);
    let epoch = book["epoch"].clone();
    let expected =
        json!({"id": id, "name": "Harbour Street", "currency": "JPY", "role": "owner", "head": 1, "epoch": epoch});
    assert_eq!(book, expected);

    assert_eq!(mira.get(&format!("/api/v1/books/{id}")).await.json(), expected);
    assert_eq!(mira.get("/api/v1/books").await.json(), json!({"items": [expected], "next_cursor": null}));
    let entries = mira.get(&format!("/api/v1/books/{id}/entries")).await.json();
    assert_eq!(entries["head"], 1);
    let changes = json!([
        {"type": "book_created", "name": "Harbour Street", "currency": "JPY"},
        {"type": "member_added", "user": mira.id, "role": "owner"},
    ]);
    assert_eq!(entries["entries"][0]["changes"], changes);
    assert_eq!((&entries["entries"][0]["seq"], &entries["entries"][0]["by"]), (&json!(1), &json!(mira.id)));
}

#[tokio::test]
async fn the_same_book_is_made_once() {
    let (server, mira) = TestServer::with_mira().await;
    let jonas = server.person("Jonas").await;
    let body = json!({"id": fresh(), "name": "Harbour Street"});
    let (first, book) = make(&mira, &body).await;
    assert_eq!(first, 201);
    assert_eq!(make(&mira, &body).await, (200, book));

    // Someone else learns no more than that the id can't be had.
    let (status, problem) = make(&jonas, &body).await;
    assert_eq!((status, &problem["code"]), (409, &json!("id_taken")));
    assert!(!problem.to_string().contains("Harbour") && !problem.to_string().contains(&mira.id), "{problem}");
    assert_eq!(jonas.get("/api/v1/books").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_books_name_and_currency_have_bounds() {
    let (_server, mira) = TestServer::with_mira().await;
    let invalid = |field: &'static str| (422, "invalid_field", field);
    let (good, malformed) = ((201, "", ""), (400, "malformed", ""));
    let cases = [
        (json!({"name": "H"}), good),
        (json!({"name": "港".repeat(200)}), good),
        (json!({"name": "<b>& \"Ana\"</b> 👩‍🚀"}), good),
        (json!({"name": "港".repeat(201)}), invalid("name")),
        (json!({"name": ""}), invalid("name")),
        (json!({"name": "two\nlines"}), invalid("name")),
        (json!({"name": "bell\u{7}"}), invalid("name")),
        (json!({"name": "H", "currency": "KWD"}), good),
        (json!({"name": "H", "currency": "eur"}), invalid("currency")),
        (json!({"name": "H", "currency": "XXX"}), invalid("currency")),
        (json!({"name": "H", "currency": ""}), invalid("currency")),
        (json!({"name": "H", "currency": 7}), malformed),
        (json!({"name": 7}), malformed),
        (json!({}), malformed),
        (json!({"name": "H", "id": "harbour"}), malformed),
        (json!({"name": "H", "id": fresh().to_uppercase()}), malformed),
    ];
    for (body, (status, code, field)) in cases {
        let (got, answer) = make(&mira, &body).await;
        let text = |member: &str| answer[member].as_str().unwrap_or("").to_owned();
        let got_code = if got < 400 { String::new() } else { text("code") };
        assert_eq!((got, got_code.as_str(), text("field").as_str()), (status, code, field), "{body}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let (known, unknown) = (&book.id, fresh());
    let paths = [
        format!("/api/v1/books/{unknown}"),
        format!("/api/v1/books/{unknown}/snapshot"),
        format!("/api/v1/books/{unknown}/entries"),
        format!("/api/v1/books/{unknown}/entries/1/hash"),
        "/api/v1/books/harbour".into(),
        "/api/v1/books/harbour/snapshot".into(),
        format!("/api/v1/books/{}", known.to_uppercase()),
        format!("/api/v1/books/{known}/entries/2/hash"),
        format!("/api/v1/books/{known}/entries/-1/hash"),
        format!("/api/v1/books/{known}/nothing"),
        "/api/v1/nothing".into(),
    ];
    for path in paths {
        assert_eq!(mira.get(&path).await.problem(), (404, "not_found".into()), "{path}");
    }
}

#[tokio::test]
async fn entries_come_one_a_line_where_that_is_asked_for() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    mira.device(&book).await.write(&[crate::says::someone()]).await;
    let (lines, object) = ("application/x-ndjson", "application/json");
    let cases = [
        (lines, lines),
        ("application/x-ndjson; charset=utf-8", lines),
        ("text/plain;q=0.1, application/x-ndjson", lines),
        (object, object),
        ("*/*", object),
    ];
    let bearer = mira.bearer();
    for (accept, kind) in cases {
        let headers = [("authorization", bearer.as_str()), ("accept", accept)];
        let answer = mira.call(Method::GET, &book.path("/entries"), &headers, None).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{accept}");
        assert_eq!(answer.body.lines().count(), if kind == lines { 2 } else { 1 }, "{accept}");
    }
}

#[tokio::test]
async fn pages_of_entries_have_bounds() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    for _ in 0..4 {
        device.write(&[crate::says::someone()]).await;
    }
    let cases = [
        ("", Some(vec![1, 2, 3, 4, 5])),
        ("?after=0&limit=2", Some(vec![1, 2])),
        ("?after=3", Some(vec![4, 5])),
        ("?after=4&limit=5000", Some(vec![5])),
        ("?after=5", Some(vec![])),
        ("?after=18446744073709551615", Some(vec![])),
        ("?limit=5001", None),
        ("?limit=0", None),
        ("?limit=-1", None),
        ("?after=x", None),
        ("?replica=x", None),
    ];
    for (query, expected) in cases {
        let answer = mira.get(&format!("/api/v1/books/{}/entries{query}", book.id)).await;
        match expected {
            None => assert_eq!(answer.problem(), (400, "malformed".into()), "{query}"),
            Some(seqs) => {
                let page = answer.json();
                let got: Vec<u64> = page["entries"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|e| e["seq"].as_u64().expect("a seq"))
                    .collect();
                assert_eq!((got, &page["head"]), (seqs, &json!(5)), "{query}");
            }
        }
    }
    // The fates of one replica, from a number on.
    let path = format!("/api/v1/books/{}/entries?replica={}&from_n=3", book.id, device.replica);
    let fates = mira.get(&path).await.json();
    let numbers: Vec<&Value> = fates["entries"].as_array().expect("a list").iter().map(|entry| &entry["n"]).collect();
    assert_eq!(numbers, [&json!(3), &json!(4)]);
}
