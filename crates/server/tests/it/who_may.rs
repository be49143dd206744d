//! Every route and every message of a socket × everybody who may try it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::feed;
use crate::person::{Book, PASSWORD, Person};
use crate::raw::Raw;
use crate::routes;
use crate::says::{fresh, mutation, push, someone, subscribe};
use crate::server::TestServer;

/// The statuses for somebody who is anonymous, a stranger to the book, removed from it, a viewer, an editor, an owner.
type Statuses = [u16; 6];

/// Whoever asks for something that has to do with no book, or with theirs alone.
const SIGNED: Statuses = [401, 200, 200, 200, 200, 200];
const READ: Statuses = [401, 404, 404, 200, 200, 200];
const WRITE: Statuses = [401, 404, 404, 403, 200, 200];
const CREATE: Statuses = [401, 404, 404, 403, 201, 201];

fn of_owners(done: u16) -> Statuses {
    [401, 404, 404, 403, 403, done]
}

fn signed(done: u16) -> Statuses {
    [401, done, done, done, done, done]
}

/// `{book}` is a new book for each row, and so is what is in it. `@contact`, `@name` and `@epoch` are put in.
fn rows() -> Vec<(Method, &'static str, Value, Statuses)> {
    let none = Value::Null;
    let lunch =
        json!({"contact": "@contact", "direction": "gave", "amount": 5, "currency": "EUR", "date": "2026-11-22"});
    let offer = json!({"epoch": "@epoch", "replica": fresh(), "mutations": []});
    vec![
        (Method::GET, "/health", none.clone(), [200; 6]),
        (Method::GET, "/ready", none.clone(), [200; 6]),
        // Who asks from the machine itself; `metrics.rs` has the others.
        (Method::GET, "/metrics", none.clone(), [200; 6]),
        (Method::GET, "/api/v1/openapi.json", none.clone(), [200; 6]),
        (Method::GET, "/api/v1/docs", none.clone(), [200; 6]),
        // A socket is opened by an upgrade; the tables below are about what is said over one.
        (Method::GET, "/ws", none.clone(), [426; 6]),
        (
            Method::POST,
            "/api/v1/accounts",
            json!({"email": "@name@new.example", "password": PASSWORD, "name": "N"}),
            [201; 6],
        ),
        (Method::POST, "/api/v1/sessions", json!({"email": "mira@tide.example", "password": PASSWORD}), [200; 6]),
        (Method::GET, "/api/v1/sessions", none.clone(), SIGNED),
        (Method::DELETE, "/api/v1/sessions/{id}", none.clone(), signed(404)),
        (Method::GET, "/api/v1/accounts/me", none.clone(), SIGNED),
        (Method::PATCH, "/api/v1/accounts/me", json!({"name": "N"}), SIGNED),
        (Method::PUT, "/api/v1/accounts/me/password", json!({"current": "not it", "new": PASSWORD}), signed(403)),
        (Method::DELETE, "/api/v1/accounts/me", json!({"password": "not it"}), signed(403)),
        (Method::GET, "/api/v1/books", none.clone(), SIGNED),
        (Method::POST, "/api/v1/books", json!({"name": "Diary"}), signed(201)),
        (Method::POST, "/api/v1/invites/accept", json!({"token": "none"}), signed(410)),
        (Method::GET, "/api/v1/books/{book}", none.clone(), READ),
        (Method::DELETE, "/api/v1/books/{book}", none.clone(), of_owners(204)),
        (Method::GET, "/api/v1/books/{book}/members", none.clone(), READ),
        (Method::PATCH, "/api/v1/books/{book}/members/{user}", json!({"role": "editor"}), of_owners(200)),
        (Method::DELETE, "/api/v1/books/{book}/members/{user}", none.clone(), of_owners(204)),
        (Method::GET, "/api/v1/books/{book}/invites", none.clone(), of_owners(200)),
        (Method::POST, "/api/v1/books/{book}/invites", json!({"role": "viewer"}), of_owners(201)),
        (Method::DELETE, "/api/v1/books/{book}/invites/{invite}", none.clone(), of_owners(204)),
        (Method::GET, "/api/v1/books/{book}/snapshot", none.clone(), READ),
        (Method::GET, "/api/v1/books/{book}/entries", none.clone(), READ),
        (Method::GET, "/api/v1/books/{book}/entries/{seq}/hash", none.clone(), READ),
        (Method::GET, "/api/v1/books/{book}/feed", none.clone(), READ),
        (Method::POST, "/api/v1/books/{book}/mutations", offer, WRITE),
        (Method::GET, "/api/v1/books/{book}/contacts", none.clone(), READ),
        (Method::POST, "/api/v1/books/{book}/contacts", json!({"name": "Ana"}), CREATE),
        (Method::GET, "/api/v1/books/{book}/contacts/{id}", none.clone(), READ),
        (Method::PATCH, "/api/v1/books/{book}/contacts/{id}", json!({"name": "@name"}), WRITE),
        (Method::DELETE, "/api/v1/books/{book}/contacts/{id}", none.clone(), WRITE),
        (Method::POST, "/api/v1/books/{book}/contacts/{id}/restore", none.clone(), WRITE),
        (Method::GET, "/api/v1/books/{book}/transactions", none.clone(), READ),
        (Method::POST, "/api/v1/books/{book}/transactions", lunch, CREATE),
        (Method::GET, "/api/v1/books/{book}/transactions/{id}", none.clone(), READ),
        (Method::PATCH, "/api/v1/books/{book}/transactions/{id}", json!({"note": "@name"}), WRITE),
        (Method::DELETE, "/api/v1/books/{book}/transactions/{id}", none.clone(), WRITE),
        (Method::POST, "/api/v1/books/{book}/transactions/{id}/restore", none.clone(), WRITE),
        // Last, because it ends the sessions that the others need.
        (Method::DELETE, "/api/v1/sessions/current", none, signed(204)),
    ]
}

