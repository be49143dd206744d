//! Every op, and the changes it becomes, word by word.

use serde_json::{Value, json};

use crate::stage::{MADE_AT, Stage, outcome};

fn created(op: &Value) -> Value {
    let mut change = op.clone();
    let kind = change.as_object_mut().and_then(|op| op.remove("op")).expect("an op");
    let kind = kind.as_str().and_then(|op| op.strip_prefix("create_")).expect("an op that creates").to_owned();
    change["type"] = format!("{kind}_created").into();
    change
}

#[tokio::test]
async fn each_op_becomes_a_change() {
    let mut stage = Stage::new().await;
    let ana = json!({"op": "create_contact", "id": "@ana", "name": "Ana", "username": "ana", "phone": "+81 3",
        "email": "ana@tide.example", "note": "two\nlines"});
    let bo = json!({"op": "create_contact", "id": "@bo", "name": "Bo"});
    let lunch = json!({"op": "create_transaction", "id": "@lunch", "contact": "@ana", "direction": "gave", "amount": 2050,
        "currency": "EUR", "date": "2026-11-22", "note": "lunch", "due": "2026-12-01"});
    let taxi = json!({"op": "create_transaction", "id": "@taxi", "contact": "@bo", "direction": "got", "amount": 1,
        "currency": "JPY", "date": "2026-11-22"});
    stage
        .check([
            ("mira", 2, json!([ana]), json!([created(&ana)])),
            ("mira", 3, json!([bo, lunch, taxi]), json!([created(&bo), created(&lunch), created(&taxi)])),
            // `null` clears an optional field.
            (
                "mira",
                4,
                json!([{"op": "update_contact", "id": "@ana", "set": {"name": "Anna", "note": null, "phone": "+81 4"}}]),
                json!([{"type": "contact_updated", "id": "@ana",
                    "set": {"name": "Anna", "note": null, "phone": "+81 4"},
                    "was": {"name": "Ana", "note": "two\nlines", "phone": "+81 3"}}]),
            ),
            (
                "jonas",
                5,
                json!([{"op": "update_transaction", "id": "@lunch", "set": {"contact": "@bo", "direction": "got",
                    "amount": 2000, "currency": "USD", "date": "2026-11-23", "note": null, "due": null}}]),
                json!([{"type": "transaction_updated", "id": "@lunch",
                    "set": {"contact": "@bo", "direction": "got", "amount": 2000, "currency": "USD",
                        "date": "2026-11-23", "note": null, "due": null},
                    "was": {"contact": "@ana", "direction": "gave", "amount": 2050, "currency": "EUR",
                        "date": "2026-11-22", "note": "lunch", "due": "2026-12-01"}}]),
            ),
            (
                "mira",
                6,
                json!([{"op": "delete_transaction", "id": "@lunch"}]),
                json!([{"type": "transaction_deleted", "id": "@lunch"}]),
            ),
            (
                "mira",
                7,
                json!([{"op": "restore_transaction", "id": "@lunch"}]),
                json!([{"type": "transaction_restored", "id": "@lunch"}]),
            ),
            (
                "mira",
                8,
                json!([{"op": "delete_contact", "id": "@bo"}]),
                json!([{"type": "contact_deleted", "id": "@bo"}]),
            ),
            (
                "mira",
                9,
                json!([{"op": "restore_contact", "id": "@bo"}]),
                json!([{"type": "contact_restored", "id": "@bo"}]),
            ),
            (
                "jonas",
                10,
                json!([{"op": "update_book", "set": {"name": "Hill Road", "currency": "USD"}}]),
                json!([{"type": "book_updated", "set": {"name": "Hill Road", "currency": "USD"},
                    "was": {"name": "Harbour Street", "currency": "EUR"}}]),
            ),
        ])
        .await;
    let list = stage.mira.get("/api/v1/books").await.json();
    assert_eq!([&list["items"][0]["name"], &list["items"][0]["currency"]], [&json!("Hill Road"), &json!("USD")]);
}

#[tokio::test]
async fn an_entry_may_have_no_changes() {
    let mut stage = Stage::new().await;
    let ana = json!({"op": "create_contact", "id": "@ana", "name": "Ana", "phone": "7"});
    let update = |set: Value| json!([{"op": "update_contact", "id": "@ana", "set": set}]);
    stage
        .check([
            ("mira", 2, json!([ana]), json!([created(&ana)])),
            ("mira", 3, update(json!({})), json!([])),
            // What stands already is passed over, also by whoever did not know of it.
            ("mira", 3, update(json!({"name": "Ana", "phone": "7", "note": null})), json!([])),
            ("jonas", 2, update(json!({"name": "Ana"})), json!([])),
            // Of several groups, those that say something new.
            (
                "jonas",
                3,
                update(json!({"name": "Ana", "phone": "8"})),
                json!([{"type": "contact_updated", "id": "@ana", "set": {"phone": "8"}, "was": {"phone": "7"}}]),
            ),
            // Fields nobody knows, and fields that other records have.
            ("mira", 7, update(json!({"nickname": "A", "amount": 5, "id": "x", "deleted": true})), json!([])),
            ("mira", 7, json!([{"op": "restore_contact", "id": "@ana"}]), json!([])),
            ("mira", 7, json!([{"op": "update_book", "set": {"name": "Harbour Street"}}]), json!([])),
        ])
        .await;
}

