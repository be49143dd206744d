//! A conflict's whole life: raised, raised again, superseded, decided.

use serde_json::{Value, json};

use crate::stage::{MADE_AT, Row, Stage};

fn update(id: &str, set: Value) -> Value {
    json!({"op": "update_contact", "id": id, "set": set})
}

fn resolve(id: &str, apply: bool) -> Value {
    json!({"op": "resolve_conflict", "id": id, "apply": apply})
}

fn updated(id: &str, set: Value, was: Value) -> Value {
    json!({"type": "contact_updated", "id": id, "set": set, "was": was})
}

fn resolved(id: &str, applied: bool) -> Value {
    json!({"type": "conflict_resolved", "id": id, "applied": applied})
}

/// About `@ana`: what stands, by whom and since which entry; and what was offered, by whom.
fn raised(id: &str, standing: (Value, &str, u64), offered: (Value, &str)) -> Value {
    json!({
        "type": "conflict_raised", "id": id, "record": {"kind": "contact", "id": "@ana"}, "kind": "edit_edit",
        "standing": {"set": standing.0, "by": standing.1, "seq": standing.2},
        "offered": {"set": offered.0, "by": offered.1, "made_at": MADE_AT},
    })
}

/// Entry 3 makes `@ana`; then come the rows.
async fn check(rows: impl IntoIterator<Item = Row>) -> Stage {
    let mut stage = Stage::new().await;
    let ana = json!([{"op": "create_contact", "id": "@ana", "name": "Ana"}]);
    stage.say("mira", 2, ana).await;
    stage.check(rows).await;
    stage
}

async fn open_conflicts(stage: &mut Stage) -> Vec<Value> {
    let state = stage.state().await;
    state["conflicts"].as_array().expect("a list").iter().map(|conflict| conflict["id"].clone()).collect()
}

#[tokio::test]
async fn first_confirmed_stands_and_the_late_one_is_kept() {
    let mut stage = check([
        (
            "mira",
            3,
            json!([update("@ana", json!({"note": "a", "phone": "1"}))]),
            json!([updated("@ana", json!({"note": "a", "phone": "1"}), json!({"note": null, "phone": null}))]),
        ),
        // Different fields merge silently; the same value is no conflict; each late group is one of its own.
        (
            "jonas",
            3,
            json!([update("@ana", json!({"email": "e", "phone": "1"}))]),
            json!([updated("@ana", json!({"email": "e"}), json!({"email": null}))]),
        ),
        (
            "jonas",
            3,
            json!([update("@ana", json!({"username": "u", "note": "b", "phone": "2"}))]),
            json!([
                updated("@ana", json!({"username": "u"}), json!({"username": null})),
                raised("@1", (json!({"phone": "1"}), "@Mira", 4), (json!({"phone": "2"}), "@Jonas")),
                raised("@2", (json!({"note": "a"}), "@Mira", 4), (json!({"note": "b"}), "@Jonas")),
            ]),
        ),
    ])
    .await;
    assert_eq!(open_conflicts(&mut stage).await.len(), 2);
    assert_eq!(stage.state().await["contacts"][0]["note"], "a");
}

/// Amount, currency and direction are one: no sum comes about that nobody entered.
#[tokio::test]
async fn a_sum_is_kept_whole() {
    let lunch = json!({"op": "create_transaction", "id": "@lunch", "contact": "@ana", "direction": "gave", "amount": 20,
        "currency": "EUR", "date": "2026-11-22"});
    let set = |set: Value| json!([{"op": "update_transaction", "id": "@lunch", "set": set}]);
    let mut stage = Stage::new().await;
    stage.say("mira", 2, json!([{"op": "create_contact", "id": "@ana", "name": "Ana"}, lunch])).await;
    let offered = json!({"direction": "gave", "amount": 30, "currency": "EUR"});
    let standing = json!({"direction": "gave", "amount": 20, "currency": "USD"});
    stage
        .check([
            (
                "mira",
                3,
                set(json!({"currency": "USD"})),
                json!([{"type": "transaction_updated", "id": "@lunch", "set": {"currency": "USD"}, "was": {"currency": "EUR"}}]),
            ),
            (
                "jonas",
                3,
                set(json!({"amount": 30, "date": "2026-11-23"})),
                json!([
                    {"type": "transaction_updated", "id": "@lunch", "set": {"date": "2026-11-23"},
                        "was": {"date": "2026-11-22"}},
                    {"type": "conflict_raised", "id": "@1", "record": {"kind": "transaction", "id": "@lunch"},
                        "kind": "edit_edit", "standing": {"set": standing, "by": "@Mira", "seq": 4},
                        "offered": {"set": offered, "by": "@Jonas", "made_at": MADE_AT}},
                ]),
            ),
            (
                "laptop",
                5,
                json!([resolve("@1", true)]),
                json!([{"type": "transaction_updated", "id": "@lunch", "set": offered, "was": standing},
                    resolved("@1", true)]),
            ),
        ])
        .await;
    let state = stage.state().await;
    let lunch = &state["transactions"][0];
    assert_eq!([&lunch["amount"], &lunch["currency"]], [&json!(30), &json!("EUR")]);
}

