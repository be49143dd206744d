//! Books that move: out of one server and into another, out of other programs, into hledger, and taken back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::person::Person;
use crate::program::{Place, Ran, Serving, run, tidebook};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/tests/fixtures").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

async fn must(place: &Place, arguments: &[&str]) -> Ran {
    let ran = run(&mut place.signed(arguments), "").await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
    ran
}

async fn result(place: &Place, arguments: &[&str]) -> Value {
    let ran = must(place, &[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&ran.out).expect("JSON")
}

/// A book with something deleted, changed and undecided in it.
async fn lively(place: &Place) {
    for arguments in [
        &["books", "--new", "Harbour"][..],
        &["add", "Ana", "12+8.50", "--gave", "--note", "lunch; \"late\"", "--due", "2027-01-31"],
        &["add", "Ana", "5", "--got", "--date", "2026-01-02"],
        &["add", "Noor el Haddad", "700", "--gave", "--currency", "JPY"],
        &["contact", "edit", "Noor", "--phone", "+31 20 555 0142"],
        &["contact", "add", "Gone"],
        &["add", "Gone", "1", "--gave"],
        &["contact", "delete", "Gone"],
        &["add", "Ana", "3", "--gave"],
        &["undo"],
    ] {
        must(place, arguments).await;
    }
}

#[tokio::test]
async fn a_book_with_its_history_stands_on_another_server_as_it_was() {
    let place = Place::new().await;
    lively(&place).await;
    let export = must(&place, &["export", "json", "--history"]).await.out;
    let exported: Value = serde_json::from_str(&export).expect("JSON");
    let (file, data) = (place.home.path().join("harbour.json"), place.home.path().join("other"));
    std::fs::write(&file, &export).expect("a file");

    let serving = Serving::start(&data, 0).await;
    let ben = Person::sign_up(serving.address, "Ben").await;
    serving.signal("TERM").await;
    serving.ended().await;
    let mut restore = tidebook(place.home.path());
    restore.args(["restore", "--data", text(&data), "--book", text(&file), "--owner", &ben.email]);
    let ran = run(&mut restore, "").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);

    let serving = Serving::start(&data, 0).await;
    let ben = ben.at(serving.address);
    let snapshot =
        ben.get(&format!("/api/v1/books/{}/snapshot", exported["book"].as_str().expect("an id"))).await.json();
    assert_eq!(snapshot["state"], exported["state"], "every record, with who made it and when");
    assert_eq!(snapshot["seq"], exported["seq"].as_u64().expect("a seq") + 1, "the entry that makes Ben an owner");
}

#[tokio::test]
async fn records_come_into_an_empty_book_with_their_balances() {
    let place = Place::new().await;
    lively(&place).await;
    let file = place.home.path().join("harbour.json");
    std::fs::write(&file, must(&place, &["export", "json"]).await.out).expect("a file");
    let before = result(&place, &["balance", "--book", "Harbour"]).await;
    must(&place, &["books", "--new", "Empty"]).await;
    must(&place, &["import", "json", text(&file), "--book", "Empty"]).await;
    assert_eq!(result(&place, &["balance", "--book", "Empty"]).await, before);
    let again = result(&place, &["import", "json", text(&file), "--book", "Empty"]).await;
    assert_eq!(again["written"], 0);
    // Deleted ones can be restored there.
    must(&place, &["contact", "restore", "Gone", "--book", "Empty"]).await;
    let gone = result(&place, &["balance", "Gone", "--book", "Empty"]).await;
    assert_eq!(gone["totals"], json!({"EUR": 100}));
}

/// The file and the balances are those of a real server: see `cargo xtask prove ihatemoney`.
#[tokio::test]
async fn an_ihatemoney_project_comes_to_what_its_server_says() {
    let place = Place::new().await;
    let said = std::fs::read_to_string(fixture("ihatemoney-balances.json")).expect("the fixture");
    let said: BTreeMap<String, f64> = serde_json::from_str(&said).expect("JSON");
    for (number, (me, balance)) in said.iter().enumerate() {
        let book = format!("Book {number}");
        must(&place, &["books", "--new", &book]).await;
        let file = fixture("ihatemoney.csv");
        must(&place, &["import", "csv", text(&file), "--me", me, "--book", &book]).await;
        let total = result(&place, &["balance", "--book", &book]).await["totals"]["EUR"].as_f64().expect("a sum");
        assert!((total - balance * 100.0).abs() <= 0.5 + 1e-6, "{me}: {total}, the server says {balance}");
    }
}