/// A text longer than 200 characters is left out of `was`.
#[tokio::test]
async fn long_texts_are_not_carried_along() {
    let mut stage = Stage::new().await;
    let (short, long) = ("日".repeat(200), "日".repeat(201));
    let ana = json!({"op": "create_contact", "id": "@ana", "name": "Ana", "note": long, "phone": short});
    let updated = |set: Value, was: Value| json!([{"type": "contact_updated", "id": "@ana", "set": set, "was": was}]);
    let update = |set: Value| json!([{"op": "update_contact", "id": "@ana", "set": set}]);
    let (first, second) = (json!({"note": short, "phone": long}), json!({"note": long, "phone": "7"}));
    stage
        .check([
            ("mira", 2, json!([ana]), json!([created(&ana)])),
            ("mira", 3, update(first.clone()), updated(first, json!({"phone": short}))),
            ("mira", 4, update(second.clone()), updated(second, json!({"note": short}))),
        ])
        .await;
}

/// Ops are decided one after the other, each seeing what the former did; one at fault takes all of them along.
#[tokio::test]
async fn ops_of_one_mutation_see_each_other() {
    let mut stage = Stage::new().await;
    let create = json!({"op": "create_contact", "id": "@ana", "name": "Ana"});
    let named = |name: &str| json!({"op": "update_contact", "id": "@ana", "set": {"name": name}});
    let delete = json!({"op": "delete_contact", "id": "@ana"});
    stage
        .check([
            (
                "mira",
                2,
                json!([create, named("A"), named("B"), delete, {"op": "restore_contact", "id": "@ana"}]),
                json!([
                    {"type": "contact_created", "id": "@ana", "name": "Ana"},
                    {"type": "contact_updated", "id": "@ana", "set": {"name": "A"}, "was": {"name": "Ana"}},
                    {"type": "contact_updated", "id": "@ana", "set": {"name": "B"}, "was": {"name": "A"}},
                    {"type": "contact_deleted", "id": "@ana"},
                    {"type": "contact_restored", "id": "@ana"},
                ]),
            ),
            ("mira", 3, json!([named("C"), delete, named("D")]), json!({"rejected": "unknown_contact", "op": 2})),
        ])
        .await;
    assert_eq!(stage.state().await["contacts"][0]["name"], "B");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let lunch = |set: Value| json!({"op": "update_transaction", "id": "@lunch", "set": set});
    let (no_contact, no_transaction) = (("unknown_contact", ""), ("unknown_transaction", ""));
    let closed = ("conflict_closed", "");
    check_faults([
        (json!({"op": "update_contact", "id": "@nobody", "set": {"name": "X"}}), no_contact),
        (on("delete_contact", "@nobody"), no_contact),
        (on("restore_contact", "@nobody"), no_contact),
        (json!({"op": "update_transaction", "id": "@nothing", "set": {"note": "X"}}), no_transaction),
        (on("delete_transaction", "@nothing"), no_transaction),
        (on("restore_transaction", "@nothing"), no_transaction),
        // An id of the other kind names nothing.
        (on("delete_transaction", "@ana"), no_transaction),
        (on("delete_contact", "@lunch"), no_contact),
        // Knowingly deleted.
        (json!({"op": "update_contact", "id": "@gone", "set": {"name": "X"}}), no_contact),
        (transaction("@new", "@gone"), no_contact),
        (lunch(json!({"contact": "@gone"})), no_contact),
        (lunch(json!({"contact": "@nobody"})), no_contact),
        (json!({"op": "update_transaction", "id": "@past", "set": {"note": "X"}}), no_transaction),
        (on("delete_transaction", "@past"), no_transaction),
        (json!({"op": "resolve_conflict", "id": "@never", "apply": true}), closed),
        (json!({"op": "resolve_conflict", "id": "@never", "apply": false}), closed),
    ])
    .await;
}

