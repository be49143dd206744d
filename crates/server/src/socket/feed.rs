//! The feed over a WebSocket.

use serde::Deserialize;
use tidebook_book::{BookId, Seq, UserId};
use tidebook_protocol::close;
use tokio::time::timeout;

use super::connection::{DRAIN_RETRY_AFTER_MS, HELLO_WITHIN, drained};
use super::handshake::SocketParts;
use super::sign_in::SignIn;
use crate::book::{Access, Denied};
use crate::feed::{FeedEnd, Follower};
use crate::session::{Signed, authenticate};
use crate::websocket::{Incoming, Wire};

/// What a feed is asked for.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct FeedQuery {
    book: Option<BookId>,
    after: Option<Seq>,
}

/// Who opens a feed, as far as the handshake tells.
pub(super) enum Caller {
    Signed(SignIn),
    /// The token may come as the first frame.
    Unknown,
    /// A token came in the header, and it is nobody's.
    Refused,
}

/// Runs the feed until either side ends it.
pub(super) async fn run(mut wire: Wire, parts: SocketParts, caller: Caller, query: FeedQuery) {
    let ending = follow(&mut wire, parts, caller, query).await;
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

const GONE: Ending = ending(close::NORMAL, "", "");
const INTERNAL: Ending = ending(1011, "internal", "the server could not do that; come back");
const RELOADING: Ending = ending(close::RESTART, "reloading", "the book is being reloaded; come back");
const NOT_A_MEMBER: Ending = ending(close::FORBIDDEN, "not_a_member", "you are no longer a member of this book");
const UNAUTHENTICATED: Ending = ending(close::UNAUTHENTICATED, "unauthenticated", "sign in first");

async fn follow(wire: &mut Wire, mut parts: SocketParts, caller: Caller, query: FeedQuery) -> Result<(), Ending> {
    let mut sign_in = match caller {
        Caller::Refused => return Err(UNAUTHENTICATED),
        Caller::Signed(sign_in) => sign_in,
        Caller::Unknown => {
            let ended = parts.accounts.sessions_ended();
            SignIn::new(&read_token(wire, &parts).await?, ended, parts.store.clone())
        }
    };
    let access = open(&parts, sign_in.user, query.book).await?;
    let (mut follower, ready) = Follower::start(parts.store.clone(), sign_in.user, access, query.after);
    send(wire, ready).await?;
    loop {
        tokio::select! {
            biased;
            () = sign_in.over() => {
                return Err(ending(close::UNAUTHENTICATED, "unauthenticated", "this session has ended"));
            }
            () = drained(&mut parts.draining) => {
                let drain = serde_json::json!({"type": "drain", "retry_after_ms": DRAIN_RETRY_AFTER_MS});
                send(wire, drain.to_string()).await?;
                return Err(ending(close::RESTART, "", ""));
            }
            frames = follower.next() => {
                for frame in frames.map_err(ending_of)? {
                    send(wire, frame.text).await?;
                }
            }
            incoming = wire.receive() => match incoming {
                // A feed only speaks; what its reader says is passed over.
                Incoming::Text(_) | Incoming::Binary(_) | Incoming::Silent => {}
                Incoming::TooLarge => return Err(ending(close::TOO_LARGE, "too_large", "a frame has at most 256 KiB")),
                Incoming::Gone => return Err(GONE),
            },
        }
    }
}

fn ending_of(end: FeedEnd) -> Ending {
    match end {
        FeedEnd::NotAMember => NOT_A_MEMBER,
        FeedEnd::Reloading => RELOADING,
        FeedEnd::Internal => INTERNAL,
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
        Incoming::Binary(_) => return Err(ending(close::MALFORMED, "malformed", "frames here are text")),
        Incoming::TooLarge => return Err(ending(close::TOO_LARGE, "too_large", "a frame has at most 256 KiB")),
        Incoming::Gone | Incoming::Silent => return Err(GONE),
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
