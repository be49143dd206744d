//! Records over REST: each call, what it is answered with, and the entry it becomes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Stage, outcome};

/// A record in an answer: its fields, `deleted`, `seq`, and for a contact its `balances`. What else is there is the
/// server's to say.
fn record(answer: &Value) -> Value {
    let mut record = answer.clone();
    for more in ["balance", "contact_balances"] {
        record.as_object_mut().expect("a record").remove(more);
    }
    record
}

/// The changes of the log's last entry.
async fn last_changes(stage: &mut Stage) -> Value {
    let log = stage.mira.log(&stage.book).await;
    let entry = log.last().expect("an entry").value.clone();
    outcome(&stage.names.read(&entry))
}

#[tokio::test]
async fn each_write_is_an_entry_and_answers_with_the_record() {
    let mut stage = Stage::new().await;
    let ana = json!({"id": "@ana", "name": "Ana", "note": "n"});
    let lunch = json!({"id": "@lunch", "contact": "@ana", "direction": "gave", "amount": 5, "currency": "EUR",
        "date": "2026-11-22"});
    let with = |of: &Value, more: Value| crate::says::with(of.clone(), &more);
    let anna = json!({"id": "@ana", "name": "Anna"});
    let cases = [
        (
            (Method::POST, "/contacts", Some(ana.clone())),
            (201, with(&ana, json!({"deleted": false, "seq": 3, "balances": {}}))),
            json!([with(&ana, json!({"type": "contact_created"}))]),
        ),
        (
            (Method::POST, "/transactions", Some(lunch.clone())),
            (201, with(&lunch, json!({"deleted": false, "seq": 4}))),
            json!([with(&lunch, json!({"type": "transaction_created"}))]),
        ),
        (
            (Method::PATCH, "/contacts/@ana", Some(json!({"name": "Anna", "note": null}))),
            (200, with(&anna, json!({"deleted": false, "seq": 5, "balances": {"EUR": 5}}))),
            json!([{"type": "contact_updated", "id": "@ana", "set": {"name": "Anna", "note": null},
                "was": {"name": "Ana", "note": "n"}}]),
        ),
        (
            (Method::PATCH, "/transactions/@lunch", Some(json!({"amount": 7, "due": "2026-12-01"}))),
            (200, with(&lunch, json!({"amount": 7, "due": "2026-12-01", "deleted": false, "seq": 6}))),
            json!([{"type": "transaction_updated", "id": "@lunch", "set": {"amount": 7, "due": "2026-12-01"},
                "was": {"amount": 5, "due": null}}]),
        ),
        (
            (Method::DELETE, "/transactions/@lunch", None),
            (200, with(&lunch, json!({"amount": 7, "due": "2026-12-01", "deleted": true, "seq": 7}))),
            json!([{"type": "transaction_deleted", "id": "@lunch"}]),
        ),
        (
            (Method::POST, "/transactions/@lunch/restore", None),
            (200, with(&lunch, json!({"amount": 7, "due": "2026-12-01", "deleted": false, "seq": 8}))),
            json!([{"type": "transaction_restored", "id": "@lunch"}]),
        ),
        (
            (Method::DELETE, "/contacts/@ana", None),
            (200, with(&anna, json!({"deleted": true, "seq": 9, "balances": {"EUR": 7}}))),
            json!([{"type": "contact_deleted", "id": "@ana"}]),
        ),
        // Deleting what is deleted changes nothing, and is answered with what is there.
        (
            (Method::DELETE, "/contacts/@ana", None),
            (200, with(&anna, json!({"deleted": true, "seq": 9, "balances": {"EUR": 7}}))),
            json!([]),
        ),
        (
            (Method::POST, "/contacts/@ana/restore", None),
            (200, with(&anna, json!({"deleted": false, "seq": 11, "balances": {"EUR": 7}}))),
            json!([{"type": "contact_restored", "id": "@ana"}]),
        ),
    ];
    for ((method, path, body), (status, expected), changes) in cases {
        let (got, answer) = stage.call(method.clone(), path, body).await;
        assert_eq!((got, record(&answer)), (status, expected), "{method} {path}");
        assert_eq!(last_changes(&mut stage).await, changes, "{method} {path}");
        // Read again, it is the same.
        let id = if path.contains("transactions") { "/transactions/@lunch" } else { "/contacts/@ana" };
        assert_eq!(stage.call(Method::GET, id, None).await, (200, answer));
    }
}

