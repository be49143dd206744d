//! `tidebook restore --book`: a book out of an export, with all its history, into another server.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backup::{done, ran, text};
use crate::person::{Book, Person};
use crate::program::Serving;
use crate::raw::{Chain, Written};
use crate::says::{contact, fresh, mutation, subscribe_after, transaction, with};

/// A book as its server has it, and another server's folder with Ben's account in it.
struct Moving {
    home: TempDir,
    data: PathBuf,
    ben: Person,
    book: Book,
    log: Vec<Written>,
    snapshot: Value,
}

impl Moving {
    async fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let serving = Serving::start(&home.path().join("old"), 0).await;
        let mira = Person::sign_up(serving.address, "Mira").await;
        let book = mira.book("Harbour Street").await;
        let mut device = mira.device(&book).await;
        let ana = fresh();
        device.write(&[contact(&ana, "Ana é \u{1F30A}")]).await;
        device.write(&[transaction(&ana, "gave", 2050, "EUR")]).await;
        // Entries too: one that was rejected, and one of the book itself.
        device.write(&[transaction(&fresh(), "gave", 1, "EUR")]).await;
        let renamed = mutation(4, &[json!({"op": "update_book", "set": {"name": "Harbour Street 12"}})]);
        device.offer(&[with(renamed, &json!({"base": 4}))]).await;
        let (log, snapshot) = (mira.log(&book).await, mira.snapshot(&book).await);
        serving.kill().await;
        let data = home.path().join("new");
        let serving = Serving::start(&data, 0).await;
        let ben = Person::sign_up(serving.address, "Ben").await;
        serving.signal("TERM").await;
        serving.ended().await;
        Self { home, data, ben, book, log, snapshot }
    }

    /// As an exporter writes it.
    fn export(&self) -> String {
        let Self { snapshot, log, .. } = self;
        let entries: Vec<&str> = log.iter().map(|entry| entry.bytes.as_str()).collect();
        format!(
            r#"{{"format":"tidebook-book","version":1,"book":{},"epoch":{},"seq":{},"hash":{},"state_version":{},"state_hash":{},"people":{},"state":{},"entries":[{}]}}"#,
            snapshot["book"],
            snapshot["epoch"],
            snapshot["seq"],
            snapshot["hash"],
            snapshot["state_version"],
            snapshot["state_hash"],
            snapshot["people"],
            snapshot["state"],
            entries.join(",\n")
        )
    }

    fn file(&self, export: &str) -> PathBuf {
        let path = self.home.path().join("book.json");
        std::fs::write(&path, export).expect("it is written");
        path
    }

    fn arguments<'a>(&'a self, file: &'a Path, owner: &'a str) -> [&'a str; 7] {
        ["restore", "--data", text(&self.data), "--book", text(file), "--owner", owner]
    }
}

#[tokio::test]
async fn a_book_is_the_same_byte_for_byte_under_a_new_epoch() {
    let moving = Moving::new().await;
    let file = moving.file(&moving.export());
    let brought = done(moving.home.path(), &moving.arguments(&file, "Ben@tide.example")).await;
    assert_eq!(brought, json!({"book": moving.book.id, "name": "Harbour Street 12", "entries": 5}));
    let checked = done(moving.home.path(), &["check", "--data", text(&moving.data)]).await;
    assert_eq!((&checked["entries"], &checked["faults"]), (&json!(6), &json!([])));

    let serving = Serving::start(&moving.data, 0).await;
    let ben = moving.ben.clone().at(serving.address);
    let log = ben.log(&moving.book).await;
    assert_eq!(log[..5], moving.log);
    assert_eq!(log[5].value["changes"], json!([{"type": "member_added", "user": ben.id, "role": "owner"}]));
    let snapshot = ben.snapshot(&moving.book).await;
    assert_eq!(snapshot["state"], moving.snapshot["state"]);
    assert_ne!(snapshot["epoch"], moving.snapshot["epoch"]);
    assert_eq!(ben.get("/api/v1/books").await.json()["items"][0]["name"], "Harbour Street 12");

    // A device of the old server's that belongs to Ben learns where the histories part.
    let mut raw = ben.welcomed(&fresh()).await;
    let chain = Chain::of(moving.log.iter().map(|entry| entry.bytes.as_str()));
    raw.send(&subscribe_after(&moving.book, 5, &chain.hex())).await;
    let required = raw.frame().await;
    assert_eq!((&required["type"], &required["from_seq"]), (&json!("snapshot_required"), &json!(5)));
    // And the book goes on.
    let epoch = snapshot["epoch"].as_str().expect("an epoch").to_owned();
    let book = Book { epoch, ..moving.book.clone() };
    ben.device(&book).await.write(&[contact(&fresh(), "Cy")]).await;
    serving.signal("TERM").await;
    serving.ended().await;

    let again = ran(moving.home.path(), &moving.arguments(&file, "ben@tide.example")).await;
    assert!(again.code == Some(1) && again.err.contains("has the book"), "{}", again.err);
}

