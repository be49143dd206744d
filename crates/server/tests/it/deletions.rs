//! Edits outlive deletes, whichever came first: the table of the design, row by row.

use serde_json::{Value, json};

use crate::stage::{MADE_AT, Row, Stage};

fn transaction(id: &str, contact: &str) -> Value {
    json!({"op": "create_transaction", "id": id, "contact": contact, "direction": "gave", "amount": 5, "currency": "EUR",
        "date": "2026-11-22"})
}

fn on(op: &str, id: &str) -> Value {
    json!([{"op": op, "id": id}])
}

fn told(change: &str, id: &str) -> Value {
    json!({"type": change, "id": id})
}

fn set(kind: &str, id: &str, set: Value) -> Value {
    json!([{"op": format!("update_{kind}"), "id": id, "set": set}])
}

fn updated(kind: &str, id: &str, set: Value, was: Value) -> Value {
    json!({"type": format!("{kind}_updated"), "id": id, "set": set, "was": was})
}

fn created(id: &str, contact: &str) -> Value {
    json!({"type": "transaction_created", "id": id, "contact": contact, "direction": "gave", "amount": 5,
        "currency": "EUR", "date": "2026-11-22"})
}

/// Which kind, which record; what stands, by whom and since when; what was offered, by whom.
fn raised(id: &str, kind: &str, record: (&str, &str), standing: (Value, &str, u64), offered: (Value, &str)) -> Value {
    json!({
        "type": "conflict_raised", "id": id, "record": {"kind": record.0, "id": record.1}, "kind": kind,
        "standing": {"set": standing.0, "by": standing.1, "seq": standing.2},
        "offered": {"set": offered.0, "by": offered.1, "made_at": MADE_AT},
    })
}

fn resolve(id: &str) -> Value {
    json!([{"op": "resolve_conflict", "id": id, "apply": true}])
}

fn applied(id: &str) -> Value {
    json!({"type": "conflict_resolved", "id": id, "applied": true})
}

/// Entry 3 makes the contacts `@ana` and `@bo`, and `@lunch` with `@ana`; then come the rows.
async fn check(rows: impl IntoIterator<Item = Row>) -> Stage {
    let mut stage = Stage::new().await;
    let contact = |id: &str, name: &str| json!({"op": "create_contact", "id": id, "name": name});
    stage.say("mira", 2, json!([contact("@ana", "Ana"), contact("@bo", "Bo"), transaction("@lunch", "@ana")])).await;
    stage.check(rows).await;
    stage
}

const LUNCH: (&str, &str) = ("transaction", "@lunch");
const ANA: (&str, &str) = ("contact", "@ana");

#[tokio::test]
async fn an_edit_then_a_delete_not_knowing_of_it() {
    check([
        (
            "mira",
            3,
            set("transaction", "@lunch", json!({"note": "a"})),
            json!([updated("transaction", "@lunch", json!({"note": "a"}), json!({"note": null}))]),
        ),
        (
            "jonas",
            3,
            on("delete_transaction", "@lunch"),
            json!([raised("@1", "edit_delete", LUNCH, (json!({"note": "a"}), "@Mira", 4), (json!({"deleted": true}), "@Jonas"))]),
        ),
        // The same replica deletes once more, not knowing still: its last offer makes room.
        (
            "jonas",
            3,
            on("delete_transaction", "@lunch"),
            json!([
                {"type": "conflict_resolved", "id": "@1", "applied": false},
                raised("@2", "edit_delete", LUNCH, (json!({"note": "a"}), "@Mira", 4), (json!({"deleted": true}), "@Jonas")),
            ]),
        ),
        ("mira", 6, resolve("@2"), json!([told("transaction_deleted", "@lunch"), applied("@2")])),
    ])
    .await;
}

