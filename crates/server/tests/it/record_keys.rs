//! `Idempotency-Key`: a request that is repeated is done once, and answered as the first time.

use reqwest::Method;
use serde_json::{Value, json};

use crate::person::Answer;
use crate::stage::Stage;

async fn keyed(stage: &mut Stage, method: Method, path: &str, key: &str, body: Option<Value>) -> Answer {
    stage.answer(method, path, &[("idempotency-key", key)], body).await
}

fn same(first: &Answer, again: &Answer) {
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("content-type"), first.header("content-type"));
}

/// Each kind of answer, also after the record has changed, and after a restart.
#[tokio::test]
async fn a_repeat_gets_the_first_answer() {
    let mut stage = Stage::new().await;
    stage.call(Method::POST, "/contacts", Some(json!({"id": "@bo", "name": "Bo"}))).await;
    let requests = [
        (Method::POST, "/contacts", "create", Some(json!({"id": "@ana", "name": "Ana"}))),
        (Method::POST, "/contacts", "no id", Some(json!({"name": "Ana"}))),
        (Method::PATCH, "/contacts/@ana", "edit", Some(json!({"note": "a"}))),
        (Method::DELETE, "/contacts/@bo", "delete", None),
        (Method::POST, "/contacts/@bo/restore", "restore", None),
        (Method::PATCH, "/contacts/@ana", "fault", Some(json!({"name": ""}))),
        (Method::DELETE, "/contacts/@nobody", "unknown", None),
    ];
    let mut first = Vec::new();
    for (method, path, key, body) in &requests {
        first.push(keyed(&mut stage, method.clone(), path, key, body.clone()).await);
    }
    let statuses: Vec<u16> = first.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [201, 201, 200, 200, 200, 422, 404]);
    for (path, name) in [("/contacts/@ana", "Anna"), ("/contacts/@bo", "Bob")] {
        stage.call(Method::PATCH, path, Some(json!({"name": name}))).await;
    }
    let head = stage.mira.head(&stage.book).await;
    for round in ["again", "after a restart"] {
        for ((method, path, key, body), first) in requests.iter().zip(&first) {
            same(first, &keyed(&mut stage, method.clone(), path, key, body.clone()).await);
        }
        assert_eq!(stage.mira.head(&stage.book).await, head, "{round}");
        if round == "again" {
            let server = stage.server.stop().restarted().await;
            stage.mira = stage.mira.at(server.address);
            stage.server = server;
        }
    }
}

/// A conflict is an answer like others.
#[tokio::test]
async fn a_conflict_is_repeated_too() {
    let mut stage = Stage::new().await;
    stage.call(Method::POST, "/contacts", Some(json!({"id": "@ana", "name": "Ana"}))).await;
    stage.call(Method::PATCH, "/contacts/@ana", Some(json!({"note": "a"}))).await;
    let headers = [("idempotency-key", "late"), ("tidebook-base", "3")];
    let late = async |stage: &mut Stage| {
        stage.answer(Method::PATCH, "/contacts/@ana", &headers, Some(json!({"note": "b"}))).await
    };
    let first = late(&mut stage).await;
    assert_eq!(first.problem(), (409, "conflict".into()));
    stage.call(Method::PATCH, "/contacts/@ana", Some(json!({"note": "c"}))).await;
    same(&first, &late(&mut stage).await);
}

