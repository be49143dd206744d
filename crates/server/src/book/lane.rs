//! How one reader of a book is kept current: it is written to where entries are published, as long as its line takes all of
//! it and nothing else has to be said first. To wake a task for each of a thousand readers would cost more than the writes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidebook_book::Seq;

use super::bell::Bell;
use super::ring::{News, Ring};
use crate::websocket::{Outlet, Written};

/// A reader's lane in a ring. Whoever calls [`Lane::deliver`] moves it on: the ring's herald for all, or its own task.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(super) bell: Arc<Bell>,
    outlet: Arc<Outlet>,
    /// `None` before it goes on for the first time, and once it is closed: nothing is written.
    place: Mutex<Option<Place>>,
}

/// How far a reader has come.
#[derive(Debug)]
struct Place {
    /// The last entry sent.
    cursor: Seq,
    /// Counts changes of people, as far as they were told.
    people: u64,
}

/// What a reader needs to be current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// Nothing.
    All,
    /// Its line has to take first what was begun.
    Busy,
    /// It has to be told who is in the book now, if it is in it at all, before any more entries.
    People,
    /// It lacks entries from before the ring.
    Stored,
}

impl Lane {
    pub(crate) fn new(bell: Arc<Bell>, outlet: Arc<Outlet>) -> Self {
        Self { bell, outlet, place: Mutex::default() }
    }

    /// Its own task has nothing more to say for now: entries were sent at least up to `sent`, and changes of people were
    /// told up to this count.
    pub(crate) fn go_on(&self, sent: Seq, people: u64) {
        let mut place = self.place();
        let place = place.get_or_insert(Place { cursor: sent, people });
        place.cursor = place.cursor.max(sent);
        place.people = people;
    }

    /// Writes what is new, as far as that can be done at once.
    pub(crate) fn deliver(&self, ring: &Ring) -> Delivered {
        let mut place = self.place();
        let Some(place) = place.as_mut() else { return Delivered::All };
        loop {
            let (now, news) = ring.news_after(place.cursor);
            match news {
                News::Nothing => return Delivered::All,
                // Who is in the book has changed, perhaps in one of these entries.
                _ if now.people != place.people => return Delivered::People,
                News::InTheStore => return Delivered::Stored,
                News::Frame(frame) => {
                    let written = self.outlet.begin_if_free(&frame.bytes);
                    if written.is_some() {
                        place.cursor = frame.last;
                    }
                    // Its own task finds out where the line is cut.
                    if written != Some(Written::All) {
                        return Delivered::Busy;
                    }
                }
            }
        }
    }

    /// The last entry sent.
    pub(crate) fn cursor(&self) -> Option<Seq> {
        self.place().as_ref().map(|place| place.cursor)
    }

    /// Nothing more is written until it goes on. The last entry sent, where it had gone on before.
    pub(crate) fn close(&self) -> Option<Seq> {
        self.place().take().map(|place| place.cursor)
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tidebook_authority::Head;
    use tidebook_book::{BookId, ChainHash, EncodedEntry};
    use tokio::io::AsyncReadExt as _;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::book::{Reader, SocketNumber};

    /// A ring at seq 10, and a reader of it with the far end of its line.
    async fn reader() -> (Arc<Ring>, Arc<Lane>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, _) = listener.accept().await.unwrap();
        let ring = Ring::new(BookId(uuid::Uuid::nil()), Head { seq: Seq(10), hash: ChainHash::ZERO }, BTreeMap::new());
        let lane = Lane::new(Arc::default(), Arc::new(Outlet::new(near)));
        (Arc::new(ring), Arc::new(lane), far)
    }

    fn entry(seq: u64, bytes: usize) -> EncodedEntry {
        EncodedEntry { seq: Seq(seq), bytes: vec![b'x'; bytes].into(), hash: ChainHash::ZERO }
    }

    #[tokio::test]
    async fn a_reader_gets_what_it_lacks_once_it_may() {
        let (ring, lane, mut far) = reader().await;
        let reading = ring.read_by(SocketNumber(1), Reader::Lane(Arc::clone(&lane)));
        ring.publish([entry(11, 10)], None);
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::All, None), "something else is said first");
        lane.go_on(Seq(10), 0);
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::All, Some(Seq(11))));
        ring.publish([entry(12, 10)], None);
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::All, Some(Seq(12))));
        drop(reading);
        ring.publish([entry(13, 10)], None);
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::All, None), "it has left");
        drop((lane, ring));
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert_eq!(got.iter().filter(|byte| **byte == b'x').count(), 20);
    }

    #[tokio::test]
    async fn what_needs_more_than_a_write_is_left_to_its_own_task() {
        let (ring, lane, _far) = reader().await;
        lane.go_on(Seq(9), 0);
        ring.publish([entry(11, 10)], None);
        assert_eq!(lane.deliver(&ring), Delivered::Stored);
        lane.go_on(Seq(10), 0);
        ring.publish([entry(12, 10)], Some(&BTreeMap::new()));
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::People, Some(Seq(10))));
        lane.go_on(Seq(10), 1);
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::All, Some(Seq(12))));
        ring.publish([entry(13, 10)], None);
        assert_eq!(lane.close(), Some(Seq(12)));
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::All, None), "its own task is at it");
        lane.go_on(Seq(12), 1);
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::All, Some(Seq(13))));
    }

    #[tokio::test]
    async fn a_line_that_takes_no_more_is_left_until_it_has() {
        let (ring, lane, mut far) = reader().await;
        lane.go_on(Seq(10), 0);
        let mut seq = 10;
        let full = loop {
            seq += 1;
            ring.publish([entry(seq, 500_000)], None);
            if lane.deliver(&ring) == Delivered::Busy {
                break lane.cursor();
            }
        };
        assert_eq!(full, Some(Seq(seq)), "the frame was begun");
        ring.publish([entry(seq + 1, 10)], None);
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::Busy, full));
        let mut got = 0;
        let mut buffer = vec![0; 1 << 20];
        let outlet = Arc::clone(&lane.outlet);
        let mut taken = std::pin::pin!(outlet.taken());
        loop {
            tokio::select! {
                taken = &mut taken => break assert!(taken),
                bytes = far.read(&mut buffer) => got += bytes.unwrap(),
            }
        }
        assert_eq!((lane.deliver(&ring), lane.cursor()), (Delivered::All, Some(Seq(seq + 1))));
        let all = usize::try_from(seq - 10).unwrap() * 500_000;
        while got < all {
            got += far.read(&mut buffer).await.unwrap();
        }
    }
}