#[tokio::test]
async fn a_delete_then_an_edit_not_knowing_of_it() {
    let stage = &mut check([
        ("mira", 3, on("delete_transaction", "@lunch"), json!([told("transaction_deleted", "@lunch")])),
        // One per op, with the op's whole set.
        (
            "jonas",
            3,
            set("transaction", "@lunch", json!({"note": "n", "amount": 7, "due": "2026-12-01"})),
            json!([raised(
                "@1",
                "delete_edit",
                LUNCH,
                (json!({"deleted": true}), "@Mira", 4),
                (json!({"note": "n", "amount": 7, "due": "2026-12-01"}), "@Jonas")
            )]),
        ),
        // It closes only by decision: the next offer is one more.
        (
            "jonas",
            3,
            set("transaction", "@lunch", json!({"note": "m"})),
            json!([raised(
                "@2",
                "delete_edit",
                LUNCH,
                (json!({"deleted": true}), "@Mira", 4),
                (json!({"note": "m"}), "@Jonas")
            )]),
        ),
        (
            "mira",
            6,
            resolve("@1"),
            json!([
                told("transaction_restored", "@lunch"),
                updated(
                    "transaction",
                    "@lunch",
                    json!({"note": "n", "amount": 7, "due": "2026-12-01"}),
                    json!({"note": null, "amount": 5, "due": null})
                ),
                applied("@1"),
            ]),
        ),
        (
            "mira",
            7,
            json!([{"op": "resolve_conflict", "id": "@2", "apply": false}]),
            json!([{"type": "conflict_resolved", "id": "@2", "applied": false}]),
        ),
        // Who knew of the delete and names the record anyway.
        ("mira", 8, on("delete_transaction", "@lunch"), json!([told("transaction_deleted", "@lunch")])),
        (
            "jonas",
            9,
            set("transaction", "@lunch", json!({"note": "x"})),
            json!({"rejected": "unknown_transaction", "op": 0}),
        ),
    ])
    .await;
    let state = stage.state().await;
    assert_eq!((&state["transactions"][0]["deleted"], &state["conflicts"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn deleting_what_is_deleted_and_restoring_what_stands_change_nothing() {
    check([
        ("mira", 3, on("delete_transaction", "@lunch"), json!([told("transaction_deleted", "@lunch")])),
        ("jonas", 3, on("delete_transaction", "@lunch"), json!([])),
        ("jonas", 5, on("delete_transaction", "@lunch"), json!([])),
        ("jonas", 6, on("restore_transaction", "@lunch"), json!([told("transaction_restored", "@lunch")])),
        ("mira", 7, on("restore_transaction", "@lunch"), json!([])),
        ("mira", 8, on("delete_contact", "@ana"), json!([told("contact_deleted", "@ana")])),
        ("jonas", 8, on("delete_contact", "@ana"), json!([])),
        ("jonas", 10, on("restore_contact", "@ana"), json!([told("contact_restored", "@ana")])),
        ("jonas", 11, on("restore_contact", "@ana"), json!([])),
    ])
    .await;
}

/// New, edited, moved or restored: each keeps its contact from a delete that did not know of it.
#[tokio::test]
async fn a_transaction_then_the_delete_of_its_contact() {
    let delete = on("delete_contact", "@ana");
    let offered = || (json!({"deleted": true}), "@Jonas");
    let kept = |id: &str, seq: u64| raised(id, "edit_delete", ANA, (json!({}), "@Mira", seq), offered());
    let superseded = |id: &str| json!({"type": "conflict_resolved", "id": id, "applied": false});
    check([
        ("mira", 3, json!([transaction("@taxi", "@ana")]), json!([created("@taxi", "@ana")])),
        ("jonas", 3, delete.clone(), json!([kept("@1", 4)])),
        (
            "mira",
            5,
            set("transaction", "@lunch", json!({"note": "a"})),
            json!([updated("transaction", "@lunch", json!({"note": "a"}), json!({"note": null}))]),
        ),
        ("jonas", 5, delete.clone(), json!([superseded("@1"), kept("@2", 6)])),
        ("mira", 7, json!([transaction("@tea", "@bo")]), json!([created("@tea", "@bo")])),
        (
            "mira",
            8,
            set("transaction", "@tea", json!({"contact": "@ana"})),
            json!([updated("transaction", "@tea", json!({"contact": "@ana"}), json!({"contact": "@bo"}))]),
        ),
        ("jonas", 8, delete.clone(), json!([superseded("@2"), kept("@3", 9)])),
        ("mira", 10, on("delete_transaction", "@taxi"), json!([told("transaction_deleted", "@taxi")])),
        ("mira", 11, on("restore_transaction", "@taxi"), json!([told("transaction_restored", "@taxi")])),
        ("jonas", 11, delete.clone(), json!([superseded("@3"), kept("@4", 12)])),
        // Who knows of all of them deletes.
        ("jonas", 13, delete, json!([told("contact_deleted", "@ana"), superseded("@4")])),
    ])
    .await;
}

/// The contact comes back, and the entry says so.
#[tokio::test]
async fn the_delete_of_a_contact_then_a_transaction_with_it() {
    let delete = on("delete_contact", "@ana");
    let deleted = json!([told("contact_deleted", "@ana")]);
    check([
        ("mira", 3, on("delete_transaction", "@lunch"), json!([told("transaction_deleted", "@lunch")])),
        ("mira", 4, json!([transaction("@tea", "@bo")]), json!([created("@tea", "@bo")])),
        ("mira", 5, delete.clone(), deleted.clone()),
        (
            "jonas",
            5,
            json!([transaction("@taxi", "@ana")]),
            json!([told("contact_restored", "@ana"), created("@taxi", "@ana")]),
        ),
        ("mira", 7, delete.clone(), deleted.clone()),
        (
            "jonas",
            7,
            set("transaction", "@tea", json!({"contact": "@ana"})),
            json!([
                told("contact_restored", "@ana"),
                updated("transaction", "@tea", json!({"contact": "@ana"}), json!({"contact": "@bo"})),
            ]),
        ),
        ("mira", 9, delete, deleted),
        (
            "jonas",
            9,
            on("restore_transaction", "@lunch"),
            json!([told("contact_restored", "@ana"), told("transaction_restored", "@lunch")]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_delete_of_a_contact_then_an_edit_of_its_transaction() {
    check([
        ("mira", 3, on("delete_contact", "@ana"), json!([told("contact_deleted", "@ana")])),
        (
            "jonas",
            3,
            set("transaction", "@lunch", json!({"note": "n"})),
            json!([raised(
                "@1",
                "delete_edit",
                LUNCH,
                (json!({"deleted": true}), "@Mira", 4),
                (json!({"note": "n"}), "@Jonas")
            )]),
        ),
        (
            "mira",
            5,
            resolve("@1"),
            json!([
                told("contact_restored", "@ana"),
                updated("transaction", "@lunch", json!({"note": "n"}), json!({"note": null})),
                applied("@1"),
            ]),
        ),
    ])
    .await;
}

/// Applying an offered edit to a record deleted meanwhile restores it with the edit.
#[tokio::test]
async fn an_edit_that_was_kept_aside_brings_its_record_back() {
    check([
        (
            "mira",
            3,
            set("contact", "@bo", json!({"note": "a"})),
            json!([updated("contact", "@bo", json!({"note": "a"}), json!({"note": null}))]),
        ),
        (
            "jonas",
            3,
            set("contact", "@bo", json!({"note": "b"})),
            json!([raised(
                "@1",
                "edit_edit",
                ("contact", "@bo"),
                (json!({"note": "a"}), "@Mira", 4),
                (json!({"note": "b"}), "@Jonas")
            )]),
        ),
        ("mira", 5, on("delete_contact", "@bo"), json!([told("contact_deleted", "@bo")])),
        (
            "mira",
            6,
            resolve("@1"),
            json!([
                told("contact_restored", "@bo"),
                updated("contact", "@bo", json!({"note": "b"}), json!({"note": "a"})),
                applied("@1"),
            ]),
        ),
    ])
    .await;
}

/// Deleting a contact hides its transactions from lists and totals; restoring brings them back.
#[tokio::test]
async fn a_deleted_contact_hides_its_transactions() {
    let mut stage = check([]).await;
    let listed = async |stage: &mut Stage| {
        let list = stage.mira.get(&stage.book.path("/transactions")).await.json();
        list["items"].as_array().expect("a list").len()
    };
    assert_eq!(listed(&mut stage).await, 1);
    stage.say("mira", 3, on("delete_contact", "@ana")).await;
    assert_eq!(listed(&mut stage).await, 0);
    stage.say("mira", 4, on("restore_contact", "@ana")).await;
    assert_eq!(listed(&mut stage).await, 1);
}
