//! A book's whole state, compared with what its entries add up to by hand.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::person::Person;
use crate::says::{contact, fresh, someone, transaction, with};
use crate::server::TestServer;

#[tokio::test]
async fn a_snapshot_has_this_shape() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let (ana, lunch) = (fresh(), with(transaction(&fresh(), "gave", 2050, "EUR"), &json!({"note": "lunch"})));
    let lunch = with(lunch, &json!({"contact": ana}));
    let made = device.write(&[contact(&ana, "Ana"), lunch.clone()]).await;
    let snapshot = mira.snapshot(&book).await;

    let created = |index: u64| json!({"seq": 2, "index": index, "by": mira.id, "replica": device.replica, "at": made.value["at"]});
    let expected = json!({
        "book": book.id, "epoch": book.epoch, "seq": 2, "hash": snapshot["hash"],
        "state_version": snapshot["state_version"], "state_hash": snapshot["state_hash"],
        "replicas": snapshot["replicas"],
        "people": [{"id": mira.id, "name": "Mira", "role": "owner"}],
        "state": {
            "book": {
                "name": "Harbour Street", "currency": "EUR", "seq": 1,
                "created": snapshot["state"]["book"]["created"],
            },
            "contacts": [{"id": ana, "name": "Ana", "deleted": false, "seq": 2, "created": created(0)}],
            "transactions": [{
                "id": lunch["id"], "contact": ana, "direction": "gave", "amount": 2050, "currency": "EUR",
                "date": "2026-11-22", "note": "lunch", "deleted": false, "seq": 2, "created": created(1),
            }],
            "conflicts": [],
        },
    });
    assert_eq!(snapshot, expected);
    assert!(snapshot["state_version"].is_u64());
    for hash in ["hash", "state_hash"] {
        let hash = snapshot[hash].as_str().expect("a hash");
        assert!(hash.len() == 64 && hash.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f')), "{hash}");
    }
    // The device's, and that of the session that made the book.
    let replicas = snapshot["replicas"].as_object().expect("replicas");
    assert_eq!(replicas.get(&device.replica), Some(&json!(1)));
    assert_eq!(replicas.values().collect::<Vec<_>>(), [&json!(1), &json!(1)]);
}

#[tokio::test]
async fn a_snapshot_is_fetched_once_until_something_changes() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let path = format!("/api/v1/books/{}/snapshot", book.id);
    let bearer = mira.bearer();
    let conditional = async |etag: &str| {
        let headers = [("authorization", bearer.as_str()), ("if-none-match", etag)];
        mira.call(Method::GET, &path, &headers, None).await
    };
    let first = mira.get(&path).await;
    let etag = first.header("etag").expect("an ETag").to_owned();
    // Also among others, and weakened by whoever compressed it on the way.
    for known in [etag.clone(), format!("\"other\", {etag}"), format!("W/{etag}"), "*".into()] {
        let same = conditional(&known).await;
        assert_eq!((same.status, same.body.as_str()), (304, ""), "{known}");
    }
    assert_eq!(conditional("\"other\"").await.body, first.body);
    // What people are called is part of it.
    mira.ask(Method::PATCH, "/api/v1/accounts/me", Some(&json!({"name": "Mira B"}))).await;
    let renamed = conditional(&etag).await;
    assert_eq!((renamed.status, &renamed.json()["people"][0]["name"]), (200, &json!("Mira B")));

    device.write(&[someone()]).await;
    let changed = conditional(&etag).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn a_snapshot_is_compressed_on_request() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    mira.device(&book).await.write(&[someone(), someone(), someone()]).await;
    let (path, bearer) = (format!("/api/v1/books/{}/snapshot", book.id), mira.bearer());
    for (accepted, encoding) in [("gzip", Some("gzip")), ("identity", None)] {
        let headers = [("authorization", bearer.as_str()), ("accept-encoding", accepted)];
        let answer = mira.call(Method::GET, &path, &headers, None).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, encoding), "{accepted}");
    }
}

/// What a fold of the entries gives: the contacts by name, and per contact and currency the balance.
#[derive(Debug, Default, PartialEq)]
struct Folded {
    contacts: BTreeMap<String, String>,
    transactions: usize,
    balances: BTreeMap<(String, String), i128>,
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

impl Folded {
    fn add_contact(&mut self, record: &Value) {
        self.contacts.insert(text(&record["id"]), text(&record["name"]));
    }

    fn add_transaction(&mut self, record: &Value) {
        let amount = i128::from(record["amount"].as_u64().expect("an amount"));
        let signed = if record["direction"] == "gave" { amount } else { -amount };
        self.transactions += 1;
        *self.balances.entry((text(&record["contact"]), text(&record["currency"]))).or_default() += signed;
    }

    async fn of_log(mira: &Person, book: &crate::person::Book) -> Self {
        let mut folded = Self::default();
        for entry in mira.log(book).await {
            for change in entry.value["changes"].as_array().expect("changes") {
                match change["type"].as_str() {
                    Some("contact_created") => folded.add_contact(change),
                    Some("transaction_created") => folded.add_transaction(change),
                    _ => {}
                }
            }
        }
        folded
    }

    fn of_snapshot(snapshot: &Value) -> Self {
        let mut folded = Self::default();
        let list = |name: &str| snapshot["state"][name].as_array().expect("a list").clone();
        list("contacts").iter().for_each(|record| folded.add_contact(record));
        list("transactions").iter().for_each(|record| folded.add_transaction(record));
        folded
    }
}

#[tokio::test]
async fn the_state_is_what_the_entries_add_up_to() {
    let (_server, mira) = TestServer::with_mira().await;
    let book = mira.book("Harbour Street").await;
    let mut device = mira.device(&book).await;
    let mut dice = Dice(22);
    let contacts: Vec<String> = (0..8).map(|_| fresh()).collect();
    let ops: Vec<Value> = contacts.iter().map(|id| contact(id, &format!("Person {id}"))).collect();
    device.write(&ops).await;
    for _ in 0..60 {
        let mut ops: Vec<Value> = (0..1 + dice.below(5))
            .map(|_| {
                let amount = 1 + dice.roll() % 100_000;
                let (direction, currency) = (*dice.pick(&["gave", "got"]), *dice.pick(&["EUR", "JPY", "USD"]));
                let contact: &String = dice.pick(&contacts);
                transaction(contact, direction, amount, currency)
            })
            .collect();
        // One in five is rejected, and all of it with it.
        if dice.below(5) == 0 {
            ops.push(contact(&fresh(), ""));
        }
        device.write(&ops).await;
    }
    let folded = Folded::of_log(&mira, &book).await;
    assert!(folded.transactions > 50 && folded.balances.len() > 20, "{folded:?}");
    assert_eq!(Folded::of_snapshot(&mira.snapshot(&book).await), folded);

    // The feed says the same: a contact that is told late is told with what it has now.
    let mut feed = crate::feed::open(&mira, &format!("?book={}&after=1", book.id)).await;
    assert_eq!(feed.frame().await["type"], "ready");
    let mut balances: BTreeMap<(String, String), i128> = BTreeMap::new();
    for id in &contacts {
        let data = feed.frame().await["data"].clone();
        assert_eq!(data["id"], id.as_str());
        for (currency, sum) in data["balances"].as_object().expect("balances") {
            let sum = i128::from(sum.as_i64().expect("an integer"));
            balances.insert((id.clone(), currency.clone()), sum);
        }
    }
    let standing: BTreeMap<_, _> = folded.balances.into_iter().filter(|(_, sum)| *sum != 0).collect();
    assert_eq!(balances, standing);
}
