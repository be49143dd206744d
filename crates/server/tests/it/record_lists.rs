//! Lists of records: what filters let through, and pages that stay where they are.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::Stage;

/// The ids in a list, on all its pages.
async fn ids(stage: &mut Stage, list: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = stage.call(Method::GET, &format!("{list}{cursor}"), None).await;
        assert_eq!(status, 200, "{list}: {page}");
        let items = page["items"].as_array().expect("a list");
        ids.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("{}cursor={next}", if list.contains('?') { '&' } else { '?' }),
            None => return ids,
        }
    }
}

async fn check(stage: &mut Stage, cases: &[(&str, &[&str])]) {
    for (list, expected) in cases {
        assert_eq!(ids(stage, list).await, *expected, "{list}");
    }
}

async fn check_malformed(stage: &mut Stage, queries: &[&str]) {
    for query in queries {
        let (status, problem) = stage.call(Method::GET, query, None).await;
        assert_eq!((status, &problem["code"]), (400, &json!("malformed")), "{query}");
    }
}

#[tokio::test]
async fn contacts_are_found() {
    let mut stage = Stage::new().await;
    let contact = |id: &str, more: Value| crate::says::with(json!({"op": "create_contact", "id": id}), &more);
    let ops = json!([
        contact("@ana", json!({"name": "Ana Ito", "phone": "+81 3 1234"})),
        contact("@bo", json!({"name": "Bo", "email": "BO@Tide.example"})),
        contact("@cy", json!({"name": "Cÿ", "username": "ana_cy"})),
        contact("@di", json!({"name": "Di", "note": "met Bo at 100 % rain"})),
        contact("@gone", json!({"name": "Ana Gone"})),
        {"op": "delete_contact", "id": "@gone"},
    ]);
    stage.say("mira", 2, ops).await;
    let all: &[&str] = &["@ana", "@bo", "@cy", "@di"];
    check(
        &mut stage,
        &[
            ("/contacts", all),
            ("/contacts?deleted=false", all),
            ("/contacts?deleted=true", &["@ana", "@bo", "@cy", "@di", "@gone"]),
            ("/contacts?q=", all),
            ("/contacts?q=ana", &["@ana", "@cy"]),
            ("/contacts?q=ANA%20I", &["@ana"]),
            ("/contacts?q=bo", &["@bo", "@di"]),
            ("/contacts?q=1234", &["@ana"]),
            ("/contacts?q=tide.EXAMPLE", &["@bo"]),
            ("/contacts?q=c%C3%BF", &["@cy"]),
            ("/contacts?q=%25", &["@di"]),
            ("/contacts?q=_", &["@cy"]),
            ("/contacts?q=nobody", &[]),
            ("/contacts?q=ana&deleted=true", &["@ana", "@cy", "@gone"]),
            ("/contacts?limit=1", all),
            ("/contacts?limit=3&q=", all),
            ("/contacts?limit=1&q=ana&deleted=true", &["@ana", "@cy", "@gone"]),
            ("/contacts?colour=blue", all),
        ],
    )
    .await;
    check_malformed(
        &mut stage,
        &["/contacts?limit=0", "/contacts?limit=x", "/contacts?deleted=maybe", "/contacts?cursor=x"],
    )
    .await;
    // An item is the record as it is read alone.
    let first = stage.call(Method::GET, "/contacts?limit=1", None).await.1["items"][0].clone();
    assert_eq!(stage.call(Method::GET, "/contacts/@ana", None).await, (200, first));
}

