//! Invites: links that let people in, once or several times, until they are used up, expired or revoked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::person::{Book, PASSWORD, Person};
use crate::says::fresh;
use crate::server::TestServer;
use tidebook_server::Signup;

const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;

async fn mira_and(names: &[&str]) -> (TestServer, Person, Vec<Person>, Book) {
    let (server, mira) = TestServer::with_mira().await;
    let mut others = Vec::new();
    for name in names {
        others.push(server.person(name).await);
    }
    let book = mira.book("Harbour Street").await;
    (server, mira, others, book)
}

async fn open_invites(owner: &Person, book: &Book) -> Vec<Value> {
    let list = owner.get(&book.path("/invites")).await.json();
    assert_eq!(list["next_cursor"], Value::Null);
    list["items"].as_array().expect("a list").clone()
}

/// Waits until an invite has expired: until the list has none left.
async fn expired(owner: &Person, book: &Book) {
    while !open_invites(owner, book).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

fn gone() -> (u16, String) {
    (410, "invite_gone".to_owned())
}

#[tokio::test]
async fn an_invite_is_told_once_and_listed_without_its_token() {
    let (_server, mira, _, book) = mira_and(&[]).await;
    let created_at = mira.log(&book).await[0].value["at"].as_u64().expect("a time");
    let invite = mira.invite(&book, &json!({"role": "editor"})).await;
    let members: Vec<&String> = invite.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["expires_at", "id", "token", "url"]);
    let token = invite["token"].as_str().expect("a token");
    let expires_at = invite["expires_at"].as_u64().expect("a time");
    assert!((created_at + WEEK_MS..created_at + WEEK_MS + 60_000).contains(&expires_at), "{expires_at} {created_at}");

    // The token stands in the fragment, which no browser sends.
    let url = reqwest::Url::parse(invite["url"].as_str().expect("a text")).expect("a URL");
    assert!(url.fragment().expect("a fragment").contains(token), "{url}");
    assert!(!url.as_str().split('#').next().expect("a first part").contains(token), "{url}");
    // 128 bits or more, and others each time.
    assert!(token.len() >= 22, "{token}");
    assert_ne!(mira.invite(&book, &json!({"role": "editor"})).await["token"], token);

    let listed = open_invites(&mira, &book).await;
    assert_eq!(listed[0], json!({"id": invite["id"], "role": "editor", "uses_left": 1, "expires_at": expires_at}));
    assert!(!json!(listed).to_string().contains(token));
}

#[tokio::test]
async fn an_invite_lets_in_as_often_as_it_says() {
    let (_server, mira, others, book) = mira_and(&["Jonas", "Vera", "Bo"]).await;
    let [jonas, vera, bo] = &others[..] else { panic!("three") };
    let once = mira.invite(&book, &json!({"role": "viewer"})).await;
    let accepted = jonas.accept(&once).await;
    assert_eq!((accepted.status, accepted.json()), (200, json!({"book": book.id, "role": "viewer"})));
    assert_eq!(vera.accept(&once).await.problem(), gone());

    let twice = mira.invite(&book, &json!({"role": "owner", "uses": 2})).await;
    let left = async || open_invites(&mira, &book).await.first().map(|invite| invite["uses_left"].clone());
    assert_eq!(left().await, Some(json!(2)));
    // Who is in keeps their role and uses nothing up, however often they follow the link.
    assert_eq!(jonas.accept(&twice).await.json(), json!({"book": book.id, "role": "viewer"}));
    assert_eq!(vera.accept(&twice).await.json(), json!({"book": book.id, "role": "owner"}));
    assert_eq!(vera.accept(&twice).await.json(), json!({"book": book.id, "role": "owner"}));
    assert_eq!(left().await, Some(json!(1)));
    assert_eq!(bo.accept(&twice).await.status, 200);
    assert_eq!(left().await, None);
    // Removed again: the link that is used up helps no more.
    mira.remove(bo, &book).await;
    assert_eq!(bo.accept(&twice).await.problem(), gone());
    let added = mira.log(&book).await.iter().filter(|entry| entry.bytes.contains("member_added")).count();
    assert_eq!(added, 4);
}

/// The same person twice at once, and many who want the last place.
#[tokio::test]
async fn a_place_is_given_once() {
    let (_server, mira, others, book) = mira_and(&["Jonas", "Vera", "Bo", "Ana", "Tomas"]).await;
    let invite = mira.invite(&book, &json!({"role": "editor", "uses": 2})).await;
    let (first, second) = tokio::join!(others[0].accept(&invite), others[0].accept(&invite));
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(open_invites(&mira, &book).await[0]["uses_left"], 1);

    let mut accepting = tokio::task::JoinSet::new();
    for person in others.into_iter().skip(1) {
        let invite = invite.clone();
        accepting.spawn(async move { person.accept(&invite).await.status });
    }
    let mut statuses = accepting.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410, 410, 410]);
    assert_eq!(mira.head(&book).await, 3);
}

