//! A book's recent entries, encoded, for all who follow it.
//!
//! A reader holds a seq; when its turn comes it is sent, or takes, everything it lacks. So a slow reader costs a number, and
//! entries that gather while it was busy reach it together. Readers who lack the same share one frame, made once.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tidebook_authority::Head;
use tidebook_book::{Author, BookId, EncodedEntry, Role, Seq, UserId};
use tidebook_protocol::{ENTRIES_ENVELOPE_BYTES, FRAME_BYTES, PresenceUp, entries_frame};
use tokio::sync::Notify;

use super::bell::Bell;
use super::lane::{Delivered, Lane};
use super::presence::{Peers, SocketNumber};
use crate::clock;
use crate::websocket::frames;

/// What a ring keeps, in bytes of entries: a minute or so of a busy book. Who is further behind reads the store.
const RING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Frames kept for the next reader who lacks the same: readers of a busy book stand at few different places.
const FRAMES_KEPT: usize = 4;

/// Committed entries and what follows from them that every reader must see at once.
#[derive(Debug)]
pub(crate) struct Ring {
    book: BookId,
    recent: Mutex<Recent>,
    pub(super) peers: Peers,
    readers: Mutex<BTreeMap<SocketNumber, Reader>>,
    /// Wakes the herald.
    published: Notify,
}

/// How a reader hears of entries.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    /// It is told that there are some.
    Bell(Arc<Bell>),
    /// It is sent them.
    Lane(Arc<Lane>),
}

/// What readers are rung for a change of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// The last committed entry.
    pub(crate) head: Head,
    /// Counts changes of who is in the book, and of what they are called.
    pub(crate) people: u64,
    /// Counts changes of who is present, and of what they look at.
    pub(crate) presence: u64,
    /// The book's actor is no more.
    pub(crate) is_stopped: bool,
}

#[derive(Debug)]
struct Recent {
    now: Now,
    entries: VecDeque<EncodedEntry>,
    bytes: usize,
    /// The newest last; none of them is from before the head has moved.
    frames: VecDeque<Frame>,
    /// Who may read and write as of the head.
    members: BTreeMap<UserId, Role>,
}

/// Entries after a seq, as they go over a socket.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    after: Seq,
    /// The last entry in it.
    pub(crate) last: Seq,
    /// With the head of a WebSocket's frame.
    pub(crate) bytes: Bytes,
}

/// What a reader lacks.
#[derive(Debug)]
pub(crate) enum News {
    Nothing,
    Frame(Frame),
    /// It begins further back than the ring reaches.
    InTheStore,
}

/// Somebody reads a ring as long as this lives.
#[derive(Debug)]
pub(crate) struct Reading {
    ring: Arc<Ring>,
    socket: SocketNumber,
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(Reader::Lane(lane)) = self.ring.readers().remove(&self.socket) {
            let _ = lane.close();
        }
    }
}

impl Reader {
    /// There are new entries.
    pub(super) fn hear(&self, ring: &Ring) {
        match self {
            Self::Bell(bell) => bell.ring(),
            Self::Lane(lane) if lane.deliver(ring) == Delivered::All => {}
            Self::Lane(lane) => lane.bell.ring(),
        }
    }

    fn bell(&self) -> &Bell {
        match self {
            Self::Bell(bell) => bell,
            Self::Lane(lane) => &lane.bell,
        }
    }
}

impl Ring {
    pub(crate) fn new(book: BookId, head: Head, members: BTreeMap<UserId, Role>) -> Self {
        let now = Now { head, people: 0, presence: 0, is_stopped: false };
        let recent = Recent { now, entries: VecDeque::new(), bytes: 0, frames: VecDeque::new(), members };
        let (peers, readers, published) = (Peers::default(), Mutex::default(), Notify::new());
        Self { book, recent: Mutex::new(recent), peers, readers, published }
    }

