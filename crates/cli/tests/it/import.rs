//! `tidebook import splitwise`: two real exports, read back over HTTP and added up by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::person::Book;
use crate::program::{Place, Ran, run};
use crate::says::someone;

/// The file, Mira's own row of totals in minor units, and the others in it.
type Export = (&'static str, [(&'static str, i64); 3], &'static [&'static str]);

const EXPORTS: [Export; 2] = [
    ("splitwise-friends.csv", [("EUR", -7785), ("JPY", 1366), ("USD", -52538)], &["Jonas"]),
    ("splitwise-group.csv", [("EUR", 51749), ("JPY", 51895), ("USD", -41917)], &["Jonas", "Aiko", "Tomás"]),
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/tests/fixtures").join(name)
}

async fn import(place: &Place, file: &Path, me: &str, book: &str, more: &[&str]) -> Ran {
    let file = file.to_str().expect("UTF-8");
    let mut command = place.signed(&["import", "splitwise", file, "--me", me, "--book", book]);
    run(command.args(more), "").await
}

/// What everyone owes together, per currency, and the contacts' names.
async fn totals(place: &Place, book: &Book) -> (BTreeMap<String, i64>, Vec<String>) {
    let state = place.mira.snapshot(book).await["state"].clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut totals = BTreeMap::new();
    for transaction in state["transactions"].as_array().expect("a list") {
        assert_eq!(transaction["deleted"], false);
        let amount = transaction["amount"].as_i64().expect("an amount");
        let signed = if transaction["direction"] == "gave" { amount } else { -amount };
        *totals.entry(text(&transaction["currency"])).or_default() += signed;
    }
    let contacts = state["contacts"].as_array().expect("a list");
    (totals, contacts.iter().map(|contact| text(&contact["name"])).collect())
}

#[tokio::test]
async fn the_totals_are_the_files_own_and_a_second_run_adds_nothing() {
    let place = Place::new().await;
    for (file, expected, people) in EXPORTS {
        let book = place.mira.book(file).await;
        let ran = import(&place, &fixture(file), "Mira", file, &["--json"]).await;
        assert_eq!(ran.code, Some(0), "{file}: {}", ran.err);
        let report: Value = serde_json::from_str(&ran.out).expect("one line of JSON");
        let by_hand = expected.iter().map(|(currency, sum)| ((*currency).to_owned(), *sum)).collect();
        let (totals, mut contacts) = totals(&place, &book).await;
        assert_eq!(totals, by_hand, "{file}");
        for total in report["totals"].as_array().expect("totals") {
            assert_eq!((&total["planned"], &total["source"]), (&total["source"], &json!(by_hand_of(&by_hand, total))));
        }
        contacts.sort_unstable();
        let mut people = people.to_vec();
        people.sort_unstable();
        assert_eq!(contacts, people, "{file}");

        let written = place.mira.log(&book).await;
        assert!(written.iter().all(|entry| entry.rejection() == ("", "")));
        for id in [file, &book.id] {
            let again = import(&place, &fixture(file), "Mira", id, &[]).await;
            assert_eq!(again.code, Some(0), "{file}: {}", again.err);
            assert!(again.out.contains("Nothing was new"), "{}", again.out);
            assert_eq!(place.mira.log(&book).await, written, "{file}");
        }
    }
}

fn by_hand_of(by_hand: &BTreeMap<String, i64>, total: &Value) -> i64 {
    by_hand[total["currency"].as_str().expect("a currency")]
}

/// Into a book that is used already, and that has a contact of the same name made by hand.
#[tokio::test]
async fn what_is_there_stays_as_it_is() {
    let place = Place::new().await;
    let book = place.mira.book("Harbour Street").await;
    let jonas = crate::says::fresh();
    let mut device = place.mira.device(&book).await;
    device.write(&[crate::says::contact(&jonas, "Jonas"), crate::says::transaction(&jonas, "gave", 100, "EUR")]).await;
    let (file, expected, _) = EXPORTS[0];
    let ran = import(&place, &fixture(file), "Mira", "Harbour Street", &[]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let (totals, contacts) = totals(&place, &book).await;
    assert_eq!(totals["EUR"], expected[0].1 + 100);
    assert_eq!(contacts, ["Jonas", "Jonas"]);
}

#[tokio::test]
async fn a_dry_run_shows_the_same_and_writes_nothing() {
    let place = Place::new().await;
    let book = place.mira.book("Harbour Street").await;
    for (file, expected, _) in EXPORTS {
        let ran = import(&place, &fixture(file), "Mira", "Harbour Street", &["--dry-run", "--json"]).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let report: Value = serde_json::from_str(&ran.out).expect("one line of JSON");
        let planned: Vec<Value> = report["totals"].as_array().expect("totals").clone();
        let planned: Vec<(&str, i64)> = planned
            .iter()
            .map(|total| (total["currency"].as_str().expect("a code"), total["planned"].as_i64().expect("a sum")))
            .collect();
        assert_eq!(planned, expected);
        assert_eq!(report.get("written"), None);
    }
    assert_eq!(place.mira.head(&book).await, 1);
}

/// What is wrong, the exit code, what standard error says; nothing is written.
#[tokio::test]
async fn what_cannot_be_imported_writes_nothing() {
    let place = Place::new().await;
    let book = place.mira.book("Harbour Street").await;
    place.mira.device(&book).await.write(&[someone()]).await;
    let whole = std::fs::read_to_string(fixture("splitwise-group.csv")).expect("the fixture");
    let file = |name: &str, text: &str| {
        let path = place.home.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let tampered_total = file("total.csv", &whole.replace("EUR,517.49,", "EUR,517.48,"));
    let tampered_row = file("row.csv", &whole.replacen("EUR,-34.71,0.00,34.71,0.00", "EUR,-34.70,0.00,34.70,0.00", 1));
    let none = file("none.csv", "");
    let picture = file("picture.csv", "\u{89}PNG");
    let (good, missing) = (fixture("splitwise-group.csv"), place.home.path().join("missing.csv"));
    let cases: [(&PathBuf, &str, &str, i32, &[&str]); 8] = [
        (&tampered_total, "Mira", "Harbour Street", 3, &["totals differ"]),
        (&tampered_row, "Mira", "Harbour Street", 3, &["totals differ"]),
        (&good, "Nobody", "Harbour Street", 1, &["Mira", "Jonas", "Aiko", "Tomás"]),
        (&good, "mira", "Harbour Street", 1, &["Mira"]),
        (&good, "Mira", "Nowhere", 1, &["Nowhere", "Harbour Street"]),
        (&missing, "Mira", "Harbour Street", 1, &["missing.csv"]),
        (&none, "Mira", "Harbour Street", 1, &["none.csv"]),
        (&picture, "Mira", "Harbour Street", 1, &["picture.csv"]),
    ];
    let before = place.mira.snapshot(&book).await;
    for (path, me, named, code, said) in cases {
        let ran = import(&place, path, me, named, &[]).await;
        assert_eq!(ran.code, Some(code), "{path:?} {me} {named}: {} {}", ran.out, ran.err);
        assert!(said.iter().all(|word| ran.err.contains(word)), "{path:?} {me} {named}: {}", ran.err);
    }
    assert_eq!(place.mira.snapshot(&book).await, before);
}
