//! A person's own account: its name, its password, and its end.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::feed;
use crate::person::{Answer, Book, PASSWORD, Person};
use crate::raw::Raw;
use crate::says::{fresh, someone, subscribe};
use crate::server::TestServer;
use crate::stage::Stage;
use crate::stream::Events;

const ME: &str = "/api/v1/accounts/me";

async fn set_password(person: &Person, current: &str, new: &str) -> Answer {
    let body = json!({"current": current, "new": new});
    person.ask(Method::PUT, "/api/v1/accounts/me/password", Some(&body)).await
}

async fn delete(person: &Person, password: &str) -> Answer {
    person.ask(Method::DELETE, ME, Some(&json!({"password": password}))).await
}

async fn sign_in(person: &Person, password: &str) -> Answer {
    let body = json!({"email": person.email, "password": password});
    person.call(Method::POST, "/api/v1/sessions", &[], Some(&body)).await
}

#[tokio::test]
async fn a_name_can_be_changed() {
    let (_server, mira) = TestServer::with_mira().await;
    let user = |name: &str| json!({"user": {"id": mira.id, "email": mira.email, "name": name}});
    let rename = async |name: Value| mira.ask(Method::PATCH, ME, Some(&json!({"name": name}))).await;
    for name in ["M", "Mira Ø", &"é".repeat(200), "<b>Mira</b>"] {
        let answer = rename(json!(name)).await;
        assert_eq!((answer.status, answer.json()), (200, user(name)));
        assert_eq!(mira.get(ME).await.json(), user(name));
    }
    for (name, status, code) in [
        (json!(""), 422, "invalid_field"),
        (json!("é".repeat(201)), 422, "invalid_field"),
        (json!("two\nlines"), 422, "invalid_field"),
        (json!(7), 400, "malformed"),
    ] {
        assert_eq!(rename(name.clone()).await.problem(), (status, code.to_owned()), "{name}");
    }
    assert_eq!(mira.get(ME).await.json(), user("<b>Mira</b>"));
}

/// What is told from then on has the new name, also on lines that were open before.
#[tokio::test]
async fn a_new_name_is_told_on_open_feeds() {
    let mut stage = Stage::new().await;
    let mut socket = feed::open(&stage.jonas, &format!("?book={}", stage.book.id)).await;
    socket.frame_of("ready").await;
    for name in ["Mira", "Mira B"] {
        stage.mira.ask(Method::PATCH, ME, Some(&json!({"name": name}))).await;
        stage.device("mira").write(&[someone()]).await;
        assert_eq!(socket.frame_of("contact_created").await["by"], json!({"id": stage.mira.id, "name": name}));
    }
}

/// Two lines of each kind that a session can hold open.
async fn lines_of(person: &Person, book: &Book) -> (Raw, Raw, Events) {
    let mut sync = person.welcomed(&fresh()).await;
    sync.send(&subscribe(&book.id)).await;
    sync.frame_of("entries").await;
    let mut socket = feed::open(person, &format!("?book={}", book.id)).await;
    socket.frame_of("ready").await;
    let mut events = Events::open(person, &book.path("/feed"), &[]).await;
    assert_eq!(events.data().await["type"], "ready");
    (sync, socket, events)
}

