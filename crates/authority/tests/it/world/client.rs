//! A client of the world: the true replica, a screen, and what stands between it and its line.

use std::collections::BTreeMap;

use tidebook_book::{Author, ReplicaId, Seq};
use tidebook_replica::{Event, Keeps, Monotonic, Replica, ReplicaConfig};
use uuid::Uuid;

use super::network::LineId;
use super::random::Random;
use super::scenario::Screen;
use super::server::{BOOK, Server};
use super::{Scenario, Tally, Violation};

/// What a replica asks its driver for.
pub(crate) enum Wish {
    Send(String),
    Connect,
    Disconnect,
    FetchSnapshot,
    NewReplica,
}

pub(crate) struct Client<S: Scenario> {
    pub(crate) author: Author,
    /// All the replica ids it has gone by.
    pub(crate) ids: Vec<ReplicaId>,
    pub(crate) replica: Replica<S>,
    pub(crate) line: Option<LineId>,
    /// When an attempt to connect ends.
    pub(crate) connects_at: Option<u64>,
    /// Snapshots asked for: when each is made, and then when it arrives.
    fetches: Vec<Fetch>,
    /// What a screen shows that looks at nothing but what it is told was touched.
    pub(crate) screen: Screen<S>,
    /// How far the copy has come, which it never goes back behind.
    seen: Seq,
    /// Something happened that nobody has checked yet.
    pub(crate) changed: bool,
}

enum Fetch {
    Asked { made_at: u64 },
    Made { arrives_at: u64, snapshot: String },
}

impl<S: Scenario> Client<S> {
    pub(crate) fn new(author: Author, seed: u64) -> Self {
        let (replica, user) = (author.replica, author.user);
        let config =
            ReplicaConfig { replica, user, client: "world/1".into(), token: None, seed, keeps: Keeps::InMemory };
        let mut replica = Replica::new(config);
        replica.open_book(BOOK);
        let (screen, fetches) = (BTreeMap::new(), Vec::new());
        let (ids, seen) = (vec![author.replica], Seq::ZERO);
        Self { author, ids, replica, line: None, connects_at: None, fetches, screen, seen, changed: true }
    }

    /// Goes on under another replica id, of the same parity: by it the server knows whose it is.
    pub(crate) fn take_new_id(&mut self, now: u64) {
        let id = ReplicaId(Uuid::from_u128(self.author.replica.0.as_u128() + 0x100));
        self.author.replica = id;
        self.ids.push(id);
        self.replica.handle_new_replica(Monotonic(now), id);
    }

    pub(crate) fn handle_text(&mut self, now: u64, text: &str) -> Result<(), Violation> {
        self.replica.handle_text(Monotonic(now), text);
        let copy = self.replica.book(BOOK).expect("the book is open");
        let seq = copy.seq();
        if seq < self.seen {
            return Err(format!("a copy went back from {} to {seq}", self.seen));
        }
        if let Some(contradiction) = &copy.contradictions().last {
            return Err(format!("a replica is contradicted: {contradiction}"));
        }
        self.seen = seq;
        Ok(())
    }

    pub(crate) fn handle_closed(&mut self, now: u64) {
        self.line = None;
        self.replica.handle_closed(Monotonic(now), None);
    }

    pub(crate) fn ask_for_snapshot(&mut self, made_at: u64) {
        self.fetches.push(Fetch::Asked { made_at });
    }

    pub(crate) fn awaits_snapshot(&self) -> bool {
        !self.fetches.is_empty()
    }

    /// Snapshots go over lines of their own, in any order, and where the server is not there, the replica hears of it.
    pub(crate) fn fetch_snapshots(
        &mut self,
        now: u64,
        server: &Server<S>,
        random: &mut Random,
        stormy: bool,
        tally: &mut Tally,
    ) {
        for fetch in std::mem::take(&mut self.fetches) {
            match fetch {
                Fetch::Asked { made_at } if made_at <= now && server.is_up(now) => {
                    let snapshot = serde_json::to_string(&server.snapshot()).expect("JSON");
                    self.fetches.push(Fetch::Made { arrives_at: now + random.delay(stormy), snapshot });
                }
                Fetch::Asked { made_at } if made_at <= now => {
                    self.replica.handle_snapshot_failed(Monotonic(now), BOOK);
                }
                Fetch::Made { arrives_at, snapshot } if arrives_at <= now => {
                    tally.snapshots += 1;
                    self.replica.handle_snapshot_text(Monotonic(now), BOOK, &snapshot);
                }
                waiting => self.fetches.push(waiting),
            }
        }
    }

    /// The next thing the replica asks for. What is only to be shown is shown.
    pub(crate) fn poll_wish(&mut self, now: u64) -> Result<Option<Wish>, Violation> {
        if let Some(text) = self.replica.poll_transmit(Monotonic(now)) {
            return Ok(Some(Wish::Send(text)));
        }
        while let Some(event) = self.replica.poll_event() {
            match event {
                Event::Connect => return Ok(Some(Wish::Connect)),
                Event::FetchSnapshot { .. } => return Ok(Some(Wish::FetchSnapshot)),
                // One that took a new id of itself may find later that numbers are settled that it never used.
                Event::NewReplicaNeeded if self.ids.len() > 1 => return Ok(Some(Wish::NewReplica)),
                Event::Disconnect { reason } if reason.contains("replica id") => return Ok(Some(Wish::Disconnect)),
                Event::Changed { touched, news, .. } if news.is_subset(&touched) => {
                    self.changed = true;
                    touched.iter().for_each(|thing| self.show(thing));
                }
                Event::Reset { .. } => self.screen = S::screen(self.replica.view(BOOK).expect("the book is open")),
                Event::People { .. } | Event::Presence { .. } | Event::Rejected { .. } | Event::Status => {}
                // The server of this world says nothing that makes a replica close, sign out or complain.
                unexpected => return Err(format!("a replica says {unexpected:?}")),
            }
        }
        Ok(None)
    }

    fn show(&mut self, thing: &S::Touched) {
        let view = self.replica.view(BOOK).expect("the book is open");
        match S::show(view, thing) {
            Some(shown) => drop(self.screen.insert(thing.clone(), shown)),
            None => drop(self.screen.remove(thing)),
        }
    }
}
