//! A book's changes, one JSON frame each, for whoever follows it with any tool: over a WebSocket, or as server-sent
//! events.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use tidebook_book::{BookChange, BookId, Change, EncodedEntry, Entry, MemberChange, Seq, UnixMillis, UserId};
use tidebook_event_store::Store;
use tidebook_ledger::{ContactView, Ledger, LedgerBook, LedgerChange, LedgerState, RecordRef, TransactionView};

use crate::book::{Access, Bell, BookHandle, Reader, Reading, SocketNumber, entries_after};

/// Why a feed cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeedEnd {
    /// The person was removed from the book.
    NotAMember,
    /// The book is being loaded again; come back.
    Reloading,
    /// The server could not read.
    Internal,
}

/// A frame of the feed.
#[derive(Debug, Clone)]
pub(crate) struct FeedFrame {
    /// JSON.
    pub(crate) text: String,
    /// The entry's seq, on the last frame of an entry: whoever has this one has all of it.
    pub(crate) completes: Option<Seq>,
}

/// Follows a book for one person from one seq on.
#[derive(Debug)]
pub(crate) struct Follower {
    store: Store,
    handle: BookHandle,
    user: UserId,
    bell: Arc<Bell>,
    _reading: Reading,
    cursor: Seq,
    frames: FeedFrames,
}

impl Follower {
    /// From `after` on, or live only. Also the first frame, which says where the book stands.
    pub(crate) fn start(store: Store, user: UserId, access: Access, after: Option<Seq>) -> (Self, String) {
        // From before the head is read, so that no move of it goes unnoticed.
        let bell = Arc::new(Bell::default());
        let reading = access.handle.ring.read_by(SocketNumber::next(), Reader::Bell(Arc::clone(&bell)));
        let began = access.handle.ring.head().seq;
        let (handle, cursor, frames) = (access.handle, after.unwrap_or(began), FeedFrames::default());
        let ready = format!(r#"{{"type":"ready","seq":{began}}}"#);
        (Self { store, handle, user, bell, _reading: reading, cursor, frames }, ready)
    }

    /// What happened since; waits until something did. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Vec<FeedFrame>, FeedEnd> {
        loop {
            let now = self.handle.ring.now();
            if self.cursor < now.head.seq {
                break;
            }
            if now.is_stopped {
                return Err(self.stopped().await);
            }
            self.bell.heard().await;
        }
        let entries = entries_after(&self.store, &self.handle, self.cursor).await.map_err(|_| FeedEnd::Internal)?;
        let frames = self.frames.of(&self.store, &self.handle, &entries).await?;
        // After the frames are made, so that nothing goes to who was removed meanwhile.
        self.handle.ring.role_of(self.user).ok_or(FeedEnd::NotAMember)?;
        self.cursor = entries.last().map_or(self.cursor, |entry| entry.seq);
        Ok(frames)
    }

    /// Why the book's actor is no more: the book is gone for good, or it is loaded anew.
    async fn stopped(&self) -> FeedEnd {
        match self.store.memberships(self.user).await {
            Ok(books) if books.iter().all(|(book, _)| *book != self.handle.book) => FeedEnd::NotAMember,
            _ => FeedEnd::Reloading,
        }
    }
}

/// Makes feed frames of entries: each change with its whole record as it stands.
#[derive(Debug, Default)]
struct FeedFrames {
    names: HashMap<UserId, String>,
    /// Changes of people when the names were read.
    named_at: u64,
}

#[derive(Clone, Serialize)]
struct By {
    id: UserId,
    name: String,
}

#[derive(Serialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    data: Box<RawValue>,
    seq: Seq,
    i: usize,
    of: usize,
    at: UnixMillis,
    by: By,
}

type LedgerEntry = Entry<BookChange<Ledger>>;

