//! A laptop is away for a month with two thousand edits; somebody changes the same things meanwhile, and the server comes
//! back from a backup that is older than what the laptop was told is saved. Nothing of it is lost, or there twice.
//!
//! The month is in what the edits say of when they were made; no clock decides anything.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tidebook_book::{BookId, MutationId, UnixMillis};
use tidebook_client::{Api, Driver, Store, new_replica};
use tidebook_ledger::{Field, FieldSet, FieldValue, LedgerOp, TransactionId};
use tidebook_replica::NewMutation;
use uuid::Uuid;

use crate::backup::{done, text};
use crate::home::{Home, copy_folder, records, sound};
use crate::person::{Book, Person};
use crate::program::{Serving, lasting_port};

const EDITS: usize = 2_000;
const DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const WENT_OFFLINE_AT: i64 = 1_764_000_000_000;

/// Transactions that the backup has, and as many that were confirmed after it.
const ROWS: u128 = 40;
/// Transactions that are changed in both places.
const CONTESTED: u128 = 5;

/// How the server comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Restore {
    /// `tidebook restore`: the books go on under new epochs.
    Declared,
    /// Somebody puts an old copy of the data folder in its place, and says nothing.
    FolderPutBack,
}

struct Story {
    folder: TempDir,
    port: u16,
    serving: Option<Serving>,
    mira: Person,
    ben: Person,
    book: Book,
    laptop: Home,
    bens: Home,
    /// Ids of mutations that somebody was told are saved.
    saved: BTreeSet<String>,
}

impl Story {
    async fn begin() -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), lasting_port());
        let serving = Serving::start(&folder.path().join("data"), port).await;
        let mira = Person::sign_up(serving.address, "Mira").await;
        let ben = Person::sign_up(serving.address, "Ben").await;
        let book = mira.book("Harbour Street").await;
        mira.let_in(&ben, &book, "editor").await;
        let (laptop, bens, saved) = (Home::of(&mira), Home::of(&ben), BTreeSet::new());
        Self { folder, port, serving: Some(serving), mira, ben, book, laptop, bens, saved }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("backup")
    }

    /// Transactions of these numbers come in from a table, and are confirmed.
    async fn import(&mut self, numbers: std::ops::Range<u128>) {
        let row = |n: u128| format!("2026-10-{:02},Ana,gave,{}.00,EUR,{}\n", 1 + n % 28, 1 + n, transaction(n).0);
        let rows: String = numbers.map(row).collect();
        let file = self.folder.path().join("table.csv");
        std::fs::write(&file, format!("date,contact,direction,amount,currency,transaction_id\n{rows}"))
            .expect("a file");
        self.laptop.done(&["import", "csv", text(&file)]).await;
        self.saved.extend(self.log_ids().await);
    }

    async fn log_ids(&self) -> Vec<String> {
        let log = self.mira.log(&self.book).await;
        log.iter().map(|entry| entry.value["id"].as_str().expect("an id").to_owned()).collect()
    }

    async fn stop(&mut self) {
        let serving = self.serving.take().expect("it runs");
        serving.signal("TERM").await;
        serving.ended().await;
    }

    async fn start(&mut self) {
        self.serving = Some(Serving::start(&self.data(), self.port).await);
    }

    async fn back_up(&mut self, how: Restore) {
        match how {
            Restore::Declared => {
                done(self.folder.path(), &["backup", "--data", text(&self.data()), text(&self.backup())]).await;
            }
            Restore::FolderPutBack => {
                self.stop().await;
                copy_folder(&self.data(), &self.backup());
                self.start().await;
            }
        }
    }

    async fn restore(&mut self, how: Restore) {
        self.stop().await;
        std::fs::remove_dir_all(self.data()).expect("it was there");
        match how {
            Restore::Declared => {
                done(self.folder.path(), &["restore", "--data", text(&self.data()), text(&self.backup())]).await;
            }
            Restore::FolderPutBack => copy_folder(&self.backup(), &self.data()),
        }
        self.start().await;
    }

    /// A month of edits on the laptop. It has no network: no server is where its line would go.
    fn edit_for_a_month(&mut self) {
        let mut driver = offline(&self.laptop.store(), &self.mira);
        let book: BookId = self.book.id.parse().expect("an id");
        driver.open_book(book).expect("it is in the store");
        let base = driver.replica().book(book).expect("it is open").seen();
        let edit = |number: usize| {
            let note = FieldValue::Text(format!("edit {number} of the laptop's"));
            let set: FieldSet = [(Field::Note, note)].into_iter().collect();
            let share = DAYS * DAY_MS * i64::try_from(number).expect("a small number") / EDITS as i64;
            let (id, made_at) = (MutationId(Uuid::now_v7()), UnixMillis(WENT_OFFLINE_AT + share));
            let ops = vec![LedgerOp::UpdateTransaction { id: transaction(number as u128 % (2 * ROWS)), set }];
            NewMutation { id, made_at, base, ops, undoes: None }
        };
        // Each day's at a time.
        for day in (0..EDITS).collect::<Vec<_>>().chunks(EDITS / DAYS as usize) {
            let new: Vec<_> = day.iter().map(|number| edit(*number)).collect();
            self.saved.extend(new.iter().map(|mutation| mutation.id.0.to_string()));
            driver.mutate_all(book, new).expect("it is kept");
        }
    }

    async fn ben_edits(&mut self) {
        for n in 0..CONTESTED {
            let id = transaction(n).0.to_string();
            let said = self.bens.done(&["edit", &id, "--note", &format!("{n} as Ben has it")]).await;
            self.saved.insert(said["mutation"].as_str().expect("an id").to_owned());
        }
    }
}

