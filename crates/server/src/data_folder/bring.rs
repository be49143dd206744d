//! A book with its whole log, out of an export and into the data folder of a server that is stopped.
//!
//! It is the same book, entry by entry and byte by byte, under an epoch of its own. All of the file is verified before
//! anything is written: the chain from nothing to the head, and that the log leads to the state that is beside it.

use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use tidebook_authority::{Authority, Head};
use tidebook_book::{
    Author, BookId, ChainHash, Domain, EncodedEntry, Epoch, MutationId, ReplicaId, Seq, UnixMillis, UserId,
};
use tidebook_event_store::{
    Append, AppendOne, Created, FormerEpoch, NewBook, NewEntry, OpenError, ReplicaRow, Store, StoreError,
};
use tidebook_ledger::{Ledger, LedgerState};

use super::export_file::{self, ExportHead};
use super::replay::{LedgerEntry, Replay, memberships_in};
use super::store_in;
use crate::book::append_of;
use crate::{clock, random};

/// How much is handed to the store at a time.
const PAGE_ENTRIES: usize = 1_000;
const PAGE_BYTES: usize = 4 << 20;

/// A book that was brought in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    pub book: BookId,
    pub name: String,
    /// Of its log as it came.
    pub entries: u64,
    pub epoch: Epoch,
}

/// Why a book was not brought in. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum BringError {
    #[error("there is no store in {}; start the server there once, and make an account", .0.display())]
    NoStore(PathBuf),
    #[error("there is no account {0} on this server; make it first")]
    NoAccount(String),
    #[error("this server has the book {0} already")]
    BookThere(BookId),
    #[error("{}: {what}", path.display())]
    Export { path: PathBuf, what: String },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Brings the book of an export into a data folder, and makes the person with this e-mail address an owner of it.
pub async fn bring_book(data: &Path, export: &Path, owner_email: &str) -> Result<Brought, BringError> {
    let path = store_in(data);
    if !path.exists() {
        return Err(BringError::NoStore(data.to_owned()));
    }
    let verified = verify(export).map_err(|what| BringError::Export { path: export.to_owned(), what })?;
    let store = Store::open(&path)?;
    let brought = bring(&store, export, verified, owner_email).await;
    store.close().await;
    brought
}

async fn bring(store: &Store, export: &Path, verified: Verified, owner_email: &str) -> Result<Brought, BringError> {
    let email = owner_email.trim().to_lowercase();
    let account = store.account_by_email(&email).await?.ok_or(BringError::NoAccount(email))?;
    let ExportHead { book, epoch: former, seq: common, .. } = verified.head;
    if store.book(book).await?.is_some() {
        return Err(BringError::BookThere(book));
    }
    let epoch = Epoch(random::uuid(clock::now()));
    let name = verified.replay.state.domain.book().map(|book| book.facts().name).unwrap_or_default();
    let new = NewBook { book, epoch, created_at: verified.created_at, first: nothing(book, Seq::ZERO) };
    let head = verified.replay.head;
    let ending = ending(book, epoch, verified.replay, account.id);
    let path = export.to_owned();
    let former = FormerEpoch { epoch: former, common };
    let log = move |append: &mut AppendOne<'_>| {
        write_log(&path, book, head, append)?;
        ending.iter().try_for_each(append)
    };
    match store.bring_book(new, former, log).await? {
        Created::New => Ok(Brought { book, name, entries: head.seq.0, epoch }),
        Created::IdTaken => Err(BringError::BookThere(book)),
    }
}

/// An export that holds together.
struct Verified {
    head: ExportHead,
    /// Of all of it.
    replay: Replay,
    created_at: UnixMillis,
}

fn verify(path: &Path) -> Result<Verified, String> {
    let mut replay = Replay::from_nothing();
    let mut created_at = UnixMillis(0);
    let head = export_file::read(path, &mut |raw| {
        let seq = replay.head.seq.next();
        let entry = replay.take(raw.get().as_bytes()).map_err(|what| format!("entry {seq}: {what}"))?;
        if entry.seq == Seq(1) {
            created_at = entry.at;
        }
        Ok(())
    })?;
    if replay.head.seq != head.seq {
        return Err(format!("it has {} entries, and says that it has {}", replay.head.seq, head.seq));
    }
    if replay.head.hash != head.hash {
        return Err("its entries are not those of its hash".into());
    }
    if replay.state.domain.book().is_none() {
        return Err("its log does not begin with a book".into());
    }
    verify_state(&head, &replay)?;
    Ok(Verified { head, replay, created_at })
}

