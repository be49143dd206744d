//! Following a book's feed.

use tidebook_book::{BookId, Seq};
use tidebook_protocol::FEED_SUBPROTOCOL;

use crate::Api;
use crate::socket::{Received, Socket};

/// A book's feed over a socket.
#[derive(Debug)]
pub struct Feed {
    socket: Socket,
}

/// Why a feed ended.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("cannot follow the feed: {0}")]
    Connect(String),
    /// The line was cut or the server closed it; following again after the last seq seen loses nothing.
    #[error("the feed ended: {reason}")]
    Ended { code: Option<u16>, reason: String },
}

impl Feed {
    /// Opens a book's feed: everything after `after` first, or only what comes from now on.
    pub async fn open(api: &Api, book: BookId, after: Option<Seq>) -> Result<Self, FeedError> {
        let mut url = api.socket_url();
        url.query_pairs_mut().append_pair("book", &book.to_string());
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", &after.to_string());
        }
        let socket = Socket::open(&url, FEED_SUBPROTOCOL, api.token()).await.map_err(FeedError::Connect)?;
        Ok(Self { socket })
    }

    /// The next frame, as JSON text.
    pub async fn next(&mut self) -> Result<String, FeedError> {
        loop {
            match self.socket.receive().await {
                Received::Text(frame) => return Ok(frame),
                Received::Sign => {}
                Received::Closed(code, reason) => return Err(FeedError::Ended { code, reason }),
            }
        }
    }
}
