//! `tidebook check` finds what is not as it was written, and says where.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::backup::{done, ran, text};
use crate::person::{Book, Person};
use crate::program::Serving;
use crate::says::{contact, fresh, with};

/// A stopped server's folder: a book of four entries, with a second member from the second on, and a snapshot at its head.
struct Kept {
    home: TempDir,
    data: PathBuf,
    book: Book,
    mira: Person,
    ben: Person,
}

impl Kept {
    async fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let data = home.path().join("data");
        let serving = Serving::start(&data, 0).await;
        let mira = Person::sign_up(serving.address, "Mira").await;
        let ben = Person::sign_up(serving.address, "Ben").await;
        let book = mira.book("Harbour Street").await;
        mira.let_in(&ben, &book, "editor").await;
        let mut device = ben.device(&book).await;
        device.write(&[contact(&fresh(), "Ana")]).await;
        device.write(&[contact(&fresh(), "Cy")]).await;
        let snapshot = mira.snapshot(&book).await;
        serving.signal("TERM").await;
        serving.ended().await;
        let kept = Self { home, data, book, mira, ben };
        kept.put_snapshot(&snapshot);
        kept
    }

    fn conn(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data.join("tidebook.db")).expect("a database")
    }

    fn put_snapshot(&self, snapshot: &Value) {
        let put = "INSERT OR REPLACE INTO snapshots VALUES (1, 4, ?1)";
        self.conn().execute(put, [packed(snapshot)]).expect("it is written");
    }

    /// The faults there are, with the place the first one is at.
    async fn faults(&self) -> Vec<Value> {
        let ran = ran(self.home.path(), &["check", "--json", "--data", text(&self.data)]).await;
        let checked: Value = serde_json::from_str(&ran.out).expect("JSON");
        let faults = checked["faults"].as_array().expect("a list").clone();
        assert_eq!(ran.code, Some(i32::from(!faults.is_empty())), "{}", ran.err);
        faults
    }
}

fn packed(snapshot: &Value) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(snapshot.to_string().as_bytes()).expect("memory");
    packer.finish().expect("memory")
}

fn unpacked(bytes: &[u8]) -> Value {
    serde_json::from_reader(flate2::read::GzDecoder::new(bytes)).expect("a snapshot")
}

/// A copy of the folder's store, to damage.
fn copied(from: &Path, to: &Path) {
    std::fs::copy(from, to).expect("a copy");
}

