//! Where the server has the book, as long as everybody compares with it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tidebook_book::{BookId, ChainHash, Seq, Snapshot};
use tidebook_client::Api;
use tidebook_ledger::Ledger;

use crate::Account;

/// Where a book is, and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Truth {
    pub(super) seq: Seq,
    pub(super) hash: ChainHash,
    pub(super) state_hash: ChainHash,
}

/// Where the server had it, each time that somebody looked.
#[derive(Debug)]
pub(super) struct Truths {
    api: Api,
    book: BookId,
    first: Truth,
    seen: Mutex<BTreeMap<Seq, Truth>>,
}

impl Truths {
    pub(super) async fn begin(account: &Account, book: BookId) -> Result<Self> {
        let api = Api::new(account.server(), Some(account.token.clone()))?;
        let first = look(&api, book).await?;
        Ok(Self { api, book, first, seen: Mutex::new(BTreeMap::from([(first.seq, first)])) })
    }

    pub(super) fn first(&self) -> Truth {
        self.first
    }

    /// Where it was at this entry, where that was seen.
    pub(super) fn at(&self, seq: Seq) -> Option<Truth> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&seq).copied()
    }

    /// Looks again.
    pub(super) async fn look(&self) -> Result<Truth> {
        let truth = look(&self.api, self.book).await?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(truth.seq, truth);
        Ok(truth)
    }
}

async fn look(api: &Api, book: BookId) -> Result<Truth> {
    let snapshot: Snapshot<Ledger> = serde_json::from_str(&api.snapshot(book).await?)?;
    let Snapshot { seq, hash, state_hash, .. } = snapshot;
    Ok(Truth { seq, hash, state_hash })
}
