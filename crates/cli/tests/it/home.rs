//! A device of somebody's: a folder that is a home, in which the person is signed in by what the environment says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::person::{Book, Person};
use crate::program::{run, tidebook};
use crate::raw::{Chain, Written};

pub(crate) struct Home {
    folder: TempDir,
    person: Person,
}

impl Home {
    pub(crate) fn of(person: &Person) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), person: person.clone() }
    }

    /// Another machine with a copy of all that is on this one.
    pub(crate) fn copied(&self) -> Self {
        let copy = Self::of(&self.person);
        copy_folder(self.path(), copy.path());
        copy
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file that the books are kept in.
    pub(crate) fn store(&self) -> PathBuf {
        let server = format!("http___{}", self.person.address).replace(':', "_");
        self.path().join("data/tidebook/client").join(server).join(format!("{}.db", self.person.id))
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tidebook(self.path());
        command.env("TIDEBOOK_SERVER", format!("http://{}", self.person.address));
        command.env("TIDEBOOK_TOKEN", &self.person.token).args(arguments).arg("--json");
        command
    }

    /// What a run says that is to succeed.
    pub(crate) async fn done(&self, arguments: &[&str]) -> Value {
        let ran = run(&mut self.command(arguments), "").await;
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.out, ran.err);
        serde_json::from_str(&ran.out).expect("JSON")
    }

    /// The same without a network; what it says is that something was saved.
    pub(crate) async fn saved_offline(&self, arguments: &[&str]) -> Value {
        let said = self.done(&[arguments, &["--offline"]].concat()).await;
        assert_eq!(said["saved"], true, "{said}");
        said
    }

    /// Syncs until there is nothing left to send or to fetch.
    pub(crate) async fn sync(&self) {
        self.done(&["sync"]).await;
    }

    /// What it says of the one book it has, as it lies here.
    pub(crate) async fn status(&self) -> Value {
        let told = self.done(&["status", "--offline"]).await;
        assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
        told[0].clone()
    }

    /// Asserts that it has the book as the server has it, and that nothing waits; returns the server's snapshot.
    pub(crate) async fn assert_has_what_the_server_has(&self, book: &Book) -> Value {
        let (status, snapshot) = (self.status().await, self.person.snapshot(book).await);
        for field in ["book", "seq", "hash", "state_hash"] {
            assert_eq!(status[field], snapshot[field], "{field}: {status}");
        }
        assert_eq!((&status["waiting"], &status["rejected"]), (&json!([]), &json!([])));
        snapshot
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for found in std::fs::read_dir(from).expect("a folder") {
        let found = found.expect("an entry");
        let (kind, to) = (found.file_type().expect("a kind"), to.join(found.file_name()));
        if kind.is_dir() {
            copy_folder(&found.path(), &to);
        } else {
            std::fs::copy(found.path(), to).expect("a copy");
        }
    }
}

/// A whole log: asserts that no seq is left out and that every id is there once; its entries by the ids of their mutations.
pub(crate) fn whole<'a>(log: &'a [Written], snapshot: &Value) -> BTreeMap<&'a str, &'a Written> {
    let mut by_id = BTreeMap::new();
    for (entry, seq) in log.iter().zip(1..) {
        assert_eq!(entry.seq(), seq, "seqs are gapless");
        let id = entry.value["id"].as_str().expect("an id");
        assert_eq!(by_id.insert(id, entry), None, "a mutation entered twice");
    }
    let chain = Chain::of(log.iter().map(|entry| entry.bytes.as_str()));
    assert_eq!((&snapshot["hash"], &snapshot["seq"]), (&json!(chain.hex()), &json!(log.len())));
    by_id
}

/// The same where no mutation was offered under two replica ids: each replica's numbers are gapless.
pub(crate) fn sound<'a>(log: &'a [Written], snapshot: &Value) -> BTreeMap<&'a str, &'a Written> {
    let mut last_numbers: BTreeMap<&str, u64> = BTreeMap::new();
    for (replica, n) in log.iter().map(number_of) {
        let last = last_numbers.entry(replica).or_default();
        assert_eq!(n, *last + 1, "numbers are gapless: {replica}");
        *last = n;
    }
    whole(log, snapshot)
}

/// The same where one may have been: a number that it was offered under and that the log has it under another for is used
/// up without an entry.
pub(crate) fn sound_but_for_used_up_numbers<'a>(
    log: &'a [Written],
    snapshot: &Value,
) -> BTreeMap<&'a str, &'a Written> {
    let mut last_numbers: BTreeMap<&str, u64> = BTreeMap::new();
    for (replica, n) in log.iter().map(number_of) {
        let last = last_numbers.insert(replica, n);
        assert!(last < Some(n), "numbers only rise: {replica} {n} after {last:?}");
    }
    whole(log, snapshot)
}

fn number_of(entry: &Written) -> (&str, u64) {
    (entry.value["replica"].as_str().expect("an id"), entry.value["n"].as_u64().expect("a number"))
}

/// The records of a kind in a snapshot, by their ids.
pub(crate) fn records<'a>(snapshot: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let records = snapshot["state"][kind].as_array().expect("a list");
    records.iter().map(|record| (record["id"].as_str().expect("an id"), record)).collect()
}