/// The mutation is named by person, book, method, path and key: another of these is another mutation.
#[tokio::test]
async fn a_key_counts_for_one_request() {
    let mut stage = Stage::new().await;
    for id in ["@ana", "@bo"] {
        stage.call(Method::POST, "/contacts", Some(json!({"id": id, "name": "X"}))).await;
    }
    let set = |note: &str| Some(json!({"note": note}));
    assert_eq!(keyed(&mut stage, Method::PATCH, "/contacts/@ana", "k", set("a")).await.status, 200);
    // Another body under the same key.
    let reused = keyed(&mut stage, Method::PATCH, "/contacts/@ana", "k", set("b")).await;
    assert_eq!(reused.problem(), (422, "key_reused".into()));
    assert_eq!(stage.mira.head(&stage.book).await, 5);
    // Another path, method, key, book and person.
    assert_eq!(keyed(&mut stage, Method::PATCH, "/contacts/@bo", "k", set("b")).await.json()["note"], "b");
    assert_eq!(keyed(&mut stage, Method::DELETE, "/contacts/@bo", "k", None).await.json()["deleted"], true);
    assert_eq!(keyed(&mut stage, Method::PATCH, "/contacts/@ana", "K", set("c")).await.json()["note"], "c");
    let (jonas, path) = (stage.jonas.bearer(), stage.book.path(&stage.names.path("/contacts/@ana")));
    let headers = [("authorization", jonas.as_str()), ("idempotency-key", "k")];
    let answer = stage.mira.call(Method::PATCH, &path, &headers, Some(&json!({"note": "d"}))).await;
    assert_eq!(answer.json()["note"], "d");
    let other = stage.mira.book("Hill Road").await;
    let bearer = stage.mira.bearer();
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
    for book in [&other, &stage.book] {
        let answer =
            stage.mira.call(Method::POST, &book.path("/contacts"), &headers, Some(&json!({"name": "X"}))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    // But not another device of the same person.
    let phone = stage.mira.sign_in().await.bearer();
    let head = stage.mira.head(&stage.book).await;
    let headers = [("authorization", phone.as_str()), ("idempotency-key", "k")];
    let again = stage.mira.call(Method::PATCH, &path, &headers, Some(&json!({"note": "a"}))).await;
    assert_eq!((again.status, &again.json()["note"]), (200, &json!("a")));
    assert_eq!(stage.mira.head(&stage.book).await, head);
}

#[tokio::test]
async fn two_at_once_are_one_entry() {
    let mut stage = Stage::new().await;
    let bearer = stage.mira.bearer();
    for round in 0..5 {
        let key = format!("round {round}");
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (mira, bearer, key, path) =
                (stage.mira.clone(), bearer.clone(), key.clone(), stage.book.path("/contacts"));
            asking.spawn(async move {
                let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
                let answer = mira.call(Method::POST, &path, &headers, Some(&json!({"name": "Ana"}))).await;
                (answer.status, answer.body)
            });
        }
        let answers = asking.join_all().await;
        assert_eq!(answers[0].0, 201);
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        assert_eq!(stage.mira.head(&stage.book).await, 3 + round);
    }
    assert_eq!(stage.call(Method::GET, "/contacts", None).await.1["items"].as_array().map(Vec::len), Some(5));
}

/// A key that is too long, empty or no text is refused before anything is done.
#[tokio::test]
async fn keys_have_bounds() {
    let mut stage = Stage::new().await;
    for (key, status) in [("k".to_owned(), 201), ("k".repeat(255), 201), ("k".repeat(256), 400), (String::new(), 400)] {
        let answer = keyed(&mut stage, Method::POST, "/contacts", &key, Some(json!({"name": "Ana"}))).await;
        assert_eq!(answer.status, status, "{} bytes: {}", key.len(), answer.body);
    }
    assert_eq!(stage.mira.head(&stage.book).await, 4);
}

/// Who may not write any more still learns what became of it.
#[tokio::test]
async fn a_repeat_is_answered_after_the_book_was_archived() {
    let mut stage = Stage::new().await;
    let body = || Some(json!({"name": "Ana"}));
    let first = keyed(&mut stage, Method::POST, "/contacts", "k", body()).await;
    assert_eq!(stage.answer(Method::DELETE, "", &[], None).await.status, 204);
    same(&first, &keyed(&mut stage, Method::POST, "/contacts", "k", body()).await);
    assert_eq!(keyed(&mut stage, Method::POST, "/contacts", "l", body()).await.problem(), (409, "archived".into()));
}