fn offline(store: &Path, person: &Person) -> Driver {
    let api = Api::new("http://127.0.0.1:1", None).expect("an address");
    let store = Store::open(store, new_replica()).expect("a store");
    Driver::new(api, store, person.id.parse().expect("an id"), "test/1").expect("a replica")
}

fn transaction(n: u128) -> TransactionId {
    TransactionId(Uuid::from_u128(0x0199_d4c2_5b1e_7c3a_8f00_0000_0000_0000 + n))
}

#[tokio::test]
async fn a_month_offline_and_a_restore_from_an_older_backup_lose_nothing() {
    for how in [Restore::Declared, Restore::FolderPutBack] {
        let mut story = Story::begin().await;
        story.import(0..ROWS).await;
        story.back_up(how).await;
        story.import(ROWS..2 * ROWS).await;
        story.bens.sync().await;
        let status = story.laptop.status().await;
        assert_eq!((&status["status"], &status["waiting"]), (&json!("offline"), &json!([])));

        story.edit_for_a_month();
        story.ben_edits().await;
        let before = story.log_ids().await;
        story.restore(how).await;
        let restored = story.log_ids().await;
        assert!(restored.len() < before.len() && before.starts_with(&restored), "the backup is older");
        let epoch = story.mira.get(&story.book.path("")).await.json()["epoch"].clone();
        assert_eq!(epoch == story.book.epoch.as_str(), how == Restore::FolderPutBack);

        // What of it the restore lost comes back with those who wrote it.
        story.bens.sync().await;
        story.laptop.done(&["sync", "--wait", "120"]).await;
        story.bens.sync().await;
        check(&story, how).await;
    }
}

async fn check(story: &Story, how: Restore) {
    let snapshot = story.laptop.assert_has_what_the_server_has(&story.book).await;
    story.bens.assert_has_what_the_server_has(&story.book).await;
    let log = story.mira.log(&story.book).await;
    let entries = sound(&log, &snapshot);
    let lost: Vec<&String> = story.saved.iter().filter(|id| !entries.contains_key(id.as_str())).collect();
    assert!(lost.is_empty(), "{how:?}: {} of {} lost", lost.len(), story.saved.len());
    let rejected: Vec<_> = entries.values().filter(|entry| entry.rejection() != ("", "")).collect();
    assert!(rejected.is_empty(), "{how:?}: {rejected:?}");
    assert!(story.saved.len() > EDITS);
    assert_eq!(records(&snapshot, "transactions").len() as u128, 2 * ROWS);

    // What both changed is shown to both: what stands, and what is set aside. Of a folder that was put back nobody knows
    // what the others had seen: there it is Ben's that is set aside.
    let transactions = records(&snapshot, "transactions");
    for home in [&story.laptop, &story.bens] {
        let conflicts = home.done(&["conflicts", "--offline"]).await;
        for n in 0..CONTESTED {
            let id = transaction(n).0.to_string();
            let of_it = |conflict: &&Value| conflict["record"]["id"] == id.as_str();
            let conflict = conflicts.as_array().expect("a list").iter().find(of_it).expect("a conflict");
            let seen = format!("{conflict} {}", transactions[id.as_str()]["note"]);
            assert!(seen.contains(&format!("{n} as Ben has it")) && seen.contains("of the laptop's"), "{how:?} {seen}");
        }
    }
    assert_eq!(story.ben.snapshot(&story.book).await["hash"], snapshot["hash"]);
}