#[tokio::test]
async fn each_kind_of_damage_is_found_at_its_place() {
    let kept = Kept::new().await;
    assert_eq!(kept.faults().await, Vec::<Value>::new());
    let whole = kept.home.path().join("whole.db");
    copied(&kept.data.join("tidebook.db"), &whole);
    let checked = done(kept.home.path(), &["check", text(&whole)]).await;
    assert_eq!(checked, json!({"books": 1, "entries": 4, "snapshots": 1, "faults": []}));

    let of_ben = format!("x'{}'", kept.ben.id.replace('-', ""));
    let of_mira = format!("x'{}'", kept.mira.id.replace('-', ""));
    let cases = [
        (
            3,
            "bytes and its hash",
            "UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), 'Ana', 'Ann') AS BLOB)".into(),
        ),
        (2, "bytes and its hash", "UPDATE entries SET hash = zeroblob(32) WHERE seq = 2".into()),
        (3, "is missing", "DELETE FROM entries WHERE seq = 3".into()),
        (3, "another mutation", "UPDATE entries SET mutation = zeroblob(16) WHERE seq = 3".into()),
        (3, "another replica", "UPDATE entries SET replica = zeroblob(16) WHERE seq = 3".into()),
        (4, "another number", "UPDATE entries SET n = 9 WHERE seq = 4".into()),
        (5, "its log ends at 4", "UPDATE books SET head = 5".into()),
        (4, "the head's hash", "UPDATE books SET head_hash = zeroblob(32)".into()),
        (4, "name or currency", "UPDATE books SET summary = replace(summary, 'Street', 'Road')".into()),
        (4, "the snapshot cannot be read", "UPDATE snapshots SET bytes = substr(bytes, 1, 40)".into()),
        (5, "beyond the log", "INSERT INTO snapshots VALUES (1, 5, x'00')".into()),
        (3, "does not belong", "UPDATE snapshots SET seq = 3".into()),
        (2, "another role or time", format!("UPDATE members SET role = 'owner' WHERE account = {of_ben}")),
        (2, "another role or time", format!("UPDATE members SET role = NULL WHERE account = {of_ben}")),
        (1, "another role or time", format!("UPDATE members SET since = since + 1 WHERE account = {of_mira}")),
        (2, "lacks", format!("DELETE FROM members WHERE account = {of_ben}")),
        (4, "never was one", "INSERT INTO members VALUES (9, 1, zeroblob(16), 'owner', 1)".into()),
        (4, "which has got to 2", format!("UPDATE replicas SET n = 1 WHERE account = {of_ben} AND n = 2")),
        (4, "lacks replica", format!("DELETE FROM replicas WHERE account = {of_ben} AND n = 2")),
        (4, "somebody else's", format!("UPDATE replicas SET account = {of_mira} WHERE account = {of_ben} AND n = 2")),
    ];
    for (seq, what, damage) in cases {
        copied(&whole, &kept.data.join("tidebook.db"));
        assert!(kept.conn().execute(&damage, []).expect("it is written") > 0, "{damage}");
        let faults = kept.faults().await;
        let at_its_place = |fault: &Value| {
            let said = fault["what"].as_str().expect("a text");
            fault["book"] == kept.book.id.as_str() && fault["seq"] == seq && said.contains(what)
        };
        assert!(faults.iter().any(at_its_place), "{damage}: {faults:?}");
        assert!(faults.len() <= 2, "{damage}: {faults:?}");
    }
}

/// A snapshot that agrees with itself but not with the log, and one that does not agree with itself.
#[tokio::test]
async fn a_snapshot_of_another_state_is_found() {
    let kept = Kept::new().await;
    let snapshot: Vec<u8> =
        kept.conn().query_row("SELECT bytes FROM snapshots", [], |row| row.get(0)).expect("a snapshot");
    let snapshot = unpacked(&snapshot);
    let renamed: Value = serde_json::from_str(&snapshot.to_string().replace("\"Ana\"", "\"Bob\"")).expect("JSON");
    let hash = serde_json::from_value::<tidebook_book::Snapshot<tidebook_ledger::Ledger>>(renamed.clone());
    let hash = hash.expect("a snapshot").into_state().hash();
    let cases = [
        ("than its hash says", renamed.clone()),
        ("than the log leads to", with(renamed, &json!({"state_hash": hash}))),
        ("lacks number", with(snapshot, &json!({"replicas": {}}))),
    ];
    for (what, snapshot) in cases {
        kept.put_snapshot(&snapshot);
        let faults = kept.faults().await;
        assert_eq!((faults.len(), &faults[0]["seq"]), (1, &json!(4)), "{faults:?}");
        assert!(faults[0]["what"].as_str().expect("a text").contains(what), "{faults:?}");
    }
}

#[tokio::test]
async fn faults_are_told_in_words() {
    let kept = Kept::new().await;
    kept.conn().execute("UPDATE books SET head_hash = zeroblob(32)", []).expect("it is written");
    let ran = ran(kept.home.path(), &["check", "--data", text(&kept.data)]).await;
    assert_eq!(ran.code, Some(1));
    let line = format!("book {}, seq 4: the head's hash is not that of the log", kept.book.id);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (2, line.as_str()));
    assert!(lines[1].ends_with("1 books with 4 entries and 1 snapshots checked, 1 faults"), "{}", lines[1]);
}
