//! A client of the world: the true replica, a screen, and what stands between it and its line.

use std::collections::BTreeMap;

use tidebook_book::{Author, Seq, Snapshot};
use tidebook_replica::{Event, Monotonic, Replica, ReplicaConfig};

use super::network::LineId;
use super::random::Random;
use super::scenario::Screen;
use super::server::{BOOK, Server};
use super::{Scenario, Tally, Violation};

/// What a replica asks its driver for.
pub(crate) enum Wish {
    Send(String),
    Connect,
    FetchSnapshot,
}

pub(crate) struct Client<S: Scenario> {
    pub(crate) author: Author,
    pub(crate) replica: Replica<S>,
    pub(crate) line: Option<LineId>,
    /// When an attempt to connect ends.
    pub(crate) connects_at: Option<u64>,
    /// Snapshots asked for: when each is made, and then when it arrives.
    fetches: Vec<Fetch<S>>,
    /// What a screen shows that looks at nothing but what it is told was touched.
    pub(crate) screen: Screen<S>,
    /// How far the copy has come, which it never goes back behind.
    seen: Seq,
    /// Something happened that nobody has checked yet.
    pub(crate) changed: bool,
}

enum Fetch<S: Scenario> {
    Asked { made_at: u64 },
    Made { arrives_at: u64, snapshot: Box<Snapshot<S>> },
}

impl<S: Scenario> Client<S> {
    pub(crate) fn new(author: Author, seed: u64) -> Self {
        let (replica, user) = (author.replica, author.user);
        let config = ReplicaConfig { replica, user, client: "world/1".into(), token: None, seed };
        let mut replica = Replica::new(config);
        replica.open_book(BOOK);
        let (screen, fetches) = (BTreeMap::new(), Vec::new());
        Self { author, replica, line: None, connects_at: None, fetches, screen, seen: Seq::ZERO, changed: true }
    }

    pub(crate) fn handle_text(&mut self, now: u64, text: &str) -> Result<(), Violation> {
        self.replica.handle_text(Monotonic(now), text);
        let seq = self.replica.book(BOOK).expect("the book is open").seq();
        if seq < self.seen {
            return Err(format!("a copy went back from {} to {seq}", self.seen));
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

    /// Snapshots go over lines of their own, in any order, and are asked for again where the server is not there.
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
                Fetch::Asked { made_at } if made_at <= now => self.fetches.push(if server.is_up(now) {
                    let snapshot = Box::new(server.snapshot());
                    Fetch::Made { arrives_at: now + random.delay(stormy), snapshot }
                } else {
                    Fetch::Asked { made_at: now + 500 }
                }),
                Fetch::Made { arrives_at, snapshot } if arrives_at <= now => {
                    tally.snapshots += 1;
                    self.replica.handle_snapshot(*snapshot);
                }
                waiting => self.fetches.push(waiting),
            }
        }
    }

    /// The next thing the replica asks for. What is only to be shown is shown.
    pub(crate) fn poll_wish(&mut self) -> Result<Option<Wish>, Violation> {
        if let Some(text) = self.replica.poll_transmit() {
            return Ok(Some(Wish::Send(text)));
        }
        while let Some(event) = self.replica.poll_event() {
            match event {
                Event::Connect => return Ok(Some(Wish::Connect)),
                Event::FetchSnapshot { .. } => return Ok(Some(Wish::FetchSnapshot)),
                Event::Changed { touched, news, .. } if news.is_subset(&touched) => {
                    self.changed = true;
                    touched.iter().for_each(|thing| self.show(thing));
                }
                Event::Reset { .. } => self.screen = S::screen(self.replica.view(BOOK).expect("the book is open")),
                Event::People { .. } | Event::Rejected { .. } | Event::Status => {}
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
