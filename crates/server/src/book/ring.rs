//! A book's recent entries, encoded, for all who follow it.
//!
//! A reader holds a seq and waits for the head to move; then it takes everything it lacks. So a slow reader costs a
//! number, and entries that gather while it was busy reach it together.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{PoisonError, RwLock};

use tidebook_authority::Head;
use tidebook_book::{Author, BookId, EncodedEntry, Role, Seq, UserId};
use tidebook_protocol::PresenceUp;
use tokio::sync::watch;

use super::presence::{Peers, SocketNumber};
use crate::clock;

/// What a ring keeps, in bytes of entries: a minute or so of a busy book. Who is further behind reads the store.
const RING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Committed entries and what follows from them that every reader must see at once.
#[derive(Debug)]
pub(crate) struct Ring {
    recent: RwLock<Recent>,
    pub(super) peers: Peers,
    now: watch::Sender<Now>,
}

/// What readers wait for a change of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// The last committed entry.
    pub(crate) head: Head,
    /// Counts changes of who is in the book, and of what they are called.
    pub(crate) people: u64,
    /// Counts changes of who is present, and of what they look at.
    pub(crate) presence: u64,
}

#[derive(Debug)]
struct Recent {
    entries: VecDeque<EncodedEntry>,
    bytes: usize,
    /// Who may read and write as of the head.
    members: BTreeMap<UserId, Role>,
}

impl Ring {
    pub(crate) fn new(head: Head, members: BTreeMap<UserId, Role>) -> Self {
        let recent = Recent { entries: VecDeque::new(), bytes: 0, members };
        Self {
            recent: RwLock::new(recent),
            peers: Peers::default(),
            now: watch::Sender::new(Now { head, people: 0, presence: 0 }),
        }
    }

    /// Adds committed entries and wakes every reader.
    pub(crate) fn publish(
        &self,
        entries: impl IntoIterator<Item = EncodedEntry>,
        members: Option<&BTreeMap<UserId, Role>>,
    ) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        let mut head = None;
        for entry in entries {
            head = Some(Head { seq: entry.seq, hash: entry.hash });
            recent.bytes += entry.bytes.len();
            recent.entries.push_back(entry);
        }
        while recent.bytes > RING_BYTES_MAX
            && let Some(oldest) = recent.entries.pop_front()
        {
            recent.bytes -= oldest.bytes.len();
        }
        if let Some(members) = members {
            recent.members.clone_from(members);
        }
        drop(recent);
        if let Some(head) = head {
            self.now.send_modify(|now| {
                now.head = head;
                now.people += u64::from(members.is_some());
            });
        }
    }

    /// A socket says what its person looks at.
    pub(crate) fn put_peer(&self, socket: SocketNumber, author: Author, said: PresenceUp) {
        self.peers.put(socket, author.user, author.replica, said, clock::now());
        self.now.send_modify(|now| now.presence += 1);
    }

    /// A socket has gone from the book, or is not heard of any more.
    pub(crate) fn remove_peer(&self, socket: SocketNumber, author: Author) {
        if self.peers.remove(socket, author.replica) {
            self.now.send_modify(|now| now.presence += 1);
        }
    }

    /// The list of who is present, where there is anybody or was.
    pub(crate) fn presence_frame(&self, book: BookId, told_before: bool) -> Option<String> {
        (told_before || !self.peers.is_empty()).then(|| self.peers.frame(book))
    }

    pub(crate) fn presence_changes(&self) -> u64 {
        self.now.borrow().presence
    }

    /// Somebody in the book is called otherwise now.
    pub(crate) fn people_renamed(&self) {
        self.now.send_modify(|now| now.people += 1);
    }

    /// Entries after `seq`, up to about `bytes_max` of them but at least one if there is one. `None`: they are further
    /// back than the ring reaches.
    pub(crate) fn after(&self, seq: Seq, bytes_max: usize) -> Option<Vec<EncodedEntry>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = recent.entries.front() else {
            return (seq >= self.head().seq).then(Vec::new);
        };
        let skip = usize::try_from((seq.0 + 1).checked_sub(first.seq.0)?).ok()?;
        let mut bytes = 0;
        let fitting = recent.entries.iter().skip(skip).take_while(|entry| {
            let fits = bytes == 0 || bytes + entry.bytes.len() < bytes_max;
            bytes += entry.bytes.len() + 1;
            fits
        });
        Some(fitting.cloned().collect())
    }

    pub(crate) fn head(&self) -> Head {
        self.now.borrow().head
    }

    /// Counts changes of who is in the book, and of what they are called.
    pub(crate) fn people_changes(&self) -> u64 {
        self.now.borrow().people
    }

    /// Follows what readers wait for; changed at every publish.
    pub(crate) fn watch(&self) -> watch::Receiver<Now> {
        self.now.subscribe()
    }

    pub(crate) fn role_of(&self, user: UserId) -> Option<Role> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner).members.get(&user).copied()
    }
}

#[cfg(test)]
mod tests {
    use tidebook_book::ChainHash;

    use super::*;

    fn entry(seq: u64, bytes: usize) -> EncodedEntry {
        EncodedEntry { seq: Seq(seq), bytes: vec![b'x'; bytes].into(), hash: ChainHash::of(&seq.to_be_bytes()) }
    }

    fn ring(head: u64) -> Ring {
        Ring::new(Head { seq: Seq(head), hash: ChainHash::ZERO }, BTreeMap::new())
    }

    fn seqs(entries: Option<Vec<EncodedEntry>>) -> Option<Vec<u64>> {
        entries.map(|entries| entries.iter().map(|entry| entry.seq.0).collect())
    }

    #[test]
    fn a_reader_gets_what_it_lacks_or_is_sent_to_the_store() {
        let ring = ring(10);
        assert_eq!(seqs(ring.after(Seq(10), 100)), Some(vec![]));
        assert_eq!(seqs(ring.after(Seq(9), 100)), None);
        ring.publish([entry(11, 10), entry(12, 10), entry(13, 10)], None);
        assert_eq!(ring.head().seq, Seq(13));
        assert_eq!(seqs(ring.after(Seq(9), 100)), None);
        assert_eq!(seqs(ring.after(Seq(10), 100)), Some(vec![11, 12, 13]));
        assert_eq!(seqs(ring.after(Seq(12), 100)), Some(vec![13]));
        assert_eq!(seqs(ring.after(Seq(13), 100)), Some(vec![]));
        assert_eq!(seqs(ring.after(Seq(10), 25)), Some(vec![11, 12]));
        assert_eq!(seqs(ring.after(Seq(10), 1)), Some(vec![11]));
    }

    #[test]
    fn a_ring_is_bounded_in_bytes() {
        let ring = ring(0);
        let half = RING_BYTES_MAX / 2;
        ring.publish([entry(1, half), entry(2, half), entry(3, 1)], None);
        assert_eq!(seqs(ring.after(Seq(0), 1)), None);
        assert_eq!(seqs(ring.after(Seq(1), usize::MAX)), Some(vec![2, 3]));
    }
}
