//! `GET /books/{b}/feed`: the feed as server-sent events, so that plain `curl` follows a book.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use http::HeaderMap;
use serde::Deserialize;
use tidebook_book::Seq;

use super::{BookParts, BookPath};
use crate::extract::{PathOf, QueryOf};
use crate::feed::{FeedEnd, FeedFrame, Follower};
use crate::measure::OpenSocket;
use crate::problem::Problem;
use crate::session::Signed;
use crate::socket::{SessionsEnded, SignIn, drained};

/// A comment this often keeps proxies from taking a quiet book for a dead line.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct From {
    #[param(value_type = Option<u64>)]
    after: Option<Seq>,
}

/// Follows a book as server-sent events.
#[utoipa::path(get, path = "/api/v1/books/{book}/feed", tag = "log", params(("book" = uuid::Uuid, Path), From), responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(super) async fn handle(
    State(parts): State<BookParts>,
    // Listened for from before the session is looked up.
    SessionsEnded(ended): SessionsEnded,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    QueryOf(From { after }): QueryOf<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let sign_in = SignIn::new(&signed, ended, parts.store.clone());
    let access = parts.books.access(signed.user, book).await?;
    let after = resumed_at(&headers).or(after);
    let (follower, ready) = Follower::start(parts.store.clone(), signed.user, access, after);
    let first = vec![Event::default().data(ready)];
    let following = Following {
        follower,
        sign_in,
        draining: parts.draining.clone(),
        open: (parts.open.clone(), OpenSocket::count()),
    };
    let events = unfold((first.into_iter(), Some(following)), |(mut made, following)| async move {
        if let Some(event) = made.next() {
            return Some((Ok(event), (made, following)));
        }
        let mut following = following?;
        let (frames, goes_on) = following.next().await;
        let mut made = frames.into_iter();
        let event = made.next()?;
        Some((Ok(event), (made, goes_on.then_some(following))))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// A browser that comes back says the last id it has.
fn resumed_at(headers: &HeaderMap) -> Option<Seq> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok().map(Seq)
}

struct Following {
    follower: Follower,
    sign_in: SignIn,
    draining: tokio::sync::watch::Receiver<bool>,
    /// Held until the stream is done, so that the server can wait for it.
    #[expect(dead_code, reason = "dropping it is its use")]
    open: (tokio::sync::mpsc::Sender<Infallible>, OpenSocket),
}

impl Following {
    /// The next events, at least one, and whether more may follow.
    async fn next(&mut self) -> (Vec<Event>, bool) {
        let end = |code: &str, detail: &str| {
            let data = serde_json::json!({"type": "error", "code": code, "detail": detail});
            (vec![Event::default().data(data.to_string())], false)
        };
        loop {
            let frames = tokio::select! {
                biased;
                () = self.sign_in.over() => return end("unauthenticated", "this session has ended"),
                () = drained(&mut self.draining) => return end("restarting", "the server is restarting; come back"),
                frames = self.follower.next() => frames,
            };
            match frames {
                // An entry without changes has no frames.
                Ok(frames) if frames.is_empty() => {}
                Ok(frames) => return (frames.into_iter().map(event).collect(), true),
                Err(FeedEnd::NotAMember) => return end("not_a_member", "you are no longer a member of this book"),
                Err(FeedEnd::Reloading) => return end("reloading", "the book is being reloaded; come back"),
                Err(FeedEnd::Internal) => return end("internal", "the server could not do that; come back"),
            }
        }
    }
}

fn event(frame: FeedFrame) -> Event {
    let event = Event::default().data(frame.text);
    match frame.completes {
        Some(seq) => event.id(seq.to_string()),
        None => event,
    }
}