/// A replica never conflicts with itself; another device of the same person does.
#[tokio::test]
async fn ones_own_earlier_write_is_no_obstacle() {
    check([
        (
            "jonas",
            3,
            json!([update("@ana", json!({"note": "a"}))]),
            json!([updated("@ana", json!({"note": "a"}), json!({"note": null}))]),
        ),
        (
            "jonas",
            3,
            json!([update("@ana", json!({"note": "b"}))]),
            json!([updated("@ana", json!({"note": "b"}), json!({"note": "a"}))]),
        ),
        (
            "mira",
            5,
            json!([update("@ana", json!({"phone": "1"}))]),
            json!([updated("@ana", json!({"phone": "1"}), json!({"phone": null}))]),
        ),
        (
            "laptop",
            5,
            json!([update("@ana", json!({"phone": "2"}))]),
            json!([raised("@1", (json!({"phone": "1"}), "@Mira", 6), (json!({"phone": "2"}), "@Mira"))]),
        ),
    ])
    .await;
}

/// The same replica's next offer, or its clean write, closes what it had set aside there, in the same entry.
#[tokio::test]
async fn the_next_offer_takes_the_place_of_the_last() {
    let mut stage = check([
        (
            "mira",
            3,
            json!([update("@ana", json!({"note": "a", "phone": "1"}))]),
            json!([updated("@ana", json!({"note": "a", "phone": "1"}), json!({"note": null, "phone": null}))]),
        ),
        (
            "jonas",
            3,
            json!([update("@ana", json!({"note": "b", "phone": "2"}))]),
            json!([
                raised("@1", (json!({"phone": "1"}), "@Mira", 4), (json!({"phone": "2"}), "@Jonas")),
                raised("@2", (json!({"note": "a"}), "@Mira", 4), (json!({"note": "b"}), "@Jonas")),
            ]),
        ),
        (
            "laptop",
            3,
            json!([update("@ana", json!({"note": "l"}))]),
            json!([raised("@3", (json!({"note": "a"}), "@Mira", 4), (json!({"note": "l"}), "@Mira"))]),
        ),
        (
            "jonas",
            3,
            json!([update("@ana", json!({"note": "c"}))]),
            json!([
                resolved("@2", false),
                raised("@4", (json!({"note": "a"}), "@Mira", 4), (json!({"note": "c"}), "@Jonas")),
            ]),
        ),
        (
            "jonas",
            7,
            json!([update("@ana", json!({"note": "d"}))]),
            json!([updated("@ana", json!({"note": "d"}), json!({"note": "a"})), resolved("@4", false)]),
        ),
    ])
    .await;
    // The telephone number, and the other device's note.
    assert_eq!(open_conflicts(&mut stage).await, [json!("@1"), json!("@3")]);
}

