//! One connection through a front: what passes, in which direction, and how it ends.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Traffic;

/// Read and passed on at a time. What is held back beyond that fills the sender's own buffers, as on a real line.
const CHUNK_BYTES: usize = 16 * 1024;

/// What each piece takes longer on a slow line.
const SLOW_BY: Duration = Duration::from_millis(250);

/// To the server, or to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

/// How often all lines of a front have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) closed: u64,
    pub(super) lost: u64,
}

/// What a connection knows of the front it goes through.
#[derive(Debug, Clone)]
pub(super) struct Line {
    traffic: watch::Receiver<Traffic>,
    ends: watch::Receiver<Ends>,
    /// As of when it was opened.
    ends_before: Ends,
}

impl Line {
    pub(super) fn new(traffic: watch::Receiver<Traffic>, ends: watch::Receiver<Ends>) -> Self {
        let ends_before = *ends.borrow();
        Self { traffic, ends, ends_before }
    }

    /// Returns once it is to be closed, both ways and whatever is still on it.
    pub(super) async fn closed(mut self) {
        let before = self.ends_before.closed;
        tokio::select! {
            // Fails where the front is gone, and then so is the line.
            _cut = self.traffic.wait_for(|traffic| *traffic == Traffic::Cut) => {}
            _closed = self.ends.wait_for(|ends| ends.closed != before) => {}
        }
    }

    /// Returns once a request for this path may pass.
    pub(super) async fn lets_ask(&mut self, path: &str) -> Option<()> {
        let may_pass = |traffic: &Traffic| !traffic.holds(path) && !traffic.stops(Way::Up);
        self.traffic.wait_for(may_pass).await.ok().map(drop)
    }

    async fn lets_pass(&mut self, way: Way) {
        let traffic = self.traffic.wait_for(|traffic| !traffic.stops(way)).await.map(|traffic| *traffic);
        if traffic.is_ok_and(|traffic| traffic == Traffic::Slow) {
            sleep(SLOW_BY).await;
        }
    }

    /// Nothing that is on it, or comes, arrives any more, and neither end is told.
    pub(super) fn is_lost(&self) -> bool {
        self.ends.borrow().lost != self.ends_before.lost
    }

    /// Carries everything both ways until both ends have said that there is no more.
    pub(super) async fn carry(&self, client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = self.clone().carry_one_way(Way::Up, from_client, to_server);
        let down = self.clone().carry_one_way(Way::Down, from_server, to_client);
        tokio::try_join!(up, down).map(drop)
    }

    async fn carry_one_way(
        mut self,
        way: Way,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = from.read(&mut chunk).await;
            self.lets_pass(way).await;
            if self.is_lost() {
                swallow(from).await;
                return Ok(());
            }
            match read? {
                0 => return to.shutdown().await,
                length => to.write_all(&chunk[..length]).await?,
            }
        }
    }
}

/// Takes in whatever comes, until nothing more does.
pub(super) async fn swallow(mut from: impl AsyncRead + Unpin) {
    let mut chunk = vec![0; CHUNK_BYTES];
    while from.read(&mut chunk).await.is_ok_and(|length| length > 0) {}
}
