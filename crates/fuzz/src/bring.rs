//! An export with its history, as it is brought into the data folder of a server that is stopped.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;
use tidebook_book::{BookChange, ChainHash, Domain as _, Entry};
use tidebook_ledger::{Ledger, LedgerBook};
use tidebook_server::data_folder::{BringError, Brought, bring_book, check, store_in};
use tokio::runtime::{Builder, Runtime};

use crate::Reading;
use crate::prepared::{OWNER_EMAIL, PREPARED};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// What is refused changes nothing and says why; what is taken makes a store that is in order.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let is_taken = bring(bytes).is_some();
    // Whoever makes a log up can make its hashes, too.
    let made_up = made_up(bytes);
    let is_made_up_taken = made_up.is_some_and(|export| bring(export.as_bytes()).is_some());
    Reading::taken_if(is_taken || is_made_up_taken)
}

fn bring(export: &[u8]) -> Option<Brought> {
    let folder = PREPARED.folder();
    let path = folder.path().join("export.json");
    fs::write(&path, export).expect("a folder that takes files");
    match RUNTIME.block_on(bring_book(folder.path(), &path, OWNER_EMAIL)) {
        Ok(brought) => {
            check_store(folder.path(), 2);
            Some(brought)
        }
        Err(BringError::Export { what, .. }) => {
            assert!(!what.is_empty(), "it says why");
            let store = fs::read(store_in(folder.path())).expect("a store");
            assert!(store == PREPARED.store, "what is refused changes nothing");
            None
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "it says why");
            check_store(folder.path(), 1);
            None
        }
    }
}

fn check_store(folder: &Path, books: u64) {
    let checked = check(&store_in(folder), &mut |_| {}).expect("a store");
    assert_eq!(checked.faults, [], "the store is in order");
    assert_eq!(checked.books, books);
}

#[derive(Deserialize)]
struct Export {
    #[serde(default)]
    entries: Vec<Box<RawValue>>,
}

/// The same log with the hashes and the state that it leads to. `None` where it has an entry that does not read.
fn made_up(bytes: &[u8]) -> Option<String> {
    let Export { entries } = serde_json::from_slice(bytes).ok()?;
    let (mut state, mut hash) = (LedgerBook::default(), ChainHash::ZERO);
    for entry in &entries {
        let read: Entry<BookChange<Ledger>> = serde_json::from_str(entry.get()).ok()?;
        state.apply_entry(&read);
        hash = hash.followed_by(entry.get().as_bytes());
    }
    let (seq, version, state_hash) = (entries.len(), Ledger::STATE_VERSION, state.hash());
    let state = serde_json::to_string(&state.domain).expect("a state serialises into memory");
    let entries = entries.iter().map(|entry| entry.get()).collect::<Vec<_>>().join(",");
    let ids = r#""book":"00000000-0000-0000-0000-0000000000b1","epoch":"00000000-0000-0000-0000-00000000000e""#;
    Some(format!(
        r#"{{"format":"tidebook-book","version":1,{ids},"seq":{seq},"hash":"{hash}","state_version":{version},"state_hash":"{state_hash}","state":{state},"entries":[{entries}]}}"#
    ))
}
