//! What is measured: our server, or one of those beside it, behind one face.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use crate::peers::{Peer, Running};
use crate::tidebook::Tidebook;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Subject {
    Tidebook,
    Peer(Peer),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tidebook => f.write_str("tidebook"),
            Self::Peer(peer) => peer.fmt(f),
        }
    }
}

/// A subject that runs.
#[derive(Debug)]
pub(crate) enum Target {
    /// Boxed: it is much bigger than the other.
    Tidebook(Box<Tidebook>),
    Peer {
        peer: Peer,
        running: Running,
        payload_bytes: usize,
        last: u64,
    },
}

impl Target {
    /// `payload_bytes`: of each event of those beside us, so that all send the same number of bytes.
    pub(crate) fn start(subject: Subject, core: usize, folder: &Path, payload_bytes: usize) -> Result<Self> {
        Ok(match subject {
            Subject::Tidebook => Self::Tidebook(Box::new(Tidebook::start(core, folder)?)),
            Subject::Peer(peer) => Self::Peer { peer, running: peer.start(core, folder)?, payload_bytes, last: 0 },
        })
    }

    pub(crate) fn running(&self) -> &Running {
        match self {
            Self::Tidebook(tidebook) => &tidebook.running,
            Self::Peer { running, .. } => running,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running().address
    }

    /// What this connection sends first, to get all events after `after` (of ours) or from now on (of others).
    pub(crate) fn greeting(&self, number: usize, after: u64) -> Result<Vec<u8>> {
        match self {
            Self::Tidebook(tidebook) => tidebook.greeting(number, after),
            Self::Peer { peer, running, .. } => Ok(peer.greeting(running.address)),
        }
    }

    /// What a connection receives before its events begin.
    pub(crate) fn mark(&self) -> &'static [u8] {
        match self {
            Self::Tidebook(_) => b"\"type\":\"people\"",
            Self::Peer { peer, .. } => peer.subscribed(),
        }
    }

    /// The last event there is.
    pub(crate) fn last(&self) -> u64 {
        match self {
            Self::Tidebook(tidebook) => tidebook.last,
            Self::Peer { last, .. } => *last,
        }
    }

    /// Appends the bytes with which connection 0 publishes the next event.
    pub(crate) fn publish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Tidebook(tidebook) => tidebook.push(1, out),
            Self::Peer { peer, payload_bytes, last, .. } => {
                *last += 1;
                let mut payload = format!(r#"{{"seq":{last},"text":""#).into_bytes();
                payload.resize(payload_bytes.saturating_sub(2).max(payload.len()), b'x');
                payload.extend(b"\"}");
                peer.publish(&payload, out);
            }
        }
    }
}
