//! A store as the first version with this schema wrote it, kept as SQL: every later version has to open it, and send what
//! waits in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Method;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
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

/// Made once, by the first version with a schema. What it wrote is never made again.
#[tokio::test]
#[ignore = "writes the fixture of a schema that is new"]
async fn writes_the_fixture() {
    let place = Place::new().await;
    book_of(&place).await;
    let home = Home::of(&place.mira);
    for amount in 1..=CONFIRMED {
        home.done(&["add", "Ana", &amount.to_string(), "--gave", "--note", "lunch; it's \"on me\""]).await;
    }
    let added = home.saved_offline(&["add", "Ana", "9", "--got"]).await;
    let transaction = added["transaction"].as_str().expect("an id");
    home.saved_offline(&["edit", transaction, "--note", "rückwärts 日"]).await;
    home.saved_offline(&["contact", "edit", "Ana", "--phone", "+31-20-555-0142"]).await;
    let conn = Connection::open(home.store()).expect("a store");
    std::fs::write(fixture(), dump(&conn)).expect("it is written");
}

/// A database as the SQL that makes it.
fn dump(conn: &Connection) -> String {
    let mut sql = String::new();
    for pragma in ["application_id", "user_version"] {
        let value: i64 = conn.pragma_query_value(None, pragma, |row| row.get(0)).expect("a number");
        sql += &format!("PRAGMA {pragma} = {value};\n");
    }
    let mut tables =
        conn.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").expect("it");
    let tables = tables.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).expect("rows");
    for table in tables {
        let (name, made) = table.expect("a table");
        sql += &format!("{made};\n");
        let mut rows = conn.prepare(&format!("SELECT * FROM {name}")).expect("a table");
        let columns = rows.column_count();
        let mut rows = rows.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let values: Vec<String> =
                (0..columns).map(|column| literal(row.get_ref(column).expect("a value"))).collect();
            sql += &format!("INSERT INTO {name} VALUES ({});\n", values.join(", "));
        }
    }
    sql
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text).replace('\'', "''")),
        ValueRef::Blob(bytes) => format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
}