/// Where none is given, the server makes one.
#[tokio::test]
async fn an_id_is_made_where_none_is_given() {
    let mut stage = Stage::new().await;
    let (status, ana) = stage.call(Method::POST, "/contacts", Some(json!({"name": "Ana"}))).await;
    let id = ana["id"].as_str().expect("an id");
    assert_eq!((status, id.len(), id.as_bytes()[14]), (201, 36, b'7'));
    let (_, again) = stage.call(Method::POST, "/contacts", Some(json!({"name": "Ana"}))).await;
    assert_ne!(ana["id"], again["id"]);
}

#[tokio::test]
async fn what_is_at_fault_is_named() {
    let mut stage = Stage::new().await;
    let (contact, lunch) = (
        |id: &str| json!({"id": id, "name": "Ana"}),
        |contact: &str| {
            json!({"id": "@lunch", "contact": contact, "direction": "gave", "amount": 5, "currency": "EUR",
            "date": "2026-11-22"})
        },
    );
    for (path, body) in
        [("/contacts", contact("@ana")), ("/contacts", contact("@gone")), ("/transactions", lunch("@ana"))]
    {
        assert_eq!(stage.call(Method::POST, path, Some(body)).await.0, 201);
    }
    stage.call(Method::DELETE, "/contacts/@gone", None).await;
    let head = stage.mira.head(&stage.book).await;
    // What is rejected is an entry.
    let with = |more: Value| crate::says::with(lunch("@ana"), &crate::says::with(json!({"id": "@new"}), &more));
    let rejected = [
        (Method::POST, "/contacts", Some(contact("@ana")), (422, "id_taken", "")),
        (Method::POST, "/transactions", Some(lunch("@ana")), (422, "id_taken", "")),
        (Method::POST, "/contacts", Some(json!({"name": ""})), (422, "invalid_field", "name")),
        (Method::POST, "/contacts", Some(json!({})), (422, "malformed", "")),
        (Method::POST, "/transactions", Some(with(json!({"contact": "@nobody"}))), (404, "unknown_contact", "")),
        (Method::POST, "/transactions", Some(with(json!({"contact": "@gone"}))), (404, "unknown_contact", "")),
        (Method::POST, "/transactions", Some(with(json!({"amount": 0}))), (422, "invalid_field", "amount")),
        (Method::POST, "/transactions", Some(with(json!({"currency": "eur"}))), (422, "invalid_field", "currency")),
        (Method::PATCH, "/contacts/@ana", Some(json!({"name": null})), (422, "invalid_field", "name")),
        (Method::PATCH, "/contacts/@ana", Some(json!({"name": 7})), (422, "malformed", "")),
        (Method::PATCH, "/contacts/@nobody", Some(json!({"name": "X"})), (404, "unknown_contact", "")),
        (Method::PATCH, "/contacts/@gone", Some(json!({"name": "X"})), (404, "unknown_contact", "")),
        (Method::DELETE, "/contacts/@nobody", None, (404, "unknown_contact", "")),
        (Method::POST, "/contacts/@nobody/restore", None, (404, "unknown_contact", "")),
        (Method::PATCH, "/transactions/@nothing", Some(json!({"note": "X"})), (404, "unknown_transaction", "")),
        (Method::PATCH, "/transactions/@lunch", Some(json!({"date": "X"})), (422, "invalid_field", "date")),
        (Method::DELETE, "/transactions/@nothing", None, (404, "unknown_transaction", "")),
        (Method::POST, "/transactions/@nothing/restore", None, (404, "unknown_transaction", "")),
    ];
    let count = rejected.len() as u64;
    for (method, path, body, (status, code, field)) in rejected {
        let (got, problem) = stage.call(method.clone(), path, body.clone()).await;
        let field_told = problem["field"].as_str().unwrap_or("");
        assert_eq!((got, &problem["code"], field_told), (status, &json!(code), field), "{method} {path} {body:?}");
        assert_eq!(last_changes(&mut stage).await["rejected"], code);
    }
    assert_eq!(stage.mira.head(&stage.book).await, head + count);
    // What cannot be read, or is not there to be read, is none.
    let refused = [
        (Method::POST, "/contacts", Some(json!([])), 400),
        (Method::POST, "/contacts", Some(json!("Ana")), 400),
        (Method::PATCH, "/contacts/@ana", Some(json!(null)), 400),
        (Method::PATCH, "/contacts/@ana", None, 415),
        (Method::GET, "/contacts/@nobody", None, 404),
        (Method::GET, "/contacts/ana", None, 404),
        (Method::GET, "/transactions/@ana", None, 404),
        (Method::PATCH, "/contacts/ana", Some(json!({"name": "X"})), 404),
        (Method::PUT, "/contacts/@ana", Some(json!({"name": "X"})), 405),
    ];
    for (method, path, body, status) in refused {
        assert_eq!(stage.call(method.clone(), path, body).await.0, status, "{method} {path}");
    }
    assert_eq!(stage.mira.head(&stage.book).await, head + count);
    // A record that was deleted is read all the same, and says so.
    assert_eq!(stage.call(Method::GET, "/contacts/@gone", None).await.1["deleted"], true);
}

