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

/// Who says what from which base, and the type and the data of each frame that follows.
type Step = ((&'static str, &'static str), u64, Value, Vec<(&'static str, Value)>);

const MIRA: (&str, &str) = ("mira", "Mira");
const JONAS: (&str, &str) = ("jonas", "Jonas");

#[tokio::test]
async fn each_type_of_change_is_told() {
    let mut stage = Stage::new().await;
    let mut feed = feed::open(&stage.jonas, &format!("?book={}", stage.book.id)).await;
    assert_eq!(feed.frame().await, json!({"type": "ready", "seq": 2}));
    let in_dollars = json!({"id": stage.book.id, "name": "Harbour Street", "currency": "USD"});
    let steps = [records_are_made_and_edited(), a_transaction_goes_and_comes_back(), two_disagree()];
    for (who, base, ops, expected) in steps.into_iter().flatten().chain(the_book_and_a_contact_change(in_dollars)) {
        check(&mut stage, &mut feed, who, base, ops, &expected).await;
    }
    what_changes_nothing_is_not_told(&mut stage, &mut feed).await;
}

fn records_are_made_and_edited() -> Vec<Step> {
    let create_contact = json!([{"op": "create_contact", "id": "@ana", "name": "Ana"}]);
    let create_transaction = json!([crate::says::with(lunch(), &json!({"op": "create_transaction"}))]);
    let update_transaction = json!([{"op": "update_transaction", "id": "@lunch", "set": {"amount": 7}}]);
    let edited = contact(5, json!({"note": "a", "balance": 5, "balances": {"EUR": 5}}));
    let of_seven = transaction(6, json!({"amount": 7, "contact_balances": {"EUR": 7}}));
    vec![
        (MIRA, 2, create_contact, vec![("contact_created", contact(3, json!({})))]),
        (MIRA, 3, create_transaction, vec![("transaction_created", transaction(4, json!({})))]),
        (MIRA, 4, update_contact(json!({"note": "a"})), vec![("contact_updated", edited)]),
        (MIRA, 5, update_transaction, vec![("transaction_updated", of_seven)]),
    ]
}

/// Marked where it is deleted.
fn a_transaction_goes_and_comes_back() -> Vec<Step> {
    let gone = transaction(7, json!({"amount": 7, "deleted": true, "contact_balances": {}}));
    let back = transaction(8, json!({"amount": 7, "contact_balances": {"EUR": 7}}));
    vec![
        (MIRA, 6, on("delete_transaction", "@lunch"), vec![("transaction_deleted", gone)]),
        (MIRA, 7, on("restore_transaction", "@lunch"), vec![("transaction_restored", back)]),
    ]
}

/// Of two field groups, one applies.
fn two_disagree() -> Vec<Step> {
    let applied = contact(9, json!({"note": "a", "phone": "1", "balance": 7, "balances": {"EUR": 7}}));
    let conflict = json!({"id": "@1", "record": {"kind": "contact", "id": "@ana"}, "kind": "edit_edit",
        "standing": {"set": {"note": "a"}, "by": "@Mira", "seq": 5},
        "offered": {"set": {"note": "b"}, "by": "@Jonas", "made_at": MADE_AT}});
    let told = vec![("contact_updated", applied), ("conflict_raised", conflict)];
    vec![(JONAS, 3, update_contact(json!({"phone": "1", "note": "b"})), told)]
}

/// A contact's balance is in the book's own currency, which becomes another one.
fn the_book_and_a_contact_change(book: Value) -> Vec<Step> {
    let update_book = json!([{"op": "update_book", "set": {"currency": "USD"}}]);
    let gone = contact(11, json!({"note": "a", "phone": "1", "deleted": true, "balances": {"EUR": 7}}));
    let back = contact(12, json!({"note": "a", "phone": "1", "balances": {"EUR": 7}}));
    vec![
        (MIRA, 9, update_book, vec![("book_updated", book)]),
        (MIRA, 10, on("delete_contact", "@ana"), vec![("contact_deleted", gone)]),
        (MIRA, 11, on("restore_contact", "@ana"), vec![("contact_restored", back)]),
    ]
}

/// Nor is what is rejected; the next frame is of the next change.
async fn what_changes_nothing_is_not_told(stage: &mut Stage, feed: &mut crate::raw::Raw) {
    stage.say("mira", 12, update_contact(json!({"name": ""}))).await;
    stage.say("mira", 12, update_contact(json!({"name": "Ana"}))).await;
    stage.say("mira", 12, json!([{"op": "resolve_conflict", "id": "@1", "apply": true}])).await;
    let frame = feed.frame().await;
    assert_eq!((&frame["type"], &frame["data"]["note"]), (&json!("contact_updated"), &json!("b")));
    let frame = feed.frame().await;
    let (kind, i, of, data) = told(stage, &frame);
    assert_eq!((kind.as_str(), i, of), ("conflict_resolved", 1, 2));
    assert_eq!((&data["id"], &data["applied"]), (&json!("@1"), &json!(true)));
}

/// The contact as it is told after this entry, with these members.
fn contact(seq: u64, more: Value) -> Value {
    let contact = json!({"id": "@ana", "name": "Ana", "balance": 0, "balances": {}, "deleted": false, "seq": seq});
    crate::says::with(contact, &more)
}

/// The transaction, likewise.
fn transaction(seq: u64, more: Value) -> Value {
    let derived = json!({"deleted": false, "seq": seq, "contact_balances": {"EUR": 5}});
    crate::says::with(crate::says::with(lunch(), &derived), &more)
}

fn lunch() -> Value {
    json!({"id": "@lunch", "contact": "@ana", "direction": "gave", "amount": 5, "currency": "EUR",
        "date": "2026-11-22"})
}

fn update_contact(set: Value) -> Value {
    json!([{"op": "update_contact", "id": "@ana", "set": set}])
}

fn on(op: &str, id: &str) -> Value {
    json!([{"op": op, "id": id}])
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
