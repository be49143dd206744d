//! The feed: a book's changes, one JSON frame each, for any WebSocket tool.

use std::collections::HashMap;

use axum::extract::ws::WebSocket;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidebook_book::{BookChange, BookId, Change, EncodedEntry, Entry, MemberChange, Seq, UnixMillis, UserId};
use tidebook_event_store::Store;
use tidebook_ledger::{ContactView, Ledger, LedgerBook, LedgerChange, TransactionView};
use tidebook_protocol::close;
use tokio::time::timeout;

use super::connection::{DRAIN_RETRY_AFTER_MS, HELLO_WITHIN, drained, entries_after};
use super::handshake::SocketParts;
use super::sign_in::SignIn;
use super::wire::{Incoming, Wire};
use crate::book::{Access, BookHandle, Denied};
use crate::session::{Signed, authenticate};

/// What a feed is asked for.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct FeedQuery {
    book: Option<BookId>,
    after: Option<Seq>,
}

/// Runs the feed until either side ends it.
pub(super) async fn run(socket: WebSocket, parts: SocketParts, signed: Option<Signed>, query: FeedQuery) {
    let mut wire = Wire::new(socket);
    let ending = follow(&mut wire, parts, signed, query).await;
    if let Err(Ending { code, name, detail }) = ending {
        if !name.is_empty() {
            let error = serde_json::json!({"type": "error", "code": name, "detail": detail});
            // The close frame says it too, for who reads no frames any more.
            let _sent = wire.send_text(error.to_string().into_bytes()).await;
        }
        wire.close(code, name).await;
    }
}

/// Why a feed ends, in the words of an error frame; without a name where there is nothing to say.
struct Ending {
    code: u16,
    name: &'static str,
    detail: &'static str,
}

const fn ending(code: u16, name: &'static str, detail: &'static str) -> Ending {
    Ending { code, name, detail }
}

const GONE: Ending = ending(1000, "", "");
const INTERNAL: Ending = ending(1011, "internal", "the server could not do that; come back");
const RELOADING: Ending = ending(close::RESTART, "reloading", "the book is being reloaded; come back");
const UNAUTHENTICATED: Ending = ending(close::UNAUTHENTICATED, "unauthenticated", "sign in first");

async fn follow(
    wire: &mut Wire,
    mut parts: SocketParts,
    signed: Option<Signed>,
    query: FeedQuery,
) -> Result<(), Ending> {
    let ended = parts.accounts.sessions_ended();
    let (user, mut sign_in) = match signed {
        Some(signed) => (signed.user, SignIn::of_handshake(&signed, ended, parts.store.clone())),
        None => {
            let signed = read_token(wire, &parts).await?;
            (signed.user, SignIn::new(&signed, ended, parts.store.clone()))
        }
    };
    let access = open(&parts, user, query.book).await?;
    let mut head = access.handle.ring.watch();
    let began = head.borrow_and_update().seq;
    send(wire, format!(r#"{{"type":"ready","seq":{began}}}"#)).await?;

    let mut cursor = query.after.unwrap_or(began);
    let mut frames = FeedFrames::default();
    loop {
        while cursor < access.handle.ring.head().seq {
            let entries = entries_after(&parts.store, &access.handle, cursor).await.map_err(|_| INTERNAL)?;
            for frame in frames.of(&parts.store, &access.handle, &entries).await? {
                send(wire, frame).await?;
            }
            cursor = entries.last().map_or(cursor, |entry| entry.seq);
            // A slow reader who is far behind must not get all of it first.
            if sign_in.has_news() || *parts.draining.borrow() {
                break;
            }
        }
        tokio::select! {
            Ok(()) = head.changed() => {}
            () = access.handle.stopped() => return Err(RELOADING),
            incoming = wire.receive() => match incoming {
                // A feed only speaks; what its reader says is passed over.
                Incoming::Text(_) | Incoming::Binary => {}
                Incoming::TooLarge => return Err(ending(close::TOO_LARGE, "too_large", "a frame has at most 256 KiB")),
                Incoming::Gone => return Err(GONE),
            },
            () = sign_in.over() => {
                return Err(ending(close::UNAUTHENTICATED, "unauthenticated", "this session has ended"));
            }
            () = drained(&mut parts.draining) => {
                let drain = serde_json::json!({"type": "drain", "retry_after_ms": DRAIN_RETRY_AFTER_MS});
                send(wire, drain.to_string()).await?;
                return Err(ending(close::RESTART, "", ""));
            }
        }
    }
}

/// The first frame may carry the token, for tools that cannot set a header.
async fn read_token(wire: &mut Wire, parts: &SocketParts) -> Result<Signed, Ending> {
    #[derive(Deserialize)]
    struct First {
        token: String,
    }
    let first = timeout(HELLO_WITHIN, wire.receive()).await;
    let text = match first.map_err(|_| ending(close::TOO_SLOW, "too_slow", "the token must come within 5 s"))? {
        Incoming::Text(text) => text,
        Incoming::Binary => return Err(ending(close::MALFORMED, "malformed", "frames here are text")),
        Incoming::TooLarge => return Err(ending(close::TOO_LARGE, "too_large", "a frame has at most 256 KiB")),
        Incoming::Gone => return Err(GONE),
    };
    let First { token } = serde_json::from_str(&text)
        .map_err(|_| ending(close::MALFORMED, "malformed", "the first frame must be {\"token\":\"…\"}"))?;
    authenticate(&parts.accounts, &token).await.map_err(|_| INTERNAL)?.ok_or(UNAUTHENTICATED)
}

/// The named book, or the person's oldest.
async fn open(parts: &SocketParts, user: UserId, book: Option<BookId>) -> Result<Access, Ending> {
    let no_such_book = ending(close::FORBIDDEN, "not_found", "there is no such book for you");
    let book = match book {
        Some(book) => book,
        None => match parts.store.books_of(user).await.map_err(|_| INTERNAL)?.first() {
            Some((row, _)) => row.id,
            None => return Err(no_such_book),
        },
    };
    parts.books.access(user, book).await.map_err(|denied| match denied {
        Denied::NotFound => no_such_book,
        Denied::Store(_) => INTERNAL,
    })
}

async fn send(wire: &mut Wire, frame: String) -> Result<(), Ending> {
    let sent = wire.send_text(frame.into_bytes()).await;
    if sent { Ok(()) } else { Err(ending(close::TOO_SLOW, "", "")) }
}

/// Makes feed frames of entries: each change with its whole record as it stands.
#[derive(Debug, Default)]
struct FeedFrames {
    names: HashMap<UserId, String>,
}

#[derive(Clone, Serialize)]
struct By {
    id: UserId,
    name: String,
}

#[derive(Serialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
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
    ) -> Result<Vec<String>, Ending> {
        let parse = |entry: &EncodedEntry| serde_json::from_slice(&entry.bytes);
        let entries: Vec<LedgerEntry> = encoded.iter().map(parse).collect::<Result<_, _>>().map_err(|_| INTERNAL)?;
        if entries.iter().any(|entry| !self.names.contains_key(&entry.by)) {
            let people = store.people(handle.book).await.map_err(|_| INTERNAL)?;
            self.names = people.into_iter().map(|person| (person.id, person.name)).collect();
        }
        let (book, names) = (handle.book, self.names.clone());
        let frames = handle.read(move |committed| {
            let state = committed.authority.state();
            entries.iter().flat_map(|entry| frames_of(book, state, &names, entry)).collect()
        });
        frames.await.map_err(|_| RELOADING)
    }
}