#[tokio::test]
async fn hledger_adds_a_journal_up_to_the_same() {
    let place = Place::new().await;
    lively(&place).await;
    let file = place.home.path().join("harbour.journal");
    std::fs::write(&file, must(&place, &["export", "hledger"]).await.out).expect("a file");
    let hledger = |arguments: &[&str]| {
        let mut command = Command::new("hledger");
        command.args(["-f", text(&file)]).args(arguments);
        async move { run(&mut command, "").await }
    };
    let checked = hledger(&["check", "--strict"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    let balances = hledger(&["balance", "assets:owed", "--flat", "--no-total", "--output-format", "csv"]).await;
    let lines: Vec<&str> = balances.out.lines().skip(1).collect();
    assert_eq!(lines, [r#""assets:owed:Ana","15.50 EUR""#, r#""assets:owed:Noor el Haddad","700 JPY""#]);
    let ours = result(&place, &["balance"]).await;
    assert_eq!(ours["totals"], json!({"EUR": 1550, "JPY": 700}));
}

#[tokio::test]
async fn an_import_without_a_network_waits_whole_and_can_be_taken_back() {
    let place = Place::new().await;
    must(&place, &["books", "--new", "Harbour"]).await;
    must(&place, &["sync"]).await;
    let file = fixture("splitwise-group.csv");
    let import = ["import", "splitwise", text(&file), "--me", "Mira", "--offline"];
    let report = result(&place, &import).await;
    let book = place.mira.get("/api/v1/books").await.json()["items"][0].clone();
    assert_eq!(book["head"], 1, "nothing is sent");
    assert_eq!(result(&place, &import).await["written"], 0, "what waits is there already");
    must(&place, &["sync"]).await;
    let totals = result(&place, &["balance"]).await["totals"].clone();
    assert_eq!(totals, json!({"EUR": 51749, "JPY": 51895, "USD": -41917}));

    let listed = result(&place, &["import", "--list"]).await;
    assert_eq!(listed[0]["import"], report["import"]);
    let id = report["import"].as_str().expect("an id").to_owned();
    must(&place, &["import", "--undo", &id]).await;
    assert_eq!(result(&place, &["balance"]).await["contacts"], json!([]));
    assert_eq!(result(&place, &["import", "--list"]).await, json!([]));
    // What is deleted can come back, and another import leaves it alone.
    assert_eq!(result(&place, &["import", "splitwise", text(&file), "--me", "Mira"]).await["written"], 0);
}

/// Withdrawn before it is sent, it never enters the log.
#[tokio::test]
async fn an_import_that_was_never_sent_leaves_nothing() {
    let place = Place::new().await;
    must(&place, &["books", "--new", "Harbour"]).await;
    must(&place, &["sync"]).await;
    let file = fixture("splitwise-friends.csv");
    let import = ["import", "splitwise", text(&file), "--me", "Mira", "--offline"];
    let id = result(&place, &import).await["import"].as_str().expect("an id").to_owned();
    let back = result(&place, &["import", "--undo", &id[28..], "--offline"]).await;
    assert!(back["withdrawn"].as_u64() > Some(0) && back["undone"] == 0, "{back}");
    must(&place, &["sync"]).await;
    let state = result(&place, &["list"]).await;
    assert_eq!(state["transactions"], json!([]));
}

/// Two devices bring in the same file, and one of them hears of it late: all of its part is rejected.
#[tokio::test]
async fn an_import_that_was_rejected_is_in_nobodys_way() {
    let place = Place::new().await;
    must(&place, &["books", "--new", "Harbour"]).await;
    must(&place, &["sync"]).await;
    let (friends, group) = (fixture("splitwise-friends.csv"), fixture("splitwise-group.csv"));
    let import = ["import", "splitwise", text(&friends), "--me", "Mira", "--offline"];
    let late = result(&place, &import).await["import"].as_str().expect("an id").to_owned();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut first = tidebook(elsewhere.path());
    first.env("TIDEBOOK_SERVER", place.url()).env("TIDEBOOK_TOKEN", &place.mira.token);
    let ran = run(first.args(["import", "splitwise", text(&friends), "--me", "Mira"]), "").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);

    // Another import is not told that it failed.
    let other = result(&place, &["import", "splitwise", text(&group), "--me", "Mira"]).await;
    assert!(other["written"].as_u64() > Some(0), "{other}");
    let status = result(&place, &["status"]).await;
    assert!(!status[0]["rejected"].as_array().expect("a list").is_empty(), "{status}");
    let before = result(&place, &["balance"]).await["totals"].clone();
    let back = result(&place, &["import", "--undo", &late]).await;
    assert_eq!(back["undone"], 0, "there is nothing of it to take back");
    assert_eq!(result(&place, &["balance"]).await["totals"], before);
    assert_eq!(result(&place, &["import", "--list"]).await.as_array().map(Vec::len), Some(1));
}