fn verify_state(head: &ExportHead, replay: &Replay) -> Result<(), String> {
    let (found, known) = (head.state_version, Ledger::STATE_VERSION);
    if found != known {
        return Err(format!("its state is of version {found}, and this program's is of version {known}"));
    }
    if replay.state.hash() != head.state_hash {
        return Err("its entries do not lead to the state of its state_hash".into());
    }
    let state: LedgerState =
        serde_json::from_str(head.state.get()).map_err(|error| format!("its state cannot be read: {error}"))?;
    let encode = |state: &LedgerState| serde_json::to_vec(state).expect("a state serialises into memory");
    if encode(&state) == encode(&replay.state.domain) {
        Ok(())
    } else {
        Err("its state is not the one its entries lead to".into())
    }
}

/// What follows the log as it came: what lists show of the book, and the entry that makes the person an owner, where
/// they aren't one.
fn ending(book: BookId, epoch: Epoch, replay: Replay, owner: UserId) -> Vec<Append> {
    let head = replay.head;
    let facts = replay.state.domain.book().map(|book| book.facts());
    let summary = facts.map(|facts| serde_json::to_string(&facts).expect("a name and a currency serialise"));
    let summary = Append { summary, ..nothing(book, head.seq) };
    let numbers: Vec<_> = replay.numbers().collect();
    let mut authority = Authority::<Ledger>::new(epoch, replay.state, head.seq, head.hash, numbers);
    let now = clock::now();
    let author = Author { user: owner, replica: ReplicaId(random::uuid(now)) };
    authority.handle_new_owner(now, author, MutationId(random::uuid(now)));
    let owner = authority.poll_batch().map(|batch| append_of(book, batch));
    std::iter::once(summary).chain(owner).collect()
}

/// Reads the file once more, and hands its entries over as the store takes them.
fn write_log(path: &Path, book: BookId, verified: Head, append: &mut AppendOne<'_>) -> Result<(), StoreError> {
    let head = Head { seq: Seq::ZERO, hash: ChainHash::ZERO };
    let mut pages = Pages { head, page: nothing(book, Seq::ZERO), bytes: 0 };
    export_file::read(path, &mut |raw| pages.take(raw, append)).map_err(StoreError::Failed)?;
    pages.hand_over(append).map_err(StoreError::Failed)?;
    if pages.head == verified {
        Ok(())
    } else {
        Err(StoreError::Failed("the export was changed while it was read".into()))
    }
}

/// Entries on their way from the file to the store.
struct Pages {
    head: Head,
    page: Append,
    bytes: usize,
}

impl Pages {
    fn take(&mut self, raw: &RawValue, append: &mut AppendOne<'_>) -> Result<(), String> {
        let bytes = raw.get().as_bytes();
        let entry: LedgerEntry = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let hash = self.head.hash.followed_by(bytes);
        self.head = Head { seq: self.head.seq.next(), hash };
        let encoded = EncodedEntry { seq: self.head.seq, bytes: bytes.into(), hash };
        let (id, replica, n, user) = (entry.id, entry.replica, entry.n, entry.by);
        self.page.entries.push(NewEntry { entry: encoded, id, replica, n });
        self.page.numbers.push(ReplicaRow { replica, user, n });
        self.page.members.extend(memberships_in(&entry).map(|(user, role)| (user, role, entry.at)));
        self.bytes += bytes.len();
        if self.page.entries.len() < PAGE_ENTRIES && self.bytes < PAGE_BYTES {
            return Ok(());
        }
        self.hand_over(append)
    }

    fn hand_over(&mut self, append: &mut AppendOne<'_>) -> Result<(), String> {
        let next = nothing(self.page.book, self.head.seq);
        self.bytes = 0;
        append(&std::mem::replace(&mut self.page, next)).map_err(|error| match error {
            // The book is new, and numbers and seqs were verified.
            StoreError::Conflict => "two of its entries are of the same mutation".to_owned(),
            error => error.to_string(),
        })
    }
}

/// An append that is still to be filled.
fn nothing(book: BookId, expected_head: Seq) -> Append {
    Append {
        book,
        expected_head,
        entries: Vec::new(),
        numbers: Vec::new(),
        members: Vec::new(),
        summary: None,
        invite_used: None,
        answers: Vec::new(),
    }
}