    /// Adds committed entries, of which every reader hears.
    pub(crate) fn publish(
        &self,
        entries: impl IntoIterator<Item = EncodedEntry>,
        members: Option<&BTreeMap<UserId, Role>>,
    ) {
        let mut recent = self.recent();
        let head_before = recent.now.head;
        for entry in entries {
            recent.now.head = Head { seq: entry.seq, hash: entry.hash };
            recent.bytes += entry.bytes.len();
            recent.entries.push_back(entry);
        }
        if recent.now.head == head_before {
            return;
        }
        recent.frames.clear();
        while recent.bytes > RING_BYTES_MAX
            && let Some(oldest) = recent.entries.pop_front()
        {
            recent.bytes -= oldest.bytes.len();
        }
        if let Some(members) = members {
            recent.members.clone_from(members);
            recent.now.people += 1;
            // Their sockets may take long to hear of it.
            if self.peers.retain(|user| members.contains_key(&user)) {
                recent.now.presence += 1;
            }
        }
        drop(recent);
        self.published.notify_one();
    }

    /// A socket says what its person looks at, who may have been removed without having heard of it.
    pub(crate) fn put_peer(&self, socket: SocketNumber, author: Author, said: PresenceUp) {
        let mut recent = self.recent();
        if recent.members.contains_key(&author.user) {
            self.peers.put(socket, author, said, clock::now());
            recent.now.presence += 1;
            drop(recent);
            self.ring();
        }
    }

    /// A socket has gone from the book, or is not heard of any more.
    pub(crate) fn remove_peer(&self, socket: SocketNumber, author: Author) {
        if self.peers.remove(socket, author) {
            self.change(|now| now.presence += 1);
        }
    }

    /// The list of who is present, where there is anybody or was.
    pub(crate) fn presence_frame(&self, told_before: bool) -> Option<String> {
        (told_before || !self.peers.is_empty()).then(|| self.peers.frame(self.book))
    }

    /// Somebody in the book is called otherwise now.
    pub(crate) fn people_renamed(&self) {
        self.change(|now| now.people += 1);
    }

    /// The book's actor is no more, and nothing follows.
    pub(crate) fn stop(&self) {
        self.change(|now| now.is_stopped = true);
        self.published.notify_one();
    }

    /// Somebody reads from here on.
    pub(crate) fn read_by(self: &Arc<Self>, socket: SocketNumber, reader: Reader) -> Reading {
        self.readers().insert(socket, reader);
        Reading { ring: Arc::clone(self), socket }
    }

