//! Who is in a book now, and what they look at or edit. Never stored: it lives as long as the sockets that say it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidebook_book::{Author, BookId, UnixMillis, UserId};
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

/// A book's peers, by replica. Of the sockets of a replica, one a window, the last one that is somewhere in the book speaks
/// for it.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    present: Mutex<BTreeMap<Author, Said>>,
}

/// What the sockets of one replica say, the last that spoke last.
#[derive(Debug)]
struct Said {
    since_at: UnixMillis,
    said: Vec<(SocketNumber, PresenceUp)>,
}

impl Said {
    fn peer(&self, author: Author) -> PeerPresence {
        let is_somewhere = |said: &&PresenceUp| said.viewing.is_some() || said.editing.is_some();
        let said = self.said.iter().rev().map(|(_, said)| said).find(is_somewhere);
        let (viewing, editing) = said.map(|said| (said.viewing.clone(), said.editing.clone())).unwrap_or_default();
        PeerPresence { replica: author.replica, user: author.user, viewing, editing, since_at: self.since_at }
    }
}

impl Peers {
    /// What a socket says of its replica.
    pub(crate) fn put(&self, socket: SocketNumber, author: Author, said: PresenceUp, now: UnixMillis) {
        let mut present = self.present();
        let replica = present.entry(author).or_insert_with(|| Said { since_at: now, said: Vec::new() });
        replica.said.retain(|(speaker, _)| *speaker != socket);
        replica.said.push((socket, said));
    }

    /// The socket has gone, or left the book. Whether it was present.
    pub(crate) fn remove(&self, socket: SocketNumber, author: Author) -> bool {
        let mut present = self.present();
        let Some(replica) = present.get_mut(&author) else { return false };
        let before = replica.said.len();
        replica.said.retain(|(speaker, _)| *speaker != socket);
        let was_present = replica.said.len() < before;
        if replica.said.is_empty() {
            present.remove(&author);
        }
        was_present
    }

    /// Leaves those users. Whether anybody else was present.
    pub(crate) fn retain(&self, stays: impl Fn(UserId) -> bool) -> bool {
        let mut present = self.present();
        let before = present.len();
        present.retain(|author, _| stays(author.user));
        present.len() < before
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.present().is_empty()
    }

    /// The whole list, as a frame.
    pub(crate) fn frame(&self, book: BookId) -> String {
        let present = self.present();
        let peers = present.iter().take(PEERS_MAX).map(|(author, said)| said.peer(*author)).collect();
        Down::Presence(Presence { book, peers, count: present.len() }).encode()
    }

    fn present(&self) -> MutexGuard<'_, BTreeMap<Author, Said>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tidebook_book::ReplicaId;
    use uuid::Uuid;

    use super::*;

    fn author(user: u128, replica: u128) -> Author {
        Author { user: UserId(Uuid::from_u128(user)), replica: ReplicaId(Uuid::from_u128(replica)) }
    }

    fn said() -> PresenceUp {
        PresenceUp { book: BookId(Uuid::nil()), viewing: None, editing: None }
    }

    #[test]
    fn the_last_window_that_is_somewhere_speaks_for_its_replica() {
        let (peers, ana) = (Peers::default(), author(1, 1));
        let put = |socket, viewing: Option<&str>, at| {
            let viewing = viewing.map(|text| serde_json::value::RawValue::from_string(text.into()).expect("JSON"));
            peers.put(SocketNumber(socket), ana, PresenceUp { viewing, ..said() }, UnixMillis(at));
        };
        let is_shown = |part: &str| peers.frame(BookId(Uuid::nil())).contains(part);
        put(1, Some("1"), 5);
        put(2, Some("2"), 9);
        assert!(is_shown(r#""viewing":2,"editing":null,"since_at":5"#));
        put(2, None, 10);
        assert!(is_shown(r#""viewing":1,"#), "the other went on to another book");
        put(2, Some("2"), 11);
        assert!(peers.remove(SocketNumber(2), ana));
        assert!(is_shown(r#""viewing":1,"#));
        assert!(!peers.remove(SocketNumber(2), ana));
        assert!(peers.remove(SocketNumber(1), ana));
        assert!(peers.is_empty());
    }

    #[test]
    fn nobody_speaks_for_the_replica_of_somebody_else() {
        let (peers, ana, ben) = (Peers::default(), author(1, 7), author(2, 7));
        peers.put(SocketNumber(1), ana, said(), UnixMillis(5));
        peers.put(SocketNumber(2), ben, said(), UnixMillis(9));
        assert!(peers.remove(SocketNumber(2), ben));
        assert!(peers.frame(BookId(Uuid::nil())).contains(&ana.user.to_string()));
    }

    #[test]
    fn a_list_is_bounded_and_tells_how_many_there_are() {
        let peers = Peers::default();
        for number in 0..=PEERS_MAX as u128 {
            peers.put(SocketNumber(1), author(1, number), said(), UnixMillis(5));
        }
        let frame: serde_json::Value = serde_json::from_str(&peers.frame(BookId(Uuid::nil()))).expect("JSON");
        assert_eq!((frame["peers"].as_array().map(Vec::len), &frame["count"]), (Some(64), &serde_json::json!(65)));
    }
}