#[tokio::test]
async fn a_conflict_is_decided_or_stays_with_what_stands_now() {
    let mut stage = check([
        (
            "mira",
            3,
            json!([update("@ana", json!({"note": "a"}))]),
            json!([updated("@ana", json!({"note": "a"}), json!({"note": null}))]),
        ),
        (
            "jonas",
            3,
            json!([update("@ana", json!({"note": "b"}))]),
            json!([raised("@1", (json!({"note": "a"}), "@Mira", 4), (json!({"note": "b"}), "@Jonas"))]),
        ),
        (
            "laptop",
            5,
            json!([update("@ana", json!({"note": "x"}))]),
            json!([updated("@ana", json!({"note": "x"}), json!({"note": "a"}))]),
        ),
        // Decided while "a" stood: the field has moved on. The same id again, as only what stands has changed.
        (
            "mira",
            5,
            json!([resolve("@1", true)]),
            json!([raised("@1", (json!({"note": "x"}), "@Mira", 6), (json!({"note": "b"}), "@Jonas"))]),
        ),
        (
            "mira",
            7,
            json!([resolve("@1", true)]),
            json!([updated("@ana", json!({"note": "b"}), json!({"note": "x"})), resolved("@1", true)]),
        ),
        ("mira", 8, json!([resolve("@1", true)]), json!({"rejected": "conflict_closed", "op": 0})),
        ("jonas", 8, json!([resolve("@1", false)]), json!({"rejected": "conflict_closed", "op": 0})),
        // Dismissed: what stands goes on standing. A decision needs no knowledge of what came since.
        (
            "laptop",
            6,
            json!([update("@ana", json!({"note": "m"}))]),
            json!([raised("@2", (json!({"note": "b"}), "@Mira", 8), (json!({"note": "m"}), "@Mira"))]),
        ),
        ("jonas", 2, json!([resolve("@2", false)]), json!([resolved("@2", false)])),
    ])
    .await;
    assert_eq!(open_conflicts(&mut stage).await, [json!(null); 0]);
    assert_eq!(stage.state().await["contacts"][0]["note"], "b");
}

/// Of the book itself, too.
#[tokio::test]
async fn the_books_name_and_currency_are_fields_like_others() {
    let set = |set: Value| json!([{"op": "update_book", "set": set}]);
    check([
        (
            "mira",
            3,
            set(json!({"name": "Hill"})),
            json!([{"type": "book_updated", "set": {"name": "Hill"}, "was": {"name": "Harbour Street"}}]),
        ),
        (
            "jonas",
            3,
            set(json!({"name": "Quay", "currency": "JPY"})),
            json!([
                {"type": "book_updated", "set": {"currency": "JPY"}, "was": {"currency": "EUR"}},
                {"type": "conflict_raised", "id": "@1", "record": {"kind": "book"}, "kind": "edit_edit",
                    "standing": {"set": {"name": "Hill"}, "by": "@Mira", "seq": 4},
                    "offered": {"set": {"name": "Quay"}, "by": "@Jonas", "made_at": MADE_AT}},
            ]),
        ),
        (
            "jonas",
            5,
            json!([resolve("@1", true)]),
            json!([{"type": "book_updated", "set": {"name": "Quay"}, "was": {"name": "Hill"}}, resolved("@1", true)]),
        ),
    ])
    .await;
}

/// The inverse of an entry, with that entry's seq as base and no exemption for oneself.
#[tokio::test]
async fn an_undo_conflicts_also_with_oneself() {
    let mut stage = check([
        (
            "mira",
            3,
            json!([update("@ana", json!({"note": "a"}))]),
            json!([updated("@ana", json!({"note": "a"}), json!({"note": null}))]),
        ),
        (
            "mira",
            4,
            json!([update("@ana", json!({"note": "b"}))]),
            json!([updated("@ana", json!({"note": "b"}), json!({"note": "a"}))]),
        ),
    ])
    .await;
    let inverse = json!([update("@ana", json!({"note": null}))]);
    let entry = stage.entry("mira", json!({"base": 4, "undoes": 4, "ops": inverse})).await;
    assert_eq!(entry["undoes"], 4);
    let kept = raised("@1", (json!({"note": "b"}), "@Mira", 5), (json!({"note": null}), "@Mira"));
    assert_eq!(entry["changes"], json!([kept]));

    // The inverse of the last one goes through, and closes what was kept aside.
    let inverse = json!([update("@ana", json!({"note": "a"}))]);
    let entry = stage.entry("mira", json!({"base": 5, "undoes": 5, "ops": inverse})).await;
    assert_eq!(entry["undoes"], 5);
    let changes = json!([updated("@ana", json!({"note": "a"}), json!({"note": "b"})), resolved("@1", false)]);
    assert_eq!(crate::stage::outcome(&entry), changes);
}