#[tokio::test]
async fn transactions_are_found() {
    let mut stage = Stage::new().await;
    let transaction = |id: &str, contact: &str, direction: &str, currency: &str, date: &str, note: Option<&str>| {
        json!({"op": "create_transaction", "id": id, "contact": contact, "direction": direction, "amount": 5,
            "currency": currency, "date": date, "note": note})
    };
    let ops = json!([
        {"op": "create_contact", "id": "@ana", "name": "Ana"},
        {"op": "create_contact", "id": "@bo", "name": "Bo"},
        {"op": "create_contact", "id": "@gone", "name": "Gone"},
        transaction("@a1", "@ana", "gave", "EUR", "2026-01-31", Some("Lunch at noon")),
        transaction("@a2", "@ana", "got", "JPY", "2026-02-01", None),
        transaction("@b1", "@bo", "gave", "EUR", "2026-02-01", Some("lunch")),
        transaction("@b2", "@bo", "got", "EUR", "2026-02-28", Some("Taxi")),
        transaction("@old", "@bo", "got", "EUR", "2026-02-01", None),
        transaction("@hidden", "@gone", "got", "EUR", "2026-02-01", None),
        {"op": "delete_transaction", "id": "@old"},
        {"op": "delete_contact", "id": "@gone"},
    ]);
    stage.say("mira", 2, ops).await;
    let all: &[&str] = &["@a1", "@a2", "@b1", "@b2"];
    check(
        &mut stage,
        &[
            ("/transactions", all),
            ("/transactions?deleted=true", &["@a1", "@a2", "@b1", "@b2", "@old", "@hidden"]),
            ("/transactions?contact=@ana", &["@a1", "@a2"]),
            ("/transactions?contact=@bo&deleted=true", &["@b1", "@b2", "@old"]),
            ("/transactions?contact=@nobody", &[]),
            // The first and the last day are in.
            ("/transactions?from=2026-02-01", &["@a2", "@b1", "@b2"]),
            ("/transactions?to=2026-02-01", &["@a1", "@a2", "@b1"]),
            ("/transactions?from=2026-02-01&to=2026-02-01", &["@a2", "@b1"]),
            ("/transactions?from=2026-03-01", &[]),
            ("/transactions?currency=EUR", &["@a1", "@b1", "@b2"]),
            ("/transactions?currency=USD", &[]),
            ("/transactions?direction=got", &["@a2", "@b2"]),
            ("/transactions?q=lunch", &["@a1", "@b1"]),
            ("/transactions?q=LUNCH%20AT", &["@a1"]),
            ("/transactions?contact=@bo&currency=EUR&direction=gave&from=2026-01-01&q=lun", &["@b1"]),
            ("/transactions?limit=1", all),
            ("/transactions?limit=1&direction=got&deleted=true", &["@a2", "@b2", "@old", "@hidden"]),
        ],
    )
    .await;
    check_malformed(
        &mut stage,
        &[
            "/transactions?contact=ana",
            "/transactions?from=2026-02-30",
            "/transactions?to=tomorrow",
            "/transactions?currency=eur",
            "/transactions?direction=lent",
            "/transactions?limit=-1",
            "/transactions?cursor=%F0%9F%8C%8A",
        ],
    )
    .await;
}

/// 100 a page unless it says; and what is written between two pages shifts nothing.
#[tokio::test]
async fn pages_follow_each_other_while_others_write() {
    let mut stage = Stage::new().await;
    let names: Vec<String> = (0..102).map(|at| format!("@c{at}")).collect();
    let create = |id: &String| json!({"op": "create_contact", "id": id, "name": "Ana"});
    stage.say("mira", 2, names.iter().map(create).collect()).await;
    let (_, page) = stage.call(Method::GET, "/contacts", None).await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(100));

    let (_, first) = stage.call(Method::GET, "/contacts?limit=50", None).await;
    let ops = json!([
        {"op": "delete_contact", "id": "@c3"}, {"op": "update_contact", "id": "@c60", "set": {"name": "B"}},
        {"op": "create_contact", "id": "@late", "name": "Late"},
    ]);
    stage.say("mira", 3, ops).await;
    let cursor = first["next_cursor"].as_str().expect("a cursor").to_owned();
    let (_, second) = stage.call(Method::GET, &format!("/contacts?limit=1000&cursor={cursor}"), None).await;
    let seen: Vec<&str> = [&first, &second]
        .iter()
        .flat_map(|page| page["items"].as_array().expect("a list"))
        .filter_map(|item| item["id"].as_str())
        .collect();
    let expected: Vec<&str> = names.iter().map(String::as_str).chain(["@late"]).collect();
    assert_eq!(seen, expected);
    assert_eq!(second["next_cursor"], Value::Null);
}

/// Integers per currency, zeros left out.
#[tokio::test]
async fn balances_are_sums_per_currency() {
    let mut stage = Stage::new().await;
    let transaction = |direction: &str, amount: u64, currency: &str| {
        json!({"op": "create_transaction", "id": crate::says::fresh(), "contact": "@ana", "direction": direction,
            "amount": amount, "currency": currency, "date": "2026-11-22"})
    };
    let balances =
        async |stage: &mut Stage| stage.call(Method::GET, "/contacts/@ana", None).await.1["balances"].clone();
    stage.say("mira", 2, json!([{"op": "create_contact", "id": "@ana", "name": "Ana"}])).await;
    assert_eq!(balances(&mut stage).await, json!({}));
    let ops = json!([transaction("gave", 700, "EUR"), transaction("got", 200, "EUR"), transaction("got", 9, "USD")]);
    stage.say("mira", 3, ops).await;
    assert_eq!(balances(&mut stage).await, json!({"EUR": 500, "USD": -9}));
    stage.say("mira", 4, json!([transaction("gave", 9, "USD")])).await;
    assert_eq!(balances(&mut stage).await, json!({"EUR": 500}));
}
