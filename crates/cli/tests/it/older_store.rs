//! A store as the first version with this schema wrote it, kept as SQL: every later version has to open it, and send what
//! waits in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::home::{Home, records, sound};
use crate::person::Book;
use crate::program::Place;

/// What it has of each: confirmed, waiting.
const CONFIRMED: usize = 4;
const WAITING: usize = 3;

const BOOK: &str = "0199d4c2-5b1e-7c3a-8f00-0000000000b0";

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/tests/fixtures/store-1.sql")
}

async fn book_of(place: &Place) -> Book {
    let wanted = json!({"id": BOOK, "name": "Harbour Street", "currency": "EUR"});
    let made = place.mira.ask(Method::POST, "/api/v1/books", Some(&wanted)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    Book { id: BOOK.into(), epoch: made.json()["epoch"].as_str().expect("an epoch").into() }
}

/// The server has lost all of the book, so that also what was confirmed has to come from the store.
#[tokio::test]
async fn what_an_older_version_kept_is_opened_and_sent() {
    let place = Place::new().await;
    let book = book_of(&place).await;
    let home = Home::of(&place.mira);
    std::fs::create_dir_all(home.store().parent().expect("a folder")).expect("it is made");
    let conn = Connection::open(home.store()).expect("a file");
    conn.execute_batch(&std::fs::read_to_string(fixture()).expect("the fixture")).expect("SQL");
    let kept = kept_in(&conn);
    drop(conn);
    assert_eq!(kept.len(), CONFIRMED + WAITING);

    let told = home.done(&["status", "--offline", "--book", BOOK]).await;
    assert_eq!(told[0]["waiting"].as_array().map(Vec::len), Some(WAITING), "{told}");
    home.sync().await;
    let snapshot = home.assert_has_what_the_server_has(&book).await;
    let log = place.mira.log(&book).await;
    let entries = sound(&log, &snapshot);
    assert!(kept.iter().all(|id| entries.contains_key(id.as_str())), "{kept:?}");
    assert!(log.len() == 1 + kept.len() && entries.values().all(|entry| entry.rejection() == ("", "")));
    assert_eq!((records(&snapshot, "contacts").len(), records(&snapshot, "transactions").len()), (1, CONFIRMED + 1));
}

/// The ids of all mutations in a store.
fn kept_in(conn: &Connection) -> BTreeSet<String> {
    let mut statement = conn.prepare("SELECT text FROM outbox UNION ALL SELECT text FROM confirmed").expect("tables");
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    let id = |text: rusqlite::Result<String>| {
        let row: Value = serde_json::from_str(&text.expect("text")).expect("JSON");
        let mutation = if row["mutation"].is_object() { &row["mutation"] } else { &row };
        mutation["id"].as_str().expect("an id").to_owned()
    };
    texts.map(id).collect()
}
