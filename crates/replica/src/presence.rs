//! Who else is in a book now, and where the person here says they are. Neither is stored: both live as long as the line.

use serde_json::value::RawValue;
use tidebook_book::{BookId, ReplicaId};
use tidebook_protocol::{PeerPresence, PresenceUp};

/// Peers kept of a list. A server sends no more; more faces than this say nothing to anyone.
const PEERS_MAX: usize = 64;

/// The others of a book's last list.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    others: Vec<PeerPresence>,
    /// The list said where this replica is, too.
    is_placed: bool,
}

/// What became of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    /// There is somebody to show, or was.
    pub(crate) is_news: bool,
    /// The server said before where this replica is and does not any more: the line was quiet for too long, or another
    /// window over the same store spoke for it and went elsewhere.
    pub(crate) is_dropped: bool,
}

impl Peers {
    pub(crate) fn others(&self) -> &[PeerPresence] {
        &self.others
    }

    /// Takes a whole list in place of the last. `count`: how many there are, listed or not.
    pub(crate) fn handle_list(&mut self, mut peers: Vec<PeerPresence>, count: usize, own: ReplicaId) -> Listed {
        let is_whole = count <= peers.len();
        // Who went on to another book said so, and is nowhere in this one.
        let is_somewhere = |peer: &PeerPresence| peer.viewing.is_some() || peer.editing.is_some();
        let is_placed = peers.iter().any(|peer| peer.replica == own && is_somewhere(peer));
        peers.retain(|peer| peer.replica != own && is_somewhere(peer));
        peers.truncate(PEERS_MAX);
        let is_news = !(peers.is_empty() && self.others.is_empty());
        let is_dropped = self.is_placed && !is_placed && is_whole;
        *self = Self { others: peers, is_placed };
        Listed { is_news, is_dropped }
    }

    /// No presence rather than stale presence. Whether anybody was shown.
    pub(crate) fn forget(&mut self) -> bool {
        !std::mem::take(self).others.is_empty()
    }
}

/// Where the person says they are, in the one book they look at.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) book: BookId,
    pub(crate) viewing: Option<Box<RawValue>>,
    pub(crate) editing: Option<Box<RawValue>>,
}

impl Shown {
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let text = |value: &Option<Box<RawValue>>| value.as_ref().map(|value| value.get().to_owned());
        let parts = |shown: &Self| (shown.book, text(&shown.viewing), text(&shown.editing));
        parts(self) == parts(other)
    }

    pub(crate) fn message(&self) -> PresenceUp {
        let Self { book, viewing, editing } = self;
        PresenceUp { book: *book, viewing: viewing.clone(), editing: editing.clone() }
    }
}
