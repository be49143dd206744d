//! Who is in a book now, and what they look at or edit. Never stored: it lives as long as the sockets that say it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidebook_book::{BookId, ReplicaId, UnixMillis, UserId};
use tidebook_protocol::{Down, PeerPresence, Presence, PresenceUp};

/// Peers in a list; beyond that only their number is told. More faces than this say nothing to anyone.
const PEERS_MAX: usize = 64;

/// Tells the sockets of one replica apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SocketNumber(pub(crate) u64);

impl SocketNumber {
    /// One that no other socket has.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A book's peers, by replica. The socket that spoke last for a replica speaks for it.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    present: Mutex<BTreeMap<ReplicaId, (SocketNumber, PeerPresence)>>,
}

impl Peers {
    /// What a socket says of its replica.
    pub(crate) fn put(
        &self,
        socket: SocketNumber,
        user: UserId,
        replica: ReplicaId,
        said: PresenceUp,
        now: UnixMillis,
    ) {
        let mut present = self.present();
        let since_at = present.get(&replica).map_or(now, |(_, peer)| peer.since_at);
        let PresenceUp { viewing, editing, .. } = said;
        present.insert(replica, (socket, PeerPresence { replica, user, viewing, editing, since_at }));
    }

    /// The socket has gone, or left the book. Whether it was present.
    pub(crate) fn remove(&self, socket: SocketNumber, replica: ReplicaId) -> bool {
        let mut present = self.present();
        let spoke_last = present.get(&replica).is_some_and(|(speaker, _)| *speaker == socket);
        spoke_last && present.remove(&replica).is_some()
    }

    /// Leaves those users. Whether anybody else was present.
    pub(crate) fn retain(&self, stays: impl Fn(UserId) -> bool) -> bool {
        let mut present = self.present();
        let before = present.len();
        present.retain(|_, (_, peer)| stays(peer.user));
        present.len() < before
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.present().is_empty()
    }

    /// The whole list, as a frame.
    pub(crate) fn frame(&self, book: BookId) -> String {
        let present = self.present();
        let peers = present.values().take(PEERS_MAX).map(|(_, peer)| peer.clone()).collect();
        Down::Presence(Presence { book, peers, count: present.len() }).encode()
    }

    fn present(&self) -> MutexGuard<'_, BTreeMap<ReplicaId, (SocketNumber, PeerPresence)>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn said() -> PresenceUp {
        PresenceUp { book: BookId(Uuid::nil()), viewing: None, editing: None }
    }

    #[test]
    fn the_socket_that_spoke_last_speaks_for_its_replica() {
        let (peers, user, replica) = (Peers::default(), UserId(Uuid::nil()), ReplicaId(Uuid::nil()));
        peers.put(SocketNumber(1), user, replica, said(), UnixMillis(5));
        peers.put(SocketNumber(2), user, replica, said(), UnixMillis(9));
        assert!(!peers.remove(SocketNumber(1), replica));
        assert!(peers.frame(BookId(Uuid::nil())).contains("\"since_at\":5"));
        assert!(peers.remove(SocketNumber(2), replica));
        assert!(peers.is_empty());
    }

    #[test]
    fn a_list_is_bounded_and_tells_how_many_there_are() {
        let peers = Peers::default();
        for number in 0..=PEERS_MAX as u128 {
            let replica = ReplicaId(Uuid::from_u128(number));
            peers.put(SocketNumber(1), UserId(Uuid::nil()), replica, said(), UnixMillis(5));
        }
        let frame: serde_json::Value = serde_json::from_str(&peers.frame(BookId(Uuid::nil()))).expect("JSON");
        assert_eq!((frame["peers"].as_array().map(Vec::len), &frame["count"]), (Some(64), &serde_json::json!(65)));
    }
}