impl FeedFrames {
    async fn of(
        &mut self,
        store: &Store,
        handle: &BookHandle,
        encoded: &[EncodedEntry],
    ) -> Result<Vec<FeedFrame>, FeedEnd> {
        let parse = |entry: &EncodedEntry| serde_json::from_slice(&entry.bytes);
        let entries: Vec<LedgerEntry> =
            encoded.iter().map(parse).collect::<Result<_, _>>().map_err(|_| FeedEnd::Internal)?;
        let people_now = handle.ring.now().people;
        if self.named_at != people_now || entries.iter().any(|entry| !self.names.contains_key(&entry.by)) {
            let people = store.people(handle.book).await.map_err(|_| FeedEnd::Internal)?;
            // Only now: this may be given up while it waits.
            self.named_at = people_now;
            self.names = people.into_iter().map(|person| (person.id, person.name)).collect();
        }
        let (book, names) = (handle.book, self.names.clone());
        let frames = handle.read(move |committed| {
            let state = committed.authority.state();
            entries.iter().flat_map(|entry| frames_of(book, state, &names, entry)).collect()
        });
        frames.await.map_err(|_| FeedEnd::Reloading)
    }
}

fn frames_of(book: BookId, state: &LedgerBook, names: &HashMap<UserId, String>, entry: &LedgerEntry) -> Vec<FeedFrame> {
    let by = By { id: entry.by, name: names.get(&entry.by).cloned().unwrap_or_default() };
    let (of, seq, at) = (entry.changes.len(), entry.seq, entry.at);
    let changes = entry.changes.iter().enumerate();
    changes
        .map(|(i, change)| {
            let (kind, data) = data_of(book, state, names, change);
            let frame = Frame { kind, data, seq, i, of, at, by: by.clone() };
            let text = serde_json::to_string(&frame).expect("a frame serialises into memory");
            FeedFrame { text, completes: (i + 1 == of).then_some(seq) }
        })
        .collect()
}

/// A change's name on the feed, and the record it is about as it stands now.
fn data_of(
    book: BookId,
    state: &LedgerBook,
    names: &HashMap<UserId, String>,
    change: &BookChange<Ledger>,
) -> (String, Box<RawValue>) {
    let member = |kind: &str, user: &UserId| {
        let name = names.get(user).cloned().unwrap_or_default();
        let data = serde_json::json!({"user": {"id": user, "name": name}, "role": state.role_of(*user)});
        (kind.to_owned(), value(data))
    };
    match change {
        Change::Domain(change) => (change.name().to_owned(), ledger_data(book, &state.domain, change)),
        Change::Member(MemberChange::Added { user, .. }) => member("member_added", user),
        Change::Member(MemberChange::RoleChanged { user, .. }) => member("member_role_changed", user),
        Change::Member(MemberChange::Removed { user }) => member("member_removed", user),
    }
}

fn ledger_data(book: BookId, ledger: &LedgerState, change: &LedgerChange) -> Box<RawValue> {
    match (change, change.record()) {
        (LedgerChange::ConflictRaised(raised), _) => {
            // As it stands now: what stands may have changed since, or it has been decided.
            value(ledger.conflict(raised.id).map_or(raised, |open| &open.conflict))
        }
        (LedgerChange::ConflictResolved { id, applied, record }, _) => {
            value(serde_json::json!({"id": id, "applied": applied, "record": record}))
        }
        (_, RecordRef::Book) => {
            let facts = ledger.book();
            let (name, currency) = (facts.map(|book| &book.name), facts.map(|book| book.currency));
            value(serde_json::json!({"id": book, "name": name, "currency": currency}))
        }
        (_, RecordRef::Contact(id)) => value(ledger.contact(id).map(|contact| ContactView::new(ledger, contact))),
        (_, RecordRef::Transaction(id)) => {
            value(ledger.transaction(id).map(|transaction| TransactionView::new(ledger, transaction)))
        }
    }
}

fn value(view: impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(&view).expect("a record serialises into memory")
}
