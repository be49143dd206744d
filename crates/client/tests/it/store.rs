//! The store's file: whose it is, who else has it open, and what does not come to be in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tidebook_book::{BookId, UserId};
use tidebook_client::{Api, Driver, DriverError, Store, StoreError, new_replica};
use tidebook_ledger::{ContactId, LedgerOp};
use uuid::Uuid;

const BOOK: BookId = BookId(Uuid::from_u128(7));

/// How long another program's writing may take to be seen.
const PATIENCE: Duration = Duration::from_secs(30);

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mira.db");
    (folder, path)
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, new_replica())
}

/// A program without a network.
fn driver(path: &Path) -> Driver {
    let api = Api::new("http://127.0.0.1:1", None).expect("an address");
    let store = open(path).expect("a store");
    let mut driver = Driver::new(api, store, UserId(Uuid::from_u128(1)), "test/1").expect("a replica");
    driver.open_book(BOOK).expect("what is stored reads");
    driver
}

fn someone(n: u128) -> Vec<LedgerOp> {
    vec![LedgerOp::create_contact(ContactId(Uuid::from_u128(n)), "Ana")]
}

fn waiting(driver: &Driver) -> usize {
    driver.replica().book(BOOK).expect("it is open").pending().count()
}

#[test]
fn what_is_not_ours_or_too_new_is_refused_and_left_as_it_is() {
    let ours = {
        let (folder, path) = folder();
        drop(open(&path).expect("a store"));
        std::fs::read(&path).map(|bytes| (folder, bytes)).expect("a file").1
    };
    let databases = [
        ("CREATE TABLE debts (id INTEGER)", "is not a store of this program"),
        ("PRAGMA application_id = 7", "is not a store of this program"),
        ("PRAGMA user_version = 99", "a later version of this program wrote"),
        ("PRAGMA user_version = -1", "a later version of this program wrote"),
    ];
    for (statement, said) in databases {
        let (_folder, path) = folder();
        if statement.contains("user_version") {
            std::fs::write(&path, &ours).expect("a copy");
        }
        let conn = Connection::open(&path).expect("a database");
        conn.execute_batch(statement).expect("it is written");
        drop(conn);
        check_refused(&path, said);
    }
    let (_folder, path) = folder();
    std::fs::write(&path, "Dear diary, today the tide was low. ".repeat(100)).expect("a file");
    check_refused(&path, "is not a store of this program");
}

fn check_refused(path: &Path, said: &str) {
    let before = std::fs::read(path).expect("a file");
    let error = open(path).expect_err("it is refused").to_string();
    assert!(error.contains(said), "{error}");
    assert_eq!(std::fs::read(path).expect("a file"), before, "{said}");
}

#[test]
fn two_stores_on_one_file_hold_the_same() {
    let (_folder, path) = folder();
    let mut one = open(&path).expect("a store");
    let mut other = open(&path).expect("the same store");
    let id = |store: &mut Store| store.read(|rows| rows.replica()).expect("an id");
    assert_eq!(id(&mut one), id(&mut other), "the second finds the first one's id");
    one.keep_fact("tide", "low").expect("it is kept");
    assert_eq!(other.fact("tide").expect("it reads").as_deref(), Some("low"));
    // What is read in one transaction is of one moment.
    let seen = other.read(|rows| {
        let before = rows.fact("tide")?;
        one.keep_fact("tide", "high")?;
        Ok((before, rows.fact("tide")?))
    });
    assert_eq!(seen.expect("it reads"), (Some("low".into()), Some("low".into())));
    // What fails on the way leaves nothing.
    let failed: Result<(), StoreError> = other.write(|rows| {
        rows.keep_fact("tide", "none")?;
        Err(StoreError::Damaged("for the test".into()))
    });
    assert!(failed.is_err());
    assert_eq!(one.fact("tide").expect("it reads").as_deref(), Some("high"));
}

#[tokio::test]
async fn a_driver_takes_in_what_another_wrote_and_writes_beside_it() {
    let (_folder, path) = folder();
    let (mut one, mut other) = (driver(&path), driver(&path));
    one.mutate(BOOK, someone(1)).expect("it is kept");
    // One that only writes takes it in first.
    other.mutate(BOOK, someone(2)).expect("it is kept");
    assert_eq!(waiting(&other), 2);
    let both = async {
        while waiting(&one) < 2 {
            one.next_within(PATIENCE).await.expect("it goes on");
        }
    };
    tokio::time::timeout(PATIENCE, both).await.expect("it looks into the store");
    assert_eq!(waiting(&driver(&path)), 2);
}

#[test]
fn a_book_in_which_another_program_wrote_is_not_forgotten() {
    let (_folder, path) = folder();
    let (mut one, mut other) = (driver(&path), driver(&path));
    let mutation = other.mutate(BOOK, someone(1)).expect("it is taken");
    assert_eq!(one.forget_book(BOOK).expect("it is looked at"), 1);
    assert_eq!(waiting(&driver(&path)), 1, "what was written is there");
    other.withdraw(BOOK, mutation).expect("it is written").expect("it waited");
    assert_eq!(one.forget_book(BOOK).expect("it is forgotten"), 0);
}

#[test]
fn what_cannot_be_written_is_an_error_that_says_so() {
    let (_folder, path) = folder();
    let mut writer = driver(&path);
    writer.mutate(BOOK, someone(1)).expect("it is kept");
    let conn = Connection::open(&path).expect("the same file");
    conn.execute_batch("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no space'); END")
        .expect("it is made");
    let error = writer.mutate(BOOK, someone(2)).expect_err("there is no space");
    assert!(matches!(error, DriverError::Store(_)), "{error:?}");
    assert_eq!(error.to_string(), "not saved: the store on this device: no space");
    drop(writer);
    conn.execute_batch("DROP TRIGGER full").expect("it is dropped");
    let mut writer = driver(&path);
    assert_eq!(waiting(&writer), 1, "the first is there, and nothing of the second");
    writer.mutate(BOOK, someone(2)).expect("it is kept");
    assert_eq!(waiting(&driver(&path)), 2);
}
