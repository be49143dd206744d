//! A book's log as anybody can read it over HTTP, and what must hold of it whatever its writers went through.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;
use tidebook_book::BookId;

use crate::Account;

/// Entries a page.
const PAGE: usize = 5_000;

/// One line of it.
#[derive(Debug, Deserialize)]
pub struct LogEntry {
    seq: u64,
    replica: String,
    n: u64,
    id: String,
    changes: Vec<Value>,
}

impl LogEntry {
    /// The mutation that it became of.
    #[must_use]
    pub fn mutation(&self) -> &str {
        &self.id
    }
}

#[derive(Deserialize)]
struct Page {
    entries: Vec<LogEntry>,
    head: u64,
}

impl Account {
    /// All of a book's log.
    pub async fn log(&self, book: BookId) -> Result<Vec<LogEntry>> {
        let mut log: Vec<LogEntry> = Vec::new();
        loop {
            let after = log.len();
            let url = format!("{}/api/v1/books/{book}/entries?after={after}&limit={PAGE}", self.server());
            let answer = Client::new().get(url).bearer_auth(&self.token).send().await?.error_for_status()?;
            let page: Page = serde_json::from_str(&answer.text().await?)?;
            ensure!(!page.entries.is_empty() || after as u64 == page.head, "the log ends before its head");
            log.extend(page.entries);
            if log.len() as u64 >= page.head {
                return Ok(log);
            }
        }
    }
}

/// Checks that no line is missing and none is there twice, and returns the names and notes that were brought into the
/// book, each of which is there once.
pub fn written(log: &[LogEntry]) -> Result<BTreeSet<String>> {
    let (mut written, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    for (entry, seq) in log.iter().zip(1..) {
        ensure!(entry.seq == seq, "entry {} stands where {seq} should", entry.seq);
        ensure!(ids.insert(&entry.id), "{} is in the log twice", entry.id);
        let last = numbers.entry(&entry.replica).or_default();
        ensure!(entry.n == *last + 1, "{} of {} follows {last}", entry.n, entry.replica);
        *last = entry.n;
        for text in entry.changes.iter().filter_map(text_of) {
            ensure!(written.insert(text.to_owned()), "{text} was brought into the book twice");
        }
    }
    Ok(written)
}

/// What tells a new record from others in a journey: a person's name, a line's note.
fn text_of(change: &Value) -> Option<&str> {
    match change["type"].as_str()? {
        "contact_created" => change["name"].as_str(),
        "transaction_created" => change["note"].as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn log(lines: &[(u64, &str, u64, &str, &str)]) -> Vec<LogEntry> {
        let line = |(seq, replica, n, id, name): &(u64, &str, u64, &str, &str)| {
            let created = json!([{"type": "contact_created", "name": name}]);
            serde_json::from_value(json!({"seq": seq, "replica": replica, "n": n, "id": id, "changes": created}))
        };
        lines.iter().map(|it| line(it).unwrap()).collect()
    }

    #[test]
    fn what_is_missing_or_there_twice_is_found() {
        let good = [(1, "a", 1, "x", "Ana"), (2, "b", 1, "y", "Ben"), (3, "a", 2, "z", "Cem")];
        assert_eq!(written(&log(&good)).unwrap().len(), 3);
        for (wrong, words) in [
            ((4, "a", 4, "v", "Dan"), "4 of a follows 2"),
            ((4, "a", 2, "v", "Dan"), "2 of a follows 2"),
            ((5, "a", 3, "v", "Dan"), "entry 5 stands where 4 should"),
            ((4, "a", 3, "x", "Dan"), "x is in the log twice"),
            ((4, "a", 3, "v", "Ana"), "Ana was brought into the book twice"),
        ] {
            let lines: Vec<_> = good.into_iter().chain([wrong]).collect();
            assert_eq!(written(&log(&lines)).unwrap_err().to_string(), words);
        }
    }
}
