//! Who is in a book: told in lists, changed by owners, and written into the log like everything else.

use serde_json::{Value, json};

use crate::person::{Book, Person};
use crate::server::TestServer;

/// A book of Mira's in which Jonas edits and Vera reads.
async fn shared() -> (TestServer, [Person; 3], Book) {
    let (server, mira) = TestServer::with_mira().await;
    let (jonas, vera) = (server.person("Jonas").await, server.person("Vera").await);
    let book = mira.book("Harbour Street").await;
    mira.let_in(&jonas, &book, "editor").await;
    mira.let_in(&vera, &book, "viewer").await;
    (server, [mira, jonas, vera], book)
}

/// Names and roles as the list of members has them.
async fn listed(person: &Person, book: &Book) -> Vec<(String, String)> {
    let list = person.get(&book.path("/members")).await.json();
    assert_eq!(list["next_cursor"], Value::Null);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let items = list["items"].as_array().expect("a list");
    items.iter().map(|item| (text(&item["user"]["name"]), text(&item["role"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, role)| ((*name).to_owned(), (*role).to_owned())).collect()
}

#[tokio::test]
async fn a_member_is_listed_like_this() {
    let (_server, [mira, jonas, vera], book) = shared().await;
    let list = vera.get(&book.path("/members")).await.json();
    let log = mira.log(&book).await;
    let at = |entry: usize| log[entry - 1].value["at"].clone();
    let member = |person: &Person, name: &str, role: &str, since: Value| json!({"user": {"id": person.id, "name": name}, "role": role, "since_at": since});
    let expected = json!([
        member(&mira, "Mira", "owner", at(1)),
        member(&jonas, "Jonas", "editor", at(2)),
        member(&vera, "Vera", "viewer", at(3)),
    ]);
    assert_eq!(list, json!({"items": expected, "next_cursor": null}));
    // A page at a time.
    let page = mira.get(&book.path("/members?limit=2")).await.json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let page = mira.get(&book.path(&format!("/members?limit=2&cursor={cursor}"))).await.json();
    assert_eq!((&page["items"][0], &page["next_cursor"]), (&expected[2], &Value::Null));
}

/// Membership changes are entries, from the session that made them.
#[tokio::test]
async fn changes_of_members_are_entries() {
    let (_server, [mira, jonas, vera], book) = shared().await;
    assert_eq!(mira.set_role(&jonas, &book, "owner").await.status, 200);
    assert_eq!(jonas.set_role(&vera, &book, "editor").await.json()["role"], "editor");
    assert_eq!(jonas.remove(&vera, &book).await.status, 204);
    assert_eq!(mira.remove(&mira, &book).await.status, 204);
    let log = jonas.log(&book).await;
    let expected = [
        (2, &jonas, json!({"type": "member_added", "user": jonas.id, "role": "editor"})),
        (3, &vera, json!({"type": "member_added", "user": vera.id, "role": "viewer"})),
        (4, &mira, json!({"type": "member_role_changed", "user": jonas.id, "role": "owner"})),
        (5, &jonas, json!({"type": "member_role_changed", "user": vera.id, "role": "editor"})),
        (6, &jonas, json!({"type": "member_removed", "user": vera.id})),
        (7, &mira, json!({"type": "member_removed", "user": mira.id})),
    ];
    assert_eq!(log.len(), 7);
    for (seq, by, change) in expected {
        let entry = &log[seq - 1].value;
        assert_eq!((&entry["seq"], &entry["by"]), (&json!(seq), &json!(by.id)));
        assert_eq!(entry["changes"], json!([change]));
        // With a replica and a number like all others.
        assert!(entry["replica"].is_string() && entry["n"].as_u64() >= Some(1), "{entry}");
    }
    // Two of one session are of one replica, numbered one after the other.
    let (first, second) = (&log[4].value, &log[5].value);
    assert_eq!(first["replica"], second["replica"]);
    assert_eq!(first["n"].as_u64().map(|n| n + 1), second["n"].as_u64());
}

#[tokio::test]
async fn a_book_always_has_an_owner() {
    let (_server, [mira, jonas, _vera], book) = shared().await;
    let head = mira.head(&book).await;
    let last_owner = (409, "last_owner".to_owned());
    assert_eq!(mira.set_role(&mira, &book, "editor").await.problem(), last_owner);
    assert_eq!(mira.remove(&mira, &book).await.problem(), last_owner);
    assert_eq!(mira.head(&book).await, head);

    mira.set_role(&jonas, &book, "owner").await;
    assert_eq!(mira.set_role(&mira, &book, "viewer").await.status, 200);
    assert_eq!(jonas.remove(&jonas, &book).await.problem(), last_owner);
    assert_eq!(listed(&jonas, &book).await, pairs(&[("Mira", "viewer"), ("Jonas", "owner"), ("Vera", "viewer")]));
}

#[tokio::test]
async fn a_role_that_is_had_already_is_no_entry() {
    let (_server, [mira, jonas, _vera], book) = shared().await;
    let head = mira.head(&book).await;
    assert_eq!(mira.set_role(&jonas, &book, "editor").await.status, 200);
    assert_eq!(mira.head(&book).await, head);
    for role in ["", "admin", "Owner", "none"] {
        let answer = mira.set_role(&jonas, &book, role).await;
        assert_eq!(answer.problem(), (422, "invalid_field".into()), "{role}");
        assert_eq!(answer.json()["field"], "role");
    }
}

/// Who leaves is out, and stays in the book's history; who comes back is in again.
#[tokio::test]
async fn leaving_and_coming_back() {
    let (_server, [mira, jonas, vera], book) = shared().await;
    for leaving in [&jonas, &vera] {
        assert_eq!(leaving.remove(leaving, &book).await.status, 204);
        assert_eq!(leaving.get(&book.path("")).await.problem(), (404, "not_found".into()));
        assert_eq!(leaving.get("/api/v1/books").await.json()["items"], json!([]));
        assert_eq!(leaving.remove(leaving, &book).await.problem(), (404, "not_found".into()));
    }
    assert_eq!(listed(&mira, &book).await, pairs(&[("Mira", "owner")]));
    let people = mira.snapshot(&book).await["people"].clone();
    let former = json!([
        {"id": mira.id, "name": "Mira", "role": "owner"},
        {"id": jonas.id, "name": "Jonas", "role": null},
        {"id": vera.id, "name": "Vera", "role": null},
    ]);
    assert_eq!(people, former);

    mira.let_in(&vera, &book, "editor").await;
    assert_eq!(listed(&vera, &book).await, pairs(&[("Mira", "owner"), ("Vera", "editor")]));
    let since = vera.get(&book.path("/members")).await.json()["items"][1]["since_at"].clone();
    let log = vera.log(&book).await;
    assert_eq!(Some(&since), log.last().map(|entry| &entry.value["at"]));
}