/// `Tidebook-Base` is the seq at which the edited values were read; without it, they were read now.
#[tokio::test]
async fn a_write_from_an_old_base_conflicts() {
    let mut stage = Stage::new().await;
    stage.call(Method::POST, "/contacts", Some(json!({"id": "@ana", "name": "Ana"}))).await;
    let set = |note: &str| Some(json!({"note": note}));
    let patch = async |stage: &mut Stage, base: &str, note: &str| {
        stage.call_with(Method::PATCH, "/contacts/@ana", &[("tidebook-base", base)], set(note)).await
    };
    assert_eq!(patch(&mut stage, "3", "a").await.0, 200);

    // Also with oneself: a session is not one device.
    let (status, problem) = patch(&mut stage, "3", "b").await;
    assert_eq!((status, &problem["code"], &problem["conflicts"]), (409, &json!("conflict"), &json!(["@1"])));
    assert_eq!((&problem["seq"], &problem["record"]["note"]), (&json!(5), &json!("a")));
    assert_eq!(problem["record"], stage.call(Method::GET, "/contacts/@ana", None).await.1);
    let changes = last_changes(&mut stage).await;
    assert_eq!((&changes[0]["type"], &changes[0]["id"]), (&json!("conflict_raised"), &json!("@1")));
    assert_eq!(changes[0]["standing"], json!({"set": {"note": "a"}, "by": "@Mira", "seq": 4}));

    // The head, and no base at all; other fields are no matter.
    assert_eq!(patch(&mut stage, "5", "c").await.0, 200);
    assert_eq!(stage.call(Method::PATCH, "/contacts/@ana", set("d")).await.0, 200);
    let phone = Some(json!({"phone": "7"}));
    assert_eq!(stage.call_with(Method::PATCH, "/contacts/@ana", &[("tidebook-base", "3")], phone).await.0, 200);
    // A delete from before the last edit.
    let (status, problem) = stage.call_with(Method::DELETE, "/contacts/@ana", &[("tidebook-base", "3")], None).await;
    assert_eq!((status, &problem["record"]["deleted"]), (409, &json!(false)));

    let head = stage.mira.head(&stage.book).await;
    let (status, problem) = patch(&mut stage, &(head + 1).to_string(), "e").await;
    assert_eq!((status, &problem["code"]), (409, &json!("wrong_epoch")));
    for nonsense in ["", "x", "-1", "1.5", "18446744073709551616"] {
        let (status, problem) = patch(&mut stage, nonsense, "e").await;
        assert_eq!((status, &problem["code"]), (400, &json!("malformed")), "{nonsense}");
    }
    assert_eq!(stage.mira.head(&stage.book).await, head);
}

/// REST writes come from one replica per session, numbered like all others.
#[tokio::test]
async fn a_session_is_a_replica() {
    let stage = Stage::new().await;
    let phone = stage.mira.sign_in().await;
    for _ in 0..2 {
        for session in [&stage.mira, &phone] {
            session.ask(Method::POST, &stage.book.path("/contacts"), Some(&json!({"name": "Ana"}))).await;
        }
    }
    let log = stage.mira.log(&stage.book).await;
    let line = |at: usize| (log[at].value["replica"].clone(), log[at].value["n"].as_u64().expect("a number"));
    let (first, second) = (line(2), line(3));
    assert_ne!(first.0, second.0);
    assert_eq!((line(4), line(5)), ((first.0, first.1 + 1), (second.0, second.1 + 1)));
    // The fates of one of them.
    let path = stage.book.path(&format!("/entries?replica={}&from_n=2", line(3).0.as_str().expect("an id")));
    assert_eq!(stage.mira.get(&path).await.json()["entries"], json!([log[5].value]));
}