/// Those who try, in the order of [`Statuses`], and somebody for the owner to deal with.
struct Cast {
    server: TestServer,
    owner: Person,
    others: Vec<Person>,
    somebody: Person,
}

impl Cast {
    async fn new() -> Self {
        let (server, owner) = TestServer::with_mira().await;
        let mut others = Vec::new();
        for name in ["Stranger", "Removed", "Viewer", "Editor"] {
            others.push(server.person(name).await);
        }
        let somebody = server.person("Somebody").await;
        Self { server, owner, others, somebody }
    }

    /// A book in which each of them is what they are.
    async fn book(&self) -> Book {
        let book = self.owner.book("The canary").await;
        let (removed, viewer, editor) = (&self.others[1], &self.others[2], &self.others[3]);
        for (person, role) in [(removed, "owner"), (viewer, "viewer"), (editor, "editor"), (&self.somebody, "viewer")] {
            self.owner.let_in(person, &book, role).await;
        }
        assert_eq!(self.owner.remove(removed, &book).await.status, 204);
        book
    }

    /// Nobody, and then the people.
    fn callers(&self) -> [(&'static str, Option<&Person>); 6] {
        let [stranger, removed, viewer, editor] = &self.others[..] else { panic!("four") };
        [
            ("anonymous", None),
            ("stranger", Some(stranger)),
            ("removed", Some(removed)),
            ("viewer", Some(viewer)),
            ("editor", Some(editor)),
            ("owner", Some(&self.owner)),
        ]
    }
}

/// A call of which the head is waited for, and the body where it is a problem: a stream has no end.
async fn ask(cast: &Cast, who: Option<&Person>, method: &Method, path: &str, body: &Value) -> (u16, String) {
    let mut request = Client::new().request(method.clone(), format!("http://{}{path}", cast.server.address));
    if let Some(person) = who {
        request = request.header("authorization", person.bearer());
    }
    if !body.is_null() {
        request = request.json(body);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    if status < 400 {
        return (status, String::new());
    }
    let text = response.text().await.expect("a body");
    assert!(!text.contains("canary"), "{method} {path}: {text}");
    let problem: Value = serde_json::from_str(&text).expect("a problem");
    (status, problem["code"].as_str().expect("a code").to_owned())
}

/// The path in a new book, and what names in a body stand for there.
async fn filled(cast: &Cast, path: &str) -> (String, BTreeMap<&'static str, String>) {
    let mut named = BTreeMap::new();
    if !path.contains("{book}") {
        return (path.replace("{id}", &fresh()), named);
    }
    let book = cast.book().await;
    let made = async |path: &str, body: Value| {
        let answer = cast.owner.ask(Method::POST, &book.path(path), Some(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["id"].as_str().expect("an id").to_owned()
    };
    let contact = made("/contacts", json!({"name": "The canary"})).await;
    let lunch = json!({"contact": contact, "direction": "gave", "amount": 5, "currency": "EUR", "date": "2026-11-22"});
    let transaction = made("/transactions", lunch).await;
    let invite = made("/invites", json!({"role": "viewer"})).await;
    let record = if path.contains("/transactions") { transaction } else { contact.clone() };
    let path = path.replace("{book}", &book.id).replace("{user}", &cast.somebody.id).replace("{invite}", &invite);
    named.insert("@contact", contact);
    named.insert("@epoch", book.epoch);
    (path.replace("{seq}", "1").replace("{id}", &record), named)
}

fn with_names(body: &Value, named: &BTreeMap<&'static str, String>, who: &str) -> Value {
    let text = named.iter().fold(body.to_string(), |text, (name, id)| text.replace(name, id));
    serde_json::from_str(&text.replace("@name", who)).expect("JSON")
}

#[tokio::test]
async fn every_route_has_a_row() {
    let with_row: BTreeSet<routes::Route> =
        rows().into_iter().map(|(method, path, ..)| (method.to_string(), path.to_owned())).collect();
    assert_eq!(with_row.len(), rows().len(), "a route has one row");
    assert_eq!(routes::all(), with_row);
}

#[tokio::test]
async fn each_route_answers_each_caller() {
    let cast = Cast::new().await;
    for (method, route, body, statuses) in rows() {
        let (path, named) = filled(&cast, route).await;
        for ((who, person), expected) in cast.callers().into_iter().zip(statuses) {
            let body = with_names(&body, &named, who);
            let (status, code) = ask(&cast, person, &method, &path, &body).await;
            assert_eq!(status, expected, "{method} {route} by {who}: {code}");
            match (status, who) {
                (401, _) => assert_eq!(code, "unauthenticated", "{method} {route} by {who}"),
                (404, "stranger" | "removed") => assert_eq!(code, "not_found", "{method} {route} by {who}"),
                (403, "viewer") if route.contains("{book}") => assert_eq!(code, "read_only", "{method} {route}"),
                _ => {}
            }
        }
    }
}

/// A page of another site cannot make a browser write with its person's cookie, by no route.
#[tokio::test]
async fn no_route_takes_a_cookie_from_elsewhere() {
    let cast = Cast::new().await;
    let cookie = cast.owner.cookie();
    // These two read no cookie: they give a new one, to the server's own pages alone.
    let gives_one = |path: &str| ["/api/v1/accounts", "/api/v1/sessions"].contains(&path);
    for (method, route, body, _) in
        rows().into_iter().filter(|(method, path, ..)| *method != Method::GET && !gives_one(path))
    {
        let (path, named) = filled(&cast, route).await;
        let body = with_names(&body, &named, "owner");
        for origin in [None, Some("null"), Some("http://evil.example")] {
            let origin = origin.map(|origin| ("origin", origin));
            let headers: Vec<_> = [("cookie", cookie.as_str())].into_iter().chain(origin).collect();
            let body = (!body.is_null()).then_some(&body);
            let answer = cast.owner.call(method.clone(), &path, &headers, body).await;
            assert_eq!(answer.problem(), (403, "origin".into()), "{method} {route} {origin:?}");
        }
    }
    assert_eq!(cast.owner.get("/api/v1/accounts/me").await.json()["user"]["name"], "Mira");
}

/// What a message is answered with: the first frame's type, or the code of a refusal or an error.
const MESSAGES: [(&str, [&str; 6]); 5] = [
    ("hello", ["unauthenticated", "welcome", "welcome", "welcome", "welcome", "welcome"]),
    ("subscribe", ["unauthenticated", "role", "role", "subscribed", "subscribed", "subscribed"]),
    ("unsubscribe", ["unauthenticated", "", "", "", "", ""]),
    ("push", ["unauthenticated", "not_a_member", "not_a_member", "read_only", "fates", "fates"]),
    // Presence goes to those who follow the book: without a subscription nothing comes of it.
    ("presence", ["unauthenticated", "", "", "", "", ""]),
];

fn message(kind: &str, book: &Book) -> Value {
    match kind {
        "hello" => crate::says::hello(&fresh(), None),
        "subscribe" => subscribe(&book.id),
        "push" => push(book, &[mutation(1, &[someone()])]),
        "unsubscribe" => json!({"type": "unsubscribe", "book": book.id}),
        "presence" => json!({"type": "presence", "book": book.id, "viewing": {"kind": "book"}, "editing": null}),
        other => panic!("no message {other}"),
    }
}

/// The first frame, or none before the answer to a question that is asked next.
async fn answer(mut raw: Raw, message: &Value) -> String {
    let marker = fresh();
    raw.send(message).await;
    raw.send(&subscribe(&marker)).await;
    let frame = raw.frame().await;
    assert!(!frame.to_string().contains("canary") || frame["type"] == "subscribed", "{frame}");
    if frame["book"] == marker.as_str() {
        return String::new();
    }
    let told = if frame["code"].is_string() { &frame["code"] } else { &frame["type"] };
    told.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn every_message_has_a_row() {
    let with_row: BTreeSet<String> = MESSAGES.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    assert_eq!(routes::messages(), with_row);
}

#[tokio::test]
async fn each_message_answers_each_caller() {
    let cast = Cast::new().await;
    for (kind, expected) in MESSAGES {
        let book = cast.book().await;
        for ((who, person), expected) in cast.callers().into_iter().zip(expected) {
            let mut message = message(kind, &book);
            let raw = match person {
                None => cast.owner.silent().await,
                Some(person) if kind == "hello" => {
                    message["token"] = person.token.clone().into();
                    person.silent().await
                }
                Some(person) => person.welcomed(&fresh()).await,
            };
            assert_eq!(answer(raw, &message).await, expected, "{kind} by {who}");
        }
    }
}

/// The feed's handshake names the book.
#[tokio::test]
async fn the_feed_answers_each_caller() {
    let cast = Cast::new().await;
    let book = cast.book().await;
    let expected = ["unauthenticated", "not_found", "not_found", "ready", "ready", "ready"];
    for ((who, person), expected) in cast.callers().into_iter().zip(expected) {
        let nobody = cast.owner.holder_of(&json!("0".repeat(64)));
        let caller = person.unwrap_or(&nobody);
        let mut raw = feed::open(caller, &format!("?book={}", book.id)).await;
        if person.is_none() {
            raw.send(&json!({"token": nobody.token})).await;
        }
        let frame = raw.frame().await;
        let told = if frame["code"].is_string() { &frame["code"] } else { &frame["type"] };
        assert_eq!(told, expected, "{who}");
    }
}