#[tokio::test]
async fn an_invite_that_is_gone_lets_nobody_in() {
    let (_server, mira, others, book) = mira_and(&["Jonas"]).await;
    let jonas = &others[0];
    let revoked = mira.invite(&book, &json!({"role": "editor"})).await;
    let path = book.path(&format!("/invites/{}", revoked["id"].as_str().expect("an id")));
    assert_eq!(mira.ask(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(mira.ask(Method::DELETE, &path, None).await.problem(), (404, "not_found".into()));
    assert_eq!(jonas.accept(&revoked).await.problem(), gone());

    let short = mira.invite(&book, &json!({"role": "editor", "expires_in_s": 1})).await;
    expired(&mira, &book).await;
    assert_eq!(jonas.accept(&short).await.problem(), gone());

    for token in ["", "0", &"0".repeat(64)] {
        assert_eq!(jonas.accept(&json!({"token": token})).await.problem(), gone(), "{token}");
    }
    // An invite of one book is not another's to revoke.
    let (other, theirs) = (mira.book("Hill Road").await, mira.invite(&book, &json!({"role": "editor"})).await);
    let path = other.path(&format!("/invites/{}", theirs["id"].as_str().expect("an id")));
    assert_eq!(mira.ask(Method::DELETE, &path, None).await.problem(), (404, "not_found".into()));
    assert_eq!(jonas.accept(&theirs).await.status, 200);
}

#[tokio::test]
async fn what_an_invite_says_is_checked() {
    let (_server, mira, _, book) = mira_and(&[]).await;
    let cases = [
        (json!({"role": "owner", "expires_in_s": 1, "uses": 1}), 201, "", ""),
        (json!({"role": "viewer", "expires_in_s": 86_400, "uses": 10}), 201, "", ""),
        (json!({"role": "admin"}), 422, "invalid_field", "role"),
        (json!({"role": ""}), 422, "invalid_field", "role"),
        (json!({"role": "editor", "expires_in_s": 0}), 422, "invalid_field", "expires_in_s"),
        (json!({"role": "editor", "expires_in_s": -1}), 422, "invalid_field", "expires_in_s"),
        (json!({"role": "editor", "expires_in_s": i64::MAX}), 422, "invalid_field", "expires_in_s"),
        (json!({"role": "editor", "uses": 0}), 422, "invalid_field", "uses"),
        (json!({"role": "editor", "uses": u32::MAX}), 422, "invalid_field", "uses"),
        (json!({"role": "editor", "uses": -1}), 400, "malformed", ""),
        (json!({"role": "editor", "expires_in_s": "7"}), 400, "malformed", ""),
        (json!({}), 400, "malformed", ""),
    ];
    for (body, status, code, field) in cases {
        let answer = mira.ask(Method::POST, &book.path("/invites"), Some(&body)).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{body}");
        assert_eq!(answer.json()["field"].as_str().unwrap_or(""), field, "{body}");
    }
}

/// Where accounts are by invite, a valid token makes one; what it lets into is for accepting it.
#[tokio::test]
async fn an_invite_lets_people_sign_up() {
    let server = TestServer::start_for(Signup::Invite).await;
    let mira = server.person("Mira").await;
    let book = mira.book("Harbour Street").await;
    let sign_up = async |name: &str, invite: Option<&Value>| {
        let email = format!("{}@tide.example", name.to_lowercase());
        let mut body = json!({"email": email, "password": PASSWORD, "name": name});
        if let Some(invite) = invite {
            body["invite"] = invite["token"].clone();
        }
        mira.call(Method::POST, "/api/v1/accounts", &[], Some(&body)).await
    };
    let valid = mira.invite(&book, &json!({"role": "editor"})).await;
    assert_eq!(sign_up("Jonas", None).await.status, 403);
    assert_eq!(sign_up("Jonas", Some(&json!({"token": fresh()}))).await.problem(), gone());
    let answer = sign_up("Jonas", Some(&valid)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let jonas = mira.holder_of(&answer.json()["token"]);
    assert_eq!(jonas.get("/api/v1/books").await.json()["items"], json!([]));
    assert_eq!(jonas.accept(&valid).await.status, 200);

    // Used up, revoked, expired: none of them makes another account.
    assert_eq!(sign_up("Vera", Some(&valid)).await.problem(), gone());
    let revoked = mira.invite(&book, &json!({"role": "editor"})).await;
    let path = book.path(&format!("/invites/{}", revoked["id"].as_str().expect("an id")));
    mira.ask(Method::DELETE, &path, None).await;
    assert_eq!(sign_up("Vera", Some(&revoked)).await.problem(), gone());
    let short = mira.invite(&book, &json!({"role": "editor", "expires_in_s": 1})).await;
    expired(&mira, &book).await;
    assert_eq!(sign_up("Vera", Some(&short)).await.problem(), gone());
}
