//! Tabs over one store that come, go, write, fail and hear of things in any order: what was stored enters the log once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tidebook_book::MutationId;

use crate::checklist::add;
use crate::shelf::Shelf;
use crate::stage::{BOOK, ME, Stage, added, chain, entry, id, subscribed_at, welcome};

const SEEDS: u64 = 300;
const STEPS: usize = 120;
const TABS: usize = 3;

/// A server that keeps a log of one replica's mutations.
#[derive(Default)]
struct Pencil {
    log: Vec<Value>,
    /// Each mutation's place in the log.
    places: BTreeMap<String, usize>,
}

impl Pencil {
    /// What it says to what a tab sent.
    fn answer(&mut self, frame: &Value) -> Vec<Value> {
        match frame["type"].as_str() {
            Some("hello") => vec![welcome()],
            Some("subscribe") => self.subscribed(frame),
            Some("push") => {
                let mutations = frame["mutations"].as_array().expect("a list").clone();
                mutations.iter().filter_map(|mutation| self.take(mutation)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn subscribed(&self, frame: &Value) -> Vec<Value> {
        let after = frame["after"].as_u64().expect("a seq") as usize;
        assert_eq!(frame["hash"].as_str().is_some(), after > 0, "{frame}");
        let last = self.log.len() as u64;
        let mut answers = vec![subscribed_at(last, chain(&self.log), last)];
        let from = frame["pending_from"].as_u64().unwrap_or(u64::MAX);
        let fates: Vec<_> = self.log[..after].iter().filter(|entry| entry["n"].as_u64() >= Some(from)).collect();
        answers.push(json!({ "type": "fates", "book": BOOK, "entries": fates }));
        answers.push(self.entries(after));
        answers
    }

    fn entries(&self, after: usize) -> Value {
        json!({ "type": "entries", "book": BOOK, "entries": self.log[after..] })
    }

    fn take(&mut self, mutation: &Value) -> Option<Value> {
        let name = mutation["id"].as_str().expect("an id").to_owned();
        let n = mutation["n"].as_u64().expect("a number");
        let next = self.log.len() as u64 + 1;
        if let Some(place) = self.places.get(&name) {
            assert_eq!(self.log[*place]["n"], n, "a number for each mutation, for good");
            return Some(json!({ "type": "fates", "book": BOOK, "entries": [self.log[*place]] }));
        }
        assert!(n >= next, "number {n} was given twice");
        assert!(n == next, "number {n} came before {next}");
        let item = u32::try_from(mutation["ops"][0]["id"].as_u64().expect("an item")).expect("a small one");
        self.places.insert(name, self.log.len());
        self.log.push(entry(next, ME, n, u128::from(item), &[added(item, "x")]));
        None
    }
}

struct World {
    chance: u64,
    shelf: Shelf,
    pencil: Pencil,
    tabs: Vec<Tab>,
    made: u32,
    /// What a person was told is saved.
    saved: BTreeSet<MutationId>,
}

struct Tab {
    stage: Stage,
    has_line: bool,
    unsaved: BTreeSet<MutationId>,
}

impl Tab {
    fn open(shelf: &mut Shelf) -> Self {
        let mut stage = Stage::kept();
        shelf.sync(&mut stage);
        Self { stage, has_line: false, unsaved: BTreeSet::new() }
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut shelf = Shelf::new();
        let tabs = (0..TABS).map(|_| Tab::open(&mut shelf)).collect();
        let chance = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { chance, shelf, pencil: Pencil::default(), tabs, made: 0, saved: BTreeSet::new() }
    }

    /// xorshift64 (Marsaglia, 2003).
    fn below(&mut self, limit: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance % limit as u64) as usize
    }

    fn step(&mut self) {
        let at = self.below(TABS);
        match self.below(9) {
            0 | 1 => self.write(at),
            2 | 3 => self.sync(at),
            4 => drop(self.shelf.read(&mut self.tabs[at].stage)),
            5 => self.fail(at),
            6 => self.exchange(at),
            7 => self.toggle_line(at),
            _ => self.kill(at),
        }
    }

    fn write(&mut self, at: usize) {
        self.made += 1;
        let number = u128::from(self.made);
        self.tabs[at].stage.mutate(number, &[add(self.made, "x")]).expect("fine");
        self.tabs[at].unsaved.insert(id(number));
    }

    fn sync(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        self.shelf.sync(&mut tab.stage);
        assert_eq!(tab.stage.copy().unsaved(), 0);
        self.saved.append(&mut tab.unsaved);
        // Whoever opens now has what this tab has.
        let next = Tab::open(&mut self.shelf.clone()).stage;
        assert_eq!((next.seq(), next.hash()), (tab.stage.seq(), tab.stage.hash()));
        assert_eq!((next.pending(), next.view()), (tab.stage.pending(), tab.stage.view()));
    }

    fn fail(&mut self, at: usize) {
        let stage = &mut self.tabs[at].stage;
        self.shelf.read(stage);
        if stage.replica.take_write(BOOK).is_some() {
            stage.replica.handle_write_failed(BOOK);
        }
    }

    fn toggle_line(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        if tab.has_line {
            tab.stage.replica.handle_closed(tab.stage.now, None);
        } else {
            tab.stage.replica.connect_now(tab.stage.now);
            tab.stage.replica.handle_opened(tab.stage.now);
        }
        tab.has_line = !tab.has_line;
    }

    /// What the tab has to say reaches the server, and the answers come back; then what else is new.
    fn exchange(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        for _ in 0..4 {
            for frame in tab.stage.sent() {
                for answer in self.pencil.answer(&frame) {
                    tab.stage.hear(answer);
                }
            }
        }
        if tab.has_line && tab.stage.copy().epoch().is_some() {
            let after = usize::try_from(tab.stage.seq().0).expect("small");
            tab.stage.hear(self.pencil.entries(after));
        }
    }

    /// The tab is gone in the middle of whatever it did, and another opens.
    fn kill(&mut self, at: usize) {
        self.tabs[at] = Tab::open(&mut self.shelf);
    }

    /// No more faults.
    fn settle(&mut self) {
        for _ in 0..6 {
            for at in 0..TABS {
                if !self.tabs[at].has_line {
                    self.toggle_line(at);
                }
                self.sync(at);
                self.exchange(at);
                self.sync(at);
            }
        }
    }

    fn check(&self, seed: u64) {
        let entered: BTreeSet<&String> = self.pencil.places.keys().collect();
        for saved in &self.saved {
            assert!(entered.contains(&saved.to_string()), "seed {seed}: {saved} was saved and is lost");
        }
        for tab in &self.tabs {
            assert_eq!(tab.stage.seq().0, self.pencil.log.len() as u64, "seed {seed}");
            assert_eq!(tab.stage.hash(), chain(&self.pencil.log), "seed {seed}");
            assert_eq!(tab.stage.pending(), [0; 0], "seed {seed}");
            assert_eq!(tab.stage.copy().contradictions().count, 0, "seed {seed}");
        }
        assert!(self.shelf.outbox.is_empty(), "seed {seed}: {:?}", self.shelf.outbox);
        assert_eq!(self.shelf.entries.len(), self.pencil.log.len(), "seed {seed}");
    }
}

#[test]
fn what_was_stored_enters_once_and_every_tab_shows_it() {
    let mut entered = 0;
    for seed in 1..=SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.settle();
        world.check(seed);
        entered += world.pencil.log.len();
    }
    assert!(entered > 5 * SEEDS as usize, "only {entered} mutations in {SEEDS} worlds: they prove little");
}