fn frames_of(book: BookId, state: &LedgerBook, names: &HashMap<UserId, String>, entry: &LedgerEntry) -> Vec<String> {
    let by = By { id: entry.by, name: names.get(&entry.by).cloned().unwrap_or_default() };
    let (of, seq, at) = (entry.changes.len(), entry.seq, entry.at);
    let changes = entry.changes.iter().enumerate();
    changes
        .map(|(i, change)| {
            let (kind, data) = data_of(book, state, names, change);
            let frame = Frame { kind, data, seq, i, of, at, by: by.clone() };
            serde_json::to_string(&frame).expect("a frame serialises into memory")
        })
        .collect()
}

/// A change's name on the feed, and the record it is about as it stands now.
fn data_of(
    book: BookId,
    state: &LedgerBook,
    names: &HashMap<UserId, String>,
    change: &BookChange<Ledger>,
) -> (&'static str, Box<RawValue>) {
    let ledger = &state.domain;
    let member = |user: &UserId| {
        let name = names.get(user).cloned().unwrap_or_default();
        value(serde_json::json!({"user": {"id": user, "name": name}, "role": state.role_of(*user)}))
    };
    match change {
        Change::Domain(LedgerChange::BookCreated { .. }) => {
            let facts = ledger.book();
            let (name, currency) = (facts.map(|book| &book.name), facts.map(|book| book.currency));
            ("book_created", value(serde_json::json!({"id": book, "name": name, "currency": currency})))
        }
        Change::Domain(LedgerChange::ContactCreated { id, .. }) => {
            ("contact_created", value(ledger.contact(*id).map(|contact| ContactView::new(ledger, contact))))
        }
        Change::Domain(LedgerChange::TransactionCreated { id, .. }) => {
            let view = ledger.transaction(*id).map(|transaction| TransactionView::new(ledger, transaction));
            ("transaction_created", value(view))
        }
        Change::Member(MemberChange::Added { user, .. }) => ("member_added", member(user)),
        Change::Member(MemberChange::RoleChanged { user, .. }) => ("member_role_changed", member(user)),
        Change::Member(MemberChange::Removed { user }) => ("member_removed", member(user)),
    }
}

fn value(view: impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(&view).expect("a record serialises into memory")
}
