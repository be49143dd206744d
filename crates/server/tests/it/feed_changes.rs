//! Every type of change on the feed: the frame around it, and the whole record as it stands.

use reqwest::Method;
use serde_json::{Value, json};

use crate::feed;
use crate::stage::{MADE_AT, Stage};

/// What a frame tells: its type, place, author and data. What else data has is the server's to say.
fn told(stage: &mut Stage, frame: &Value) -> (String, u64, u64, Value) {
    assert!(frame["at"].as_u64() > Some(1_700_000_000_000), "{frame}");
    let frame = stage.names.read(frame);
    let number = |name: &str| frame[name].as_u64().expect("a number");
    (frame["type"].as_str().expect("a type").to_owned(), number("i"), number("of"), frame["data"].clone())
}

/// Says the ops and compares the frames that follow, one for each change.
async fn check(
    stage: &mut Stage,
    feed: &mut crate::raw::Raw,
    who: (&'static str, &str),
    base: u64,
    ops: Value,
    expected: &[(&str, Value)],
) {
    let entry = stage.entry(who.0, json!({"base": base, "ops": ops})).await;
    for (place, (kind, data)) in expected.iter().enumerate() {
        let frame = feed.frame().await;
        assert_eq!((&frame["seq"], &frame["at"]), (&entry["seq"], &entry["at"]));
        assert_eq!(stage.names.read(&frame["by"]), json!({"id": format!("@{}", who.1), "name": who.1}));
        let told = told(stage, &frame);
        assert_eq!(told, ((*kind).to_owned(), place as u64, expected.len() as u64, data.clone()));
    }
}

#[tokio::test]
async fn each_type_of_change_is_told() {
    let mut stage = Stage::new().await;
    let mut feed = feed::open(&stage.jonas, &format!("?book={}", stage.book.id)).await;
    assert_eq!(feed.frame().await, json!({"type": "ready", "seq": 2}));
    let contact = |seq: u64, more: Value| {
        let contact = json!({"id": "@ana", "name": "Ana", "balance": 0, "balances": {}, "deleted": false, "seq": seq});
        crate::says::with(contact, &more)
    };
    let lunch = json!({"id": "@lunch", "contact": "@ana", "direction": "gave", "amount": 5, "currency": "EUR",
        "date": "2026-11-22"});
    let transaction = |seq: u64, more: Value| {
        let derived = json!({"deleted": false, "seq": seq, "contact_balances": {"EUR": 5}});
        crate::says::with(crate::says::with(lunch.clone(), &derived), &more)
    };
    let mira = ("mira", "Mira");
    let update = |set: Value| json!([{"op": "update_contact", "id": "@ana", "set": set}]);
    let on = |op: &str, id: &str| json!([{"op": op, "id": id}]);
    let create = crate::says::with(lunch.clone(), &json!({"op": "create_transaction"}));
    let conflict = |standing: Value| {
        json!({"id": "@1", "record": {"kind": "contact", "id": "@ana"}, "kind": "edit_edit", "standing": standing,
            "offered": {"set": {"note": "b"}, "by": "@Jonas", "made_at": MADE_AT}})
    };
    let steps = [
        (
            mira,
            2,
            json!([{"op": "create_contact", "id": "@ana", "name": "Ana"}]),
            vec![("contact_created", contact(3, json!({})))],
        ),
        (mira, 3, json!([create]), vec![("transaction_created", transaction(4, json!({})))]),
        (
            mira,
            4,
            update(json!({"note": "a"})),
            vec![("contact_updated", contact(5, json!({"note": "a", "balance": 5, "balances": {"EUR": 5}})))],
        ),
        (
            mira,
            5,
            json!([{"op": "update_transaction", "id": "@lunch", "set": {"amount": 7}}]),
            vec![("transaction_updated", transaction(6, json!({"amount": 7, "contact_balances": {"EUR": 7}})))],
        ),
        // Marked where it is deleted.
        (
            mira,
            6,
            on("delete_transaction", "@lunch"),
            vec![(
                "transaction_deleted",
                transaction(7, json!({"amount": 7, "deleted": true, "contact_balances": {}})),
            )],
        ),
        (
            mira,
            7,
            on("restore_transaction", "@lunch"),
            vec![("transaction_restored", transaction(8, json!({"amount": 7, "contact_balances": {"EUR": 7}})))],
        ),
        (
            ("jonas", "Jonas"),
            3,
            update(json!({"phone": "1", "note": "b"})),
            vec![
                (
                    "contact_updated",
                    contact(9, json!({"note": "a", "phone": "1", "balance": 7, "balances": {"EUR": 7}})),
                ),
                ("conflict_raised", conflict(json!({"set": {"note": "a"}, "by": "@Mira", "seq": 5}))),
            ],
        ),
        (
            mira,
            9,
            json!([{"op": "update_book", "set": {"currency": "USD"}}]),
            vec![("book_updated", json!({"id": stage.book.id, "name": "Harbour Street", "currency": "USD"}))],
        ),
        // The balance is in the book's own currency, which is another one now.
        (
            mira,
            10,
            on("delete_contact", "@ana"),
            vec![(
                "contact_deleted",
                contact(11, json!({"note": "a", "phone": "1", "deleted": true, "balances": {"EUR": 7}})),
            )],
        ),
        (
            mira,
            11,
            on("restore_contact", "@ana"),
            vec![("contact_restored", contact(12, json!({"note": "a", "phone": "1", "balances": {"EUR": 7}})))],
        ),
    ];
    for (who, base, ops, expected) in steps {
        check(&mut stage, &mut feed, who, base, ops, &expected).await;
    }
    // What is rejected and what changes nothing is not told; the next frame is of the next change.
    stage.say("mira", 12, update(json!({"name": ""}))).await;
    stage.say("mira", 12, update(json!({"name": "Ana"}))).await;
    stage.say("mira", 12, json!([{"op": "resolve_conflict", "id": "@1", "apply": true}])).await;
    let frame = feed.frame().await;
    assert_eq!((&frame["type"], &frame["data"]["note"]), (&json!("contact_updated"), &json!("b")));
    let (kind, i, of, data) = {
        let frame = feed.frame().await;
        told(&mut stage, &frame)
    };
    assert_eq!((kind.as_str(), i, of), ("conflict_resolved", 1, 2));
    assert_eq!((&data["id"], &data["applied"]), (&json!("@1"), &json!(true)));
}

#[tokio::test]
async fn changes_of_members_are_told() {
    let mut stage = Stage::new().await;
    let vera = stage.server.person("Vera").await;
    stage.names.give("@Vera", &vera.id);
    let mut feed = feed::open(&stage.jonas, &format!("?book={}", stage.book.id)).await;
    feed.frame_of("ready").await;
    stage.mira.let_in(&vera, &stage.book, "viewer").await;
    let mut next = async |stage: &mut Stage| {
        let frame = feed.frame().await;
        told(stage, &frame)
    };
    let member = |kind: &str, role: Value| {
        (kind.to_owned(), 0, 1, json!({"user": {"id": "@Vera", "name": "Vera"}, "role": role}))
    };
    assert_eq!(next(&mut stage).await, member("member_added", json!("viewer")));
    stage.mira.set_role(&vera, &stage.book, "editor").await;
    assert_eq!(next(&mut stage).await, member("member_role_changed", json!("editor")));
    stage.mira.remove(&vera, &stage.book).await;
    assert_eq!(next(&mut stage).await, member("member_removed", Value::Null));
}

/// With `after`, everything since comes as it stands when it is told.
#[tokio::test]
async fn what_is_told_late_is_marked() {
    let mut stage = Stage::new().await;
    let (ana, path) = (json!({"id": "@ana", "name": "Ana"}), "/contacts/@ana");
    stage.call(Method::POST, "/contacts", Some(ana)).await;
    stage.call(Method::PATCH, path, Some(json!({"name": "Anna"}))).await;
    stage.call(Method::DELETE, path, None).await;
    let cases = [
        (2, vec!["contact_created", "contact_updated", "contact_deleted"]),
        (3, vec!["contact_updated", "contact_deleted"]),
        (4, vec!["contact_deleted"]),
    ];
    for (after, expected) in cases {
        let mut feed = feed::open(&stage.mira, &format!("?book={}&after={after}", stage.book.id)).await;
        feed.frame_of("ready").await;
        for (kind, seq) in expected.iter().zip(after + 1..) {
            let frame = feed.frame().await;
            assert_eq!((&frame["type"], &frame["seq"]), (&json!(kind), &json!(seq)));
            let data = &frame["data"];
            assert_eq!((&data["name"], &data["deleted"], &data["seq"]), (&json!("Anna"), &json!(true), &json!(5)));
        }
    }
}