/// They close within a second.
async fn assert_ended((mut sync, mut socket, mut events): (Raw, Raw, Events), since: Instant) {
    assert_eq!(sync.error().await, ("unauthenticated".into(), Some(4401)));
    assert_eq!(socket.error().await, ("unauthenticated".into(), Some(4401)));
    events.rest().await;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    const NEW: &str = "high tide at midnight";
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let (phone, laptop) = (mira.sign_in().await, mira.sign_in().await);
    for (current, new, code) in [
        ("not the password", NEW, "bad_credentials"),
        ("", NEW, "bad_credentials"),
        (PASSWORD, "short", "weak_password"),
        (PASSWORD, "password1", "weak_password"),
        (PASSWORD, &"x".repeat(257), "weak_password"),
    ] {
        assert_eq!(set_password(&mira, current, new).await.problem().1, code, "{new}");
        assert_eq!(phone.get(ME).await.status, 200);
    }
    let lines = (lines_of(&phone, &book).await, lines_of(&laptop, &book).await);
    let (mut own, mut own_socket, _events) = lines_of(&mira, &book).await;
    assert_eq!(set_password(&mira, PASSWORD, NEW).await.status, 204);
    let since = Instant::now();
    assert_ended(lines.0, since).await;
    assert_ended(lines.1, since).await;

    // The session that asked goes on, with its sockets; the others are gone, and so is the old password.
    for other in [&phone, &laptop] {
        assert_eq!(other.get(ME).await.problem(), (401, "unauthenticated".into()));
    }
    mira.device(&book).await.write(&[someone()]).await;
    assert_eq!(own.frame_of("entries").await["book"], book.id);
    own_socket.frame_of("contact_created").await;
    assert_eq!(mira.get("/api/v1/sessions").await.json()["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(sign_in(&mira, PASSWORD).await.problem(), (401, "bad_credentials".into()));
    assert_eq!(sign_in(&mira, NEW).await.status, 200);
}

/// The person and their sessions go; books that others share keep the entries and the id, and the name is gone.
#[tokio::test]
async fn a_deleted_person_leaves_their_entries() {
    let stage = Stage::new().await;
    let Stage { mira, jonas, book, .. } = &stage;
    let alone = jonas.book("Diary").await;
    let entry = jonas.device(book).await.write(&[someone()]).await;
    let phone = jonas.sign_in().await;
    let lines = lines_of(&phone, &alone).await;
    let mut watching = mira.welcomed(&fresh()).await;
    watching.send(&subscribe(&book.id)).await;
    watching.frame_of("entries").await;

    assert_eq!(delete(jonas, "not the password").await.problem().1, "bad_credentials");
    assert_eq!(jonas.get(ME).await.status, 200);
    assert_eq!(delete(jonas, PASSWORD).await.status, 204);
    let since = Instant::now();
    let (mut sync, mut socket, mut events) = lines;
    // The book of theirs alone is gone too; whichever is told first, the lines end.
    let (frames, _) = sync.rest().await;
    assert!(frames.iter().all(|frame| frame["type"] != "entries"), "{frames:?}");
    socket.rest().await;
    events.rest().await;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());

    for session in [jonas, &phone] {
        assert_eq!(session.get(ME).await.problem(), (401, "unauthenticated".into()));
    }
    assert_eq!(sign_in(jonas, PASSWORD).await.problem(), (401, "bad_credentials".into()));
    let log = mira.log(book).await;
    assert_eq!(log[2], entry);
    let removed = json!([{"type": "member_removed", "user": jonas.id}]);
    assert_eq!((&log[3].value["changes"], &log[3].value["by"]), (&removed, &json!(jonas.id)));
    let people = json!([
        {"id": mira.id, "name": "Mira", "role": "owner"}, {"id": jonas.id, "name": "", "role": null},
    ]);
    assert_eq!(mira.snapshot(book).await["people"], people);
    let members = mira.get(&book.path("/members")).await.json();
    assert_eq!(members["items"].as_array().map(Vec::len), Some(1));
    // Followers are told so as well.
    while watching.frame_of("people").await["people"] != people {}
}

#[tokio::test]
async fn books_of_theirs_alone_are_purged() {
    let (server, mira) = TestServer::with_mira().await;
    let jonas = server.person("Jonas").await;
    let (alone, left) = (jonas.book("Diary").await, jonas.book("Old flat").await);
    // Others who left don't keep a book.
    jonas.let_in(&mira, &left, "editor").await;
    mira.remove(&mira, &left).await;
    assert_eq!(delete(&jonas, PASSWORD).await.status, 204);
    // The ids are free again.
    for id in [&alone.id, &left.id] {
        let answer = mira.ask(Method::POST, "/api/v1/books", Some(&json!({"id": id, "name": "New"}))).await;
        assert_eq!((answer.status, &answer.json()["head"]), (201, &json!(1)));
    }
    // And so is the address.
    let again = server.person("Jonas").await;
    assert_ne!(again.id, jonas.id);
    assert_eq!(again.get("/api/v1/books").await.json()["items"], json!([]));
}

#[tokio::test]
async fn the_last_owner_of_a_shared_book_stays() {
    let stage = Stage::new().await;
    let Stage { mira, jonas, book, .. } = &stage;
    let alone = mira.book("Diary").await;
    let other = jonas.book("Hill Road").await;
    jonas.let_in(mira, &other, "editor").await;
    let before = (mira.log(book).await, mira.log(&other).await, mira.snapshot(&alone).await);
    assert_eq!(delete(mira, PASSWORD).await.problem(), (409, "last_owner".into()));
    assert_eq!((mira.log(book).await, mira.log(&other).await, mira.snapshot(&alone).await), before);
    assert_eq!(mira.get("/api/v1/sessions").await.json()["items"].as_array().map(Vec::len), Some(1));

    mira.set_role(jonas, book, "owner").await;
    assert_eq!(delete(mira, PASSWORD).await.status, 204);
    let members = jonas.get(&book.path("/members")).await.json();
    assert_eq!(members["items"][0]["user"]["id"], jonas.id);
}