#[tokio::test]
async fn an_export_that_does_not_hold_together_is_refused_and_nothing_written() {
    let moving = Moving::new().await;
    let export = moving.export();
    let zeros = format!("\"{}\"", "0".repeat(64));
    let entries_at = export.find(",\"entries\"").expect("it is there");
    let swapped = |from: &str, to: &str| {
        let (head, entries) = export.split_at(entries_at);
        assert!(head.contains(from), "{from}");
        format!("{}{entries}", head.replacen(from, to, 1))
    };
    let in_entries = |from: &str, to: &str| {
        let (head, entries) = export.split_at(entries_at);
        assert!(entries.contains(from), "{from}");
        format!("{head}{}", entries.replacen(from, to, 1))
    };
    let hash = moving.snapshot["hash"].to_string();
    let state_hash = moving.snapshot["state_hash"].to_string();
    let cases = [
        ("--history", format!("{}}}", &export[..entries_at])),
        ("not a book that Tidebook exported", swapped("tidebook-book", "diary")),
        ("another version of the format", swapped("\"version\":1", "\"version\":2")),
        ("not those of its hash", swapped(&hash, &zeros)),
        ("not those of its hash", in_entries("Ana é", "Ann é")),
        ("not those of its hash", in_entries("\"rejected\":", "\"rejected\" :")),
        ("lead to the state of its state_hash", swapped(&state_hash, &zeros)),
        ("its state is not the one", swapped("Ana é", "Ann é")),
        ("its state is of version 2", swapped("\"state_version\":1", "\"state_version\":2")),
        ("says that it has 6", swapped("\"seq\":5", "\"seq\":6")),
        ("entry 3: the entry says that its seq is 4", in_entries(&format!("{},\n", moving.log[2].bytes), "")),
        ("entry 2: the entry cannot be read", in_entries("contact_created", "contact_cremated")),
        ("EOF", export[..export.len() - 40].to_owned()),
        ("lacks \"epoch\"", swapped("\"epoch\"", "\"epic\"")),
    ];
    let before = std::fs::read(moving.data.join("tidebook.db")).expect("a store");
    for (what, export) in cases {
        let file = moving.file(&export);
        let ran = ran(moving.home.path(), &moving.arguments(&file, "ben@tide.example")).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{what}: {}", ran.err);
        assert!(ran.err.contains(what), "{what}: {}", ran.err);
    }
    let file = moving.file(&export);
    for (owner, data, what) in [
        ("cy@tide.example", &moving.data, "no account cy@tide.example"),
        ("ben@tide.example", &moving.home.path().join("nowhere"), "there is no store in"),
    ] {
        let ran =
            ran(moving.home.path(), &["restore", "--data", text(data), "--book", text(&file), "--owner", owner]).await;
        assert!(ran.code == Some(1) && ran.err.contains(what), "{}", ran.err);
    }
    assert_eq!(std::fs::read(moving.data.join("tidebook.db")).expect("a store"), before);
    let usage: [&[&str]; 3] =
        [&["restore"], &["restore", "--book", "x"], &["restore", "x", "--book", "y", "--owner", "z"]];
    for arguments in usage {
        assert_eq!(ran(moving.home.path(), arguments).await.code, Some(2), "{arguments:?}");
    }
}