#[tokio::test]
async fn values_at_fault_are_named() {
    let ana = |set: Value| json!({"op": "update_contact", "id": "@ana", "set": set});
    let lunch = |set: Value| json!({"op": "update_transaction", "id": "@lunch", "set": set});
    let book = |set: Value| json!({"op": "update_book", "set": set});
    let malformed = ("malformed", "");
    let invalid = |field: &'static str| ("invalid_field", field);
    check_faults([
        (ana(json!({"name": ""})), invalid("name")),
        (ana(json!({"name": null})), invalid("name")),
        (ana(json!({"name": "é".repeat(201)})), invalid("name")),
        (ana(json!({"email": "é".repeat(321)})), invalid("email")),
        (ana(json!({"note": "é".repeat(4001)})), invalid("note")),
        (ana(json!({"note": "bell\u{7}"})), invalid("note")),
        (ana(json!({"name": 7})), malformed),
        (ana(json!({"name": ["Ana"]})), malformed),
        (ana(json!(["name"])), malformed),
        (json!({"op": "update_contact", "id": "@ana"}), malformed),
        (json!({"op": "delete_contact"}), malformed),
        (json!({"op": "resolve_conflict", "id": "@never"}), malformed),
        (lunch(json!({"amount": 0})), invalid("amount")),
        (lunch(json!({"amount": 1_000_000_000_000_001_u64})), invalid("amount")),
        (lunch(json!({"amount": null})), invalid("amount")),
        (lunch(json!({"amount": 1.5})), malformed),
        (lunch(json!({"amount": "5"})), malformed),
        (lunch(json!({"currency": "eur"})), invalid("currency")),
        (lunch(json!({"direction": "lent"})), invalid("direction")),
        (lunch(json!({"date": "2026-02-29"})), invalid("date")),
        (lunch(json!({"due": "tomorrow"})), invalid("due")),
        (lunch(json!({"contact": null})), invalid("contact")),
        (book(json!({"name": ""})), invalid("name")),
        (book(json!({"name": "two\nlines"})), invalid("name")),
        (book(json!({"currency": "XXX"})), invalid("currency")),
        (book(json!({"currency": null})), invalid("currency")),
    ])
    .await;
}

/// Says each op in a book with the contact `@ana`, its transaction `@lunch`, and `@gone`, which was deleted with its
/// transaction `@past`; and compares the code and the field of the rejection.
async fn check_faults(cases: impl IntoIterator<Item = (Value, (&'static str, &'static str))>) {
    let mut stage = Stage::new().await;
    let ops = json!([
        contact("@ana"),
        transaction("@lunch", "@ana"),
        contact("@gone"),
        transaction("@past", "@gone"),
        on("delete_contact", "@gone")
    ]);
    stage.say("mira", 2, ops).await;
    for (op, (code, field)) in cases {
        // The one before it is not at fault, and does not happen either.
        let ops = json!([{"op": "update_contact", "id": "@ana", "set": {"phone": "7"}}, op]);
        let entry = stage.entry("mira", json!({"base": 3, "ops": ops})).await;
        let mut expected = json!({"rejected": code, "op": 1});
        if !field.is_empty() {
            expected["field"] = field.into();
        }
        assert_eq!(outcome(&entry), expected, "{op}");
        assert_eq!(entry["made_at"], MADE_AT);
    }
    let state = stage.state().await;
    assert_eq!(state["contacts"][0].get("phone"), None, "{state}");
}

fn contact(id: &str) -> Value {
    json!({"op": "create_contact", "id": id, "name": "Ana"})
}

fn transaction(id: &str, contact: &str) -> Value {
    json!({"op": "create_transaction", "id": id, "contact": contact, "direction": "gave", "amount": 5,
        "currency": "EUR", "date": "2026-11-22"})
}

fn on(op: &str, id: &str) -> Value {
    json!({"op": op, "id": id})
}

/// The gross of a book and currency is bounded also by edits, and counts what is deleted.
#[tokio::test]
async fn sums_are_bounded_also_by_edits() {
    const MOST: u64 = 1_000_000_000_000_000;
    const ROOM: u64 = 9_007_199_254_740_991 - 9 * MOST;
    let mut stage = Stage::new().await;
    let transaction = |id: &str, amount: u64, currency: &str| {
        json!({"op": "create_transaction", "id": id, "contact": "@ana", "direction": "gave", "amount": amount,
            "currency": currency, "date": "2026-11-22"})
    };
    let mut ops = vec![json!({"op": "create_contact", "id": "@ana", "name": "Ana"})];
    ops.extend((0..9).map(|at| transaction(&format!("@{at}most"), MOST, "EUR")));
    ops.extend([transaction("@rest", ROOM, "EUR"), transaction("@dollar", 1, "USD")]);
    stage.say("mira", 2, json!(ops)).await;
    let set = |id: &str, set: Value| json!([{"op": "update_transaction", "id": id, "set": set}]);
    let updated =
        |id: &str, set: Value, was: Value| json!([{"type": "transaction_updated", "id": id, "set": set, "was": was}]);
    let too_large = json!({"rejected": "total_too_large", "op": 0});
    stage
        .check([
            ("mira", 3, set("@rest", json!({"amount": ROOM + 1})), too_large.clone()),
            ("mira", 3, set("@dollar", json!({"currency": "EUR"})), too_large.clone()),
            (
                "mira",
                3,
                json!([{"op": "delete_transaction", "id": "@rest"}]),
                json!([{"type": "transaction_deleted", "id": "@rest"}]),
            ),
            ("mira", 6, json!([transaction("@more", 1, "EUR")]), too_large),
            (
                "mira",
                6,
                set("@0most", json!({"amount": MOST - 1})),
                updated("@0most", json!({"amount": MOST - 1}), json!({"amount": MOST})),
            ),
            (
                "mira",
                8,
                set("@dollar", json!({"currency": "EUR"})),
                updated("@dollar", json!({"currency": "EUR"}), json!({"currency": "USD"})),
            ),
        ])
        .await;
}
