//! What commands about a book do and say.

use reqwest::Method;
use serde_json::{Value, json};

use crate::person::Person;
use crate::program::{Place, Ran, run, tidebook};

async fn ran(place: &Place, arguments: &[&str]) -> Ran {
    run(&mut place.signed(arguments), "").await
}

async fn result(place: &Place, arguments: &[&str]) -> Value {
    let ran = ran(place, &[arguments, &["--json"]].concat()).await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

async fn with_book() -> Place {
    let place = Place::new().await;
    result(&place, &["books", "--new", "Harbour"]).await;
    place
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect(name)
}

/// The notes that a list has, newest first.
async fn notes(place: &Place, filter: &[&str]) -> Vec<String> {
    let listed = result(place, &[&["list"], filter].concat()).await;
    let transactions = listed["transactions"].as_array().expect("a list");
    transactions.iter().map(|it| it["note"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn lists_and_balances_are_of_what_is_asked_for() {
    let place = with_book().await;
    for (who, amount, way, note, date, currency) in [
        ("Ana Kovač", "12+8.50", "--gave", "Lunch", "2026-01-10", "EUR"),
        ("Ana Kovač", "5", "--got", "Taxi", "2026-02-10", "EUR"),
        ("Jun", "700", "--gave", "Lunch with Ana", "2026-02-11", "JPY"),
    ] {
        result(&place, &["add", who, amount, way, "--note", note, "--date", date, "--currency", currency]).await;
    }
    for (filter, expected) in [
        (&[][..], &["Lunch with Ana", "Taxi", "Lunch"][..]),
        (&["--who", "ana"], &["Taxi", "Lunch"]),
        (&["--text", "LUNCH"], &["Lunch with Ana", "Lunch"]),
        (&["--text", "kovač taxi"], &["Taxi"]),
        (&["--from", "2026-02-10", "--to", "2026-02-10"], &["Taxi"]),
        (&["--currency", "JPY"], &["Lunch with Ana"]),
        (&["--got"], &["Taxi"]),
        (&["--limit", "1"], &["Lunch with Ana"]),
        (&["--deleted"], &[]),
    ] {
        assert_eq!(notes(&place, filter).await, expected, "{filter:?}");
    }
    let totals = async |more: &[&str]| result(&place, &[&["balance"], more].concat()).await["totals"].clone();
    assert_eq!(totals(&[]).await, json!({"EUR": 1550, "JPY": 700}));
    assert_eq!(totals(&["--as-of", "2026-02-09"]).await, json!({"EUR": 2050}));
    assert_eq!(totals(&["--as-of", "2026-02-10"]).await, json!({"EUR": 1550}));
    assert_eq!(totals(&["Ana", "--as-of", "2025-12-31"]).await, json!({}));
    let words = ran(&place, &["balance", "Jun"]).await.out;
    assert_eq!(words, "Jun  owes you  700 JPY\nTogether +700 JPY\n", "no colours where nobody sees them");
}

#[tokio::test]
async fn undo_goes_on_and_only_meets_what_others_changed() {
    let place = with_book().await;
    let taxi = result(&place, &["add", "Ana", "5", "--gave", "--note", "A"]).await;
    let id = text(&taxi, "transaction").to_owned();
    result(&place, &["edit", &id, "--note", "B"]).await;
    result(&place, &["edit", &id, "--note", "C", "--amount", "6"]).await;
    result(&place, &["undo"]).await;
    assert_eq!(notes(&place, &[]).await, ["B"]);
    result(&place, &["undo"]).await;
    assert_eq!(notes(&place, &[]).await, ["A"]);
    assert_eq!(result(&place, &["balance"]).await["totals"], json!({"EUR": 500}));

    // Somebody else has changed it since.
    let book = place.mira.get("/api/v1/books").await.json()["items"][0].clone();
    let path = format!("/api/v1/books/{}/transactions/{id}", text(&book, "id"));
    let patched = place.mira.ask(reqwest::Method::PATCH, &path, Some(&json!({"note": "D"}))).await;
    assert_eq!(patched.status, 200, "{}", patched.body);
    result(&place, &["undo", "3"]).await;
    assert_eq!(notes(&place, &[]).await, ["D"], "what stands stays");
    let conflicts = result(&place, &["conflicts"]).await;
    let [conflict] = conflicts.as_array().expect("a list").as_slice() else { panic!("{conflicts}") };
    assert_eq!(conflict["offered"]["set"], json!({"note": "A"}));
    result(&place, &["resolve", text(conflict, "id"), "--take"]).await;
    assert_eq!(notes(&place, &[]).await, ["A"]);
    assert_eq!(result(&place, &["conflicts"]).await, json!([]));

    // What waits is taken back before it is sent.
    result(&place, &["add", "Ana", "1", "--gave", "--offline"]).await;
    let back = result(&place, &["undo", "--offline"]).await;
    assert!(back["withdrawn"].is_string(), "{back}");
    assert_eq!(result(&place, &["balance"]).await["totals"], json!({"EUR": 500}));
}

#[tokio::test]
async fn bad_input_says_what_to_do_and_changes_nothing() {
    let place = with_book().await;
    result(&place, &["add", "Ana Kovač", "5", "--gave"]).await;
    result(&place, &["add", "Ana Baker", "5", "--gave", "--new", "always"]).await;
    let before = result(&place, &["status"]).await;
    for (arguments, code, said) in [
        (&["add", "Ana", "5", "--gave"][..], 1, "Ana Baker"),
        (&["add", "Jun", "5.005", "--gave"], 1, "2 decimals"),
        (&["add", "Jun", "five", "--gave"], 1, "digits"),
        (&["add", "Jun", "5"], 2, "--gave"),
        (&["add", "Jun", "5", "--gave", "--got"], 2, "--got"),
        (&["add", "Jun", "5", "--gave", "--date", "tomorrow"], 2, "YYYY-MM-DD"),
        (&["add", "Jun", "5", "--gave", "--currency", "euro"], 2, "ISO 4217"),
        (&["add", "Nobody", "5", "--gave", "--new", "never"], 1, "Nobody"),
        (&["add", "a\u{1b}[2Jb", "5", "--gave"], 1, "control characters"),
        (&["edit", "00000000", "--note", "x"], 1, "00000000"),
        (&["undo", "999"], 1, "999"),
        (&["contact", "delete", "Jun"], 1, "Jun"),
        (&["list", "--book", "Nowhere"], 1, "Harbour"),
        (&["books", "--new", ""], 1, "name"),
    ] {
        let ran = ran(&place, arguments).await;
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said) && !ran.err.contains('\u{1b}'), "{arguments:?}: {}", ran.err);
    }
    let after = result(&place, &["status"]).await;
    assert_eq!((&after[0]["hash"], &after[0]["waiting"]), (&before[0]["hash"], &json!([])));
}

#[tokio::test]
async fn who_is_removed_keeps_only_what_nobody_took() {
    let place = with_book().await;
    let jun = Person::sign_up(place.serving.address, "Jun").await;
    let home = tempfile::tempdir().expect("a folder");
    let url = place.url();
    let of_jun = async |arguments: &[&str]| {
        let mut command = tidebook(home.path());
        command.env("TIDEBOOK_SERVER", &url).env("TIDEBOOK_TOKEN", &jun.token).args(arguments);
        run(&mut command, "").await
    };
    let invite = result(&place, &["invite"]).await;
    assert_eq!(of_jun(&["join", text(&invite, "url")]).await.code, Some(0));
    assert_eq!(of_jun(&["add", "Ana", "5", "--gave"]).await.code, Some(0));
    assert_eq!(of_jun(&["add", "Ana", "7", "--gave", "--offline"]).await.code, Some(0));
    result(&place, &["members", "--remove", "Jun"]).await;

    let listed = of_jun(&["list", "--json"]).await;
    assert!(listed.err.contains("not a member"), "{}", listed.err);
    let status: Value = serde_json::from_str(&of_jun(&["status", "--json"]).await.out).expect("JSON");
    let waiting = status[0]["waiting"].as_array().expect("a list");
    assert_eq!((waiting.len(), &waiting[0]["ops"][0]["amount"]), (1, &json!(700)));
    let discarded = of_jun(&["discard", text(&waiting[0], "id")]).await;
    assert_eq!(discarded.code, Some(0), "{}", discarded.err);
    let told = "\"Harbour\" any more; this device keeps nothing";
    assert!(discarded.err.contains(told), "{}", discarded.err);
    let gone = of_jun(&["list"]).await;
    assert_eq!(gone.code, Some(1), "{}", gone.out);
    assert!(gone.err.contains("no book"), "{}", gone.err);
    assert_eq!(of_jun(&["status", "--offline", "--json"]).await.out, "[]\n");
}

#[tokio::test]
async fn a_book_that_is_gone_is_named_once() {
    let place = with_book().await;
    for (name, command) in [("Boat", "books"), ("Trip", "sync")] {
        let made = result(&place, &["books", "--new", name]).await;
        result(&place, &["sync"]).await;
        let path = format!("/api/v1/books/{}?purge=true", text(&made, "book"));
        let purged = place.mira.ask(Method::DELETE, &path, None).await;
        assert_eq!(purged.status, 204, "{}", purged.body);
        let told = ran(&place, &[command]).await;
        assert_eq!(told.err.matches(&format!("{name:?}")).count(), 1, "{command}: {}", told.err);
    }
}

#[tokio::test]
async fn who_leaves_a_book_is_not_told_that_it_is_gone() {
    let place = with_book().await;
    let jun = Person::sign_up(place.serving.address, "Jun").await;
    let theirs = jun.book("Boat").await;
    let invite = jun.invite(&theirs, &json!({"role": "editor", "uses": 1, "expires_in_s": 600})).await;
    result(&place, &["join", text(&invite, "url")]).await;
    result(&place, &["members", "--leave", "--book", "Boat"]).await;
    let told = ran(&place, &["books"]).await;
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_book_made_without_a_network_is_there_when_there_is_one() {
    let place = with_book().await;
    let made = result(&place, &["books", "--new", "Boat", "--currency", "GBP", "--offline"]).await;
    result(&place, &["add", "Zoe", "4", "--gave", "--book", "Boat", "--offline"]).await;
    let books = place.mira.get("/api/v1/books").await.json();
    assert_eq!(books["items"].as_array().map(Vec::len), Some(1), "the server has not heard of it");
    result(&place, &["sync"]).await;
    let path = format!("/api/v1/books/{}/transactions", text(&made, "book"));
    let transactions = place.mira.get(&path).await.json();
    assert_eq!(transactions["items"][0]["currency"], "GBP");
}