    /// Some who read, in the order of their sockets' numbers, after that one.
    pub(super) fn readers_after(&self, socket: Option<SocketNumber>, count: usize) -> Vec<(SocketNumber, Reader)> {
        let readers = self.readers();
        let after = readers.range((socket.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
        after.take(count).map(|(socket, reader)| (*socket, reader.clone())).collect()
    }

    /// Resolves once there is something since it did so last.
    pub(super) async fn published(&self) {
        self.published.notified().await;
    }

    /// A frame of what follows `seq`, and what was so when it was made.
    pub(crate) fn news_after(&self, seq: Seq) -> (Now, News) {
        let mut recent = self.recent();
        (recent.now, recent.news_after(self.book, seq))
    }

    /// Entries after `seq`, up to about `bytes_max` of them but at least one if there is one. `None`: they are further
    /// back than the ring reaches.
    pub(crate) fn after(&self, seq: Seq, bytes_max: usize) -> Option<Vec<EncodedEntry>> {
        let recent = self.recent();
        Some(recent.after(seq, bytes_max)?.cloned().collect())
    }

    /// Takes in entries that were read from the store, where they lead up to those in here and there is room: others may
    /// lack the same. Whether all of them are in here now.
    pub(crate) fn take_in(&self, entries: &[EncodedEntry]) -> bool {
        let mut recent = self.recent();
        let first = recent.first();
        let older = &entries[..entries.partition_point(|entry| entry.seq < first)];
        let bytes: usize = older.iter().map(|entry| entry.bytes.len()).sum();
        let fits = recent.bytes + bytes <= RING_BYTES_MAX;
        let leads_up = entries.last().is_some_and(|last| last.seq.next() >= first);
        if fits && leads_up {
            recent.bytes += bytes;
            older.iter().rev().for_each(|entry| recent.entries.push_front(entry.clone()));
        }
        fits && leads_up
    }

    /// The entry of this seq, if the ring reaches that far back.
    pub(crate) fn entry(&self, seq: Seq) -> Option<EncodedEntry> {
        let recent = self.recent();
        let first = recent.entries.front()?.seq;
        recent.entries.get(usize::try_from(seq.0.checked_sub(first.0)?).ok()?).cloned()
    }

    pub(crate) fn head(&self) -> Head {
        self.now().head
    }

    pub(crate) fn now(&self) -> Now {
        self.recent().now
    }

    pub(crate) fn role_of(&self, user: UserId) -> Option<Role> {
        self.recent().members.get(&user).copied()
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.recent().now);
        self.ring();
    }

    fn ring(&self) {
        self.readers().values().for_each(|reader| reader.bell().ring());
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readers(&self) -> MutexGuard<'_, BTreeMap<SocketNumber, Reader>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    /// Where it begins: before the first entry came, behind its head.
    fn first(&self) -> Seq {
        self.entries.front().map_or(self.now.head.seq.next(), |entry| entry.seq)
    }

    fn after(&self, seq: Seq, bytes_max: usize) -> Option<impl Iterator<Item = &EncodedEntry>> {
        let skip = usize::try_from((seq.0 + 1).checked_sub(self.first().0)?).ok()?;
        let mut bytes = 0;
        Some(self.entries.iter().skip(skip).take_while(move |entry| {
            let fits = bytes == 0 || bytes + entry.bytes.len() < bytes_max;
            bytes += entry.bytes.len() + 1;
            fits
        }))
    }

    fn news_after(&mut self, book: BookId, seq: Seq) -> News {
        if seq >= self.now.head.seq {
            return News::Nothing;
        }
        if let Some(frame) = self.frames.iter().find(|frame| frame.after == seq) {
            return News::Frame(frame.clone());
        }
        let Some(entries) = self.after(seq, FRAME_BYTES - ENTRIES_ENVELOPE_BYTES) else {
            return News::InTheStore;
        };
        let mut last = seq;
        let entries = entries.map(|entry| {
            last = entry.seq;
            &*entry.bytes
        });
        let bytes = frames::text(&entries_frame(book, entries));
        let frame = Frame { after: seq, last, bytes };
        if self.frames.len() == FRAMES_KEPT {
            self.frames.pop_front();
        }
        self.frames.push_back(frame.clone());
        News::Frame(frame)
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
        Ring::new(BookId(uuid::Uuid::nil()), Head { seq: Seq(head), hash: ChainHash::ZERO }, BTreeMap::new())
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
        assert_eq!(
            [10, 11, 13, 14].map(|seq| ring.entry(Seq(seq)).map(|entry| entry.seq.0)),
            [None, Some(11), Some(13), None]
        );
    }

    #[test]
    fn what_was_read_for_one_is_there_for_others() {
        let ring = ring(10);
        let read = |seqs: std::ops::RangeInclusive<u64>| seqs.map(|seq| entry(seq, 10)).collect::<Vec<_>>();
        assert!(!ring.take_in(&read(5..=7)), "8 is missing");
        assert_eq!(seqs(ring.after(Seq(9), 100)), None);
        assert!(ring.take_in(&read(8..=10)));
        ring.publish([entry(11, 10)], None);
        assert!(ring.take_in(&read(6..=9)), "some of it is there already");
        assert!(ring.take_in(&read(7..=11)));
        assert_eq!(seqs(ring.after(Seq(5), 100)), Some(vec![6, 7, 8, 9, 10, 11]));
        assert!(!ring.take_in(&[entry(5, RING_BYTES_MAX)]), "there is no room for it");
        assert_eq!(seqs(ring.after(Seq(4), 100)), None);
    }

    #[test]
    fn a_ring_is_bounded_in_bytes() {
        let ring = ring(0);
        let half = RING_BYTES_MAX / 2;
        ring.publish([entry(1, half), entry(2, half), entry(3, 1)], None);
        assert_eq!(seqs(ring.after(Seq(0), 1)), None);
        assert_eq!(seqs(ring.after(Seq(1), usize::MAX)), Some(vec![2, 3]));
    }

    #[test]
    fn who_lacks_the_same_shares_a_frame() {
        let ring = ring(0);
        let frame_after = |seq| match ring.news_after(Seq(seq)).1 {
            News::Frame(frame) => (frame.last.0, frame.bytes),
            other => panic!("{other:?}"),
        };
        ring.publish([entry(1, 10), entry(2, 10)], None);
        let ((last, bytes), (_, again)) = (frame_after(0), frame_after(0));
        assert_eq!((last, bytes.as_ptr()), (2, again.as_ptr()));
        assert!(matches!(ring.news_after(Seq(2)).1, News::Nothing));
        ring.publish([entry(3, 10)], None);
        assert_eq!(frame_after(0).0, 3, "what was framed before the head moved is no news any more");
        assert_eq!(frame_after(2).0, 3);
    }

    #[test]
    fn who_is_removed_is_present_no_more_whatever_their_socket_says() {
        let ring = ring(0);
        let [ana, ben] = [1, 2].map(|number| Author {
            user: UserId(uuid::Uuid::from_u128(number)),
            replica: tidebook_book::ReplicaId(uuid::Uuid::from_u128(number)),
        });
        let say = |author: Author| {
            let said = PresenceUp { book: ring.book, viewing: None, editing: None };
            ring.put_peer(SocketNumber(author.user.0.as_u64_pair().1), author, said);
        };
        let is_present = |author: Author| {
            let frame = ring.presence_frame(true).expect("a frame");
            frame.contains(&author.user.to_string())
        };
        let both = BTreeMap::from([(ana.user, Role::Owner), (ben.user, Role::Editor)]);
        ring.publish([entry(1, 10)], Some(&both));
        [ana, ben].into_iter().for_each(say);
        assert_eq!([ana, ben].map(is_present), [true, true]);
        let before = ring.now().presence;
        ring.publish([entry(2, 10)], Some(&BTreeMap::from([(ana.user, Role::Owner)])));
        assert_eq!([ana, ben].map(is_present), [true, false]);
        assert!(ring.now().presence > before, "the others hear of it");
        say(ben);
        assert_eq!([ana, ben].map(is_present), [true, false]);
    }

    #[test]
    fn a_frame_holds_no_more_than_a_slow_line_takes_in_time() {
        let ring = ring(0);
        let third = FRAME_BYTES / 3;
        ring.publish([entry(1, third), entry(2, third), entry(3, third), entry(4, 1)], None);
        let News::Frame(frame) = ring.news_after(Seq(0)).1 else { panic!("it is in the ring") };
        assert_eq!(frame.last, Seq(2));
        assert!(matches!(self::ring(7).news_after(Seq(3)).1, News::InTheStore));
    }

    #[test]
    fn a_bell_rings_as_long_as_its_owner_reads() {
        use std::future::Future as _;
        let (ring, bell) = (Arc::new(ring(0)), Arc::new(Bell::default()));
        let is_rung = || {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            std::pin::pin!(bell.heard()).poll(&mut context).is_ready()
        };
        let reading = ring.read_by(SocketNumber(1), Reader::Bell(Arc::clone(&bell)));
        let herald = || ring.readers_after(None, 10).iter().for_each(|(_, reader)| reader.hear(&ring));
        ring.publish([entry(1, 10)], None);
        assert!(!is_rung(), "of entries the herald tells");
        herald();
        assert!(is_rung());
        ring.people_renamed();
        assert!(is_rung());
        drop(reading);
        ring.publish([entry(2, 10)], None);
        herald();
        assert!(!is_rung());
    }
}
