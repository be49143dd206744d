//! Tabs over one store that come, go, write, fail and hear of things in any order: what was stored enters the log once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tidebook_book::{Epoch, MutationId, MutationNumber, ReplicaId, Snapshot};
use tidebook_replica::Event;
use uuid::Uuid;

use crate::checklist::{Checklist, add};
use crate::shelf::Shelf;
use crate::stage::{BOOK, EPOCH, Stage, added, chain, entry, id, snapshot, subscribed_at, welcome};

const SEEDS: u64 = 700;
const STEPS: usize = 120;
const TABS: usize = 3;

/// A server that keeps a log of one device's mutations.
#[derive(Default)]
struct Pencil {
    log: Vec<Value>,
    /// Each mutation's place in the log.
    places: BTreeMap<String, usize>,
    /// Each replica's last number.
    numbers: BTreeMap<ReplicaId, u64>,
    /// Where each history but the first was gone on from.
    restored_at: Vec<usize>,
    /// It went back in time, and perhaps did not say so.
    was_restored: bool,
    /// The logs it had when it went back.
    former: Vec<Vec<Value>>,
}

impl Pencil {
    fn epoch(&self) -> Epoch {
        if self.restored_at.is_empty() {
            EPOCH
        } else {
            Epoch(Uuid::from_u128(0xee00 + self.restored_at.len() as u128))
        }
    }

    /// What it says to what a tab of this replica sent.
    fn answer(&mut self, replica: ReplicaId, frame: &Value) -> Vec<Value> {
        match frame["type"].as_str() {
            Some("hello") => vec![welcome()],
            Some("subscribe") => self.subscribed(replica, frame),
            Some("push") if frame["epoch"] != json!(self.epoch()) => Vec::new(),
            Some("push") => {
                let mutations = frame["mutations"].as_array().expect("a list").clone();
                mutations.iter().filter_map(|mutation| self.take(replica, mutation)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn subscribed(&self, replica: ReplicaId, frame: &Value) -> Vec<Value> {
        let after = frame["after"].as_u64().expect("a seq") as usize;
        assert_eq!(frame["hash"].as_str().is_some(), after > 0, "{frame}");
        let knows_epoch = frame["epoch"].is_null() || frame["epoch"] == json!(self.epoch());
        let is_known = after <= self.log.len() && frame["hash"] == json!(chain(&self.log[..after]));
        if !knows_epoch || after > 0 && !is_known {
            let from_seq = if knows_epoch { None } else { self.restored_at.iter().min() };
            return vec![json!({
                "type": "snapshot_required", "book": BOOK, "epoch": self.epoch(), "from_seq": from_seq,
                "seq": self.log.len(),
            })];
        }
        let last = self.numbers.get(&replica).copied().unwrap_or_default();
        let mut subscribed = subscribed_at(self.log.len() as u64, chain(&self.log), last);
        subscribed["epoch"] = json!(self.epoch());
        let from = frame["pending_from"].as_u64().unwrap_or(u64::MAX);
        let is_own = |entry: &&Value| entry["replica"] == json!(replica) && entry["n"].as_u64() >= Some(from);
        let fates: Vec<_> = self.log[..after].iter().filter(is_own).collect();
        vec![subscribed, json!({ "type": "fates", "book": BOOK, "entries": fates }), self.entries(after)]
    }

    fn entries(&self, after: usize) -> Value {
        json!({ "type": "entries", "book": BOOK, "entries": self.log.get(after..).unwrap_or_default() })
    }

    fn take(&mut self, replica: ReplicaId, mutation: &Value) -> Option<Value> {
        let name = mutation["id"].as_str().expect("an id").to_owned();
        let n = mutation["n"].as_u64().expect("a number");
        let next = self.numbers.get(&replica).copied().unwrap_or_default() + 1;
        assert!(mutation["base"].as_u64() <= Some(self.log.len() as u64), "{mutation} was seen before it was there");
        if let Some(place) = self.places.get(&name) {
            assert!(self.was_restored || self.log[*place]["n"] == n, "a number for each mutation, for good");
            self.numbers.insert(replica, next.max(n + 1) - 1);
            return Some(json!({ "type": "fates", "book": BOOK, "entries": [self.log[*place]] }));
        }
        assert!(n == next || self.was_restored, "number {n} came where {next} was due");
        if n != next {
            let code = if n < next { "forked" } else { "gap" };
            return Some(json!({
                "type": "refused", "book": BOOK, "id": name, "n": n, "code": code, "detail": "because", "expected": next,
            }));
        }
        let item = u32::try_from(mutation["ops"][0]["id"].as_u64().expect("an item")).expect("a small one");
        self.places.insert(name, self.log.len());
        self.numbers.insert(replica, n);
        let mut entry = entry(self.log.len() as u64 + 1, replica, n, u128::from(item), &[added(item, "x")]);
        if is_rejected(item) {
            entry["changes"] = json!([]);
            entry["rejected"] = json!({ "code": "no", "detail": "because", "op": 0 });
        }
        self.log.push(entry);
        None
    }

    /// It goes on from a backup: the first entries of a log that it has or had.
    fn restore(&mut self, backup: Vec<Value>, declared: Declared) {
        let entries = backup.len();
        self.former.push(std::mem::replace(&mut self.log, backup));
        self.places.clear();
        self.numbers.clear();
        for (place, entry) in self.log.iter().enumerate() {
            let replica = serde_json::from_value(entry["replica"].clone()).expect("an id");
            self.numbers.insert(replica, entry["n"].as_u64().expect("a number"));
            self.places.insert(entry["id"].as_str().expect("an id").to_owned(), place);
        }
        self.was_restored = true;
        if declared == Declared::Yes {
            self.restored_at.push(entries);
        }
    }

    fn snapshot(&self) -> Snapshot<Checklist> {
        let ids = self.log.iter().filter_map(|entry| entry["changes"][0]["id"].as_u64());
        let items: Vec<_> = ids.map(|id| (u32::try_from(id).expect("a small one"), "x")).collect();
        let (epoch, hash) = (self.epoch(), chain(&self.log));
        let replicas = self.numbers.iter().map(|(replica, n)| (*replica, MutationNumber(*n))).collect();
        Snapshot { epoch, hash, replicas, ..snapshot(self.log.len() as u64, &items) }
    }
}

/// Some of what is asked for never enters the book, and takes a number all the same.
fn is_rejected(item: u32) -> bool {
    item % 5 == 2
}

/// Whether a server that was restored says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Yes,
    No,
}

struct World {
    chance: u64,
    shelf: Shelf,
    pencil: Pencil,
    tabs: Vec<Tab>,
    made: u32,
    /// Replica ids given after the first.
    renewed: u128,
    /// What a person was told is saved.
    saved: BTreeSet<MutationId>,
}

struct Tab {
    stage: Stage,
    /// Whom its line speaks for.
    line: Option<ReplicaId>,
    unsaved: BTreeSet<MutationId>,
}

impl Tab {
    fn open(shelf: &mut Shelf) -> Self {
        let mut stage = Stage::kept();
        shelf.sync(&mut stage);
        Self { stage, line: None, unsaved: BTreeSet::new() }
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut shelf = Shelf::new();
        let tabs = (0..TABS).map(|_| Tab::open(&mut shelf)).collect();
        let chance = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { chance, shelf, pencil: Pencil::default(), tabs, made: 0, renewed: 0, saved: BTreeSet::new() }
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
        if tab.line.take().is_some() {
            tab.stage.replica.handle_closed(tab.stage.now, None);
        } else {
            tab.stage.replica.connect_now(tab.stage.now);
            tab.stage.replica.handle_opened(tab.stage.now);
            tab.line = Some(tab.stage.replica.id());
        }
    }

    /// What the tab has to say reaches the server, and the answers come back; then what else is new.
    fn exchange(&mut self, at: usize) {
        for _ in 0..4 {
            self.do_what_is_asked_for(at);
            let tab = &mut self.tabs[at];
            let Some(replica) = tab.line else { return };
            for frame in tab.stage.sent() {
                for answer in self.pencil.answer(replica, &frame) {
                    tab.stage.hear(answer);
                }
            }
            // Whatever waits for its time.
            tab.stage.wait_ms(10_000);
        }
        let tab = &mut self.tabs[at];
        if tab.line.is_some() && tab.stage.copy().epoch().is_some() {
            let after = usize::try_from(tab.stage.seq().0).expect("small");
            tab.stage.hear(self.pencil.entries(after));
        }
    }

    /// What a driver does.
    fn do_what_is_asked_for(&mut self, at: usize) {
        let tab = &mut self.tabs[at];
        for event in tab.stage.events() {
            match event {
                Event::FetchSnapshot { .. } => tab.stage.take(self.pencil.snapshot()),
                Event::NewReplicaNeeded => {
                    assert!(self.pencil.was_restored, "nobody else has this device's numbers");
                    if self.shelf.replica == tab.stage.replica.id() {
                        self.renewed += 1;
                        self.shelf.replica = ReplicaId(Uuid::from_u128(0x1000 + self.renewed));
                    }
                    tab.stage.replica.handle_new_replica(tab.stage.now, self.shelf.replica);
                }
                Event::Disconnect { .. } => {
                    tab.line = None;
                    tab.stage.replica.handle_closed(tab.stage.now, None);
                }
                _ => {}
            }
        }
    }

    /// The server comes back as it was some time ago, which may be from before it came back the last time. How many entries
    /// are lost.
    fn restore(&mut self, declared: Declared) -> usize {
        for at in 0..TABS {
            if self.tabs[at].line.is_some() {
                self.toggle_line(at);
            }
            // A tab that lies behind the backup notices nothing, until it reads what other tabs have of a history that
            // does not say it is another.
            if declared == Declared::No {
                self.shelf.read(&mut self.tabs[at].stage);
            }
        }
        let seen = self.tabs.iter().map(|tab| tab.stage.seq().0).min().unwrap_or_default();
        let former = self.pencil.former.len();
        let log = match self.below(2 * former + 1) {
            which if which < former && declared == Declared::Yes => self.pencil.former[which].clone(),
            _ => self.pencil.log.clone(),
        };
        let most = if declared == Declared::Yes { u64::MAX } else { seen };
        let most = usize::try_from(most.min(log.len() as u64)).expect("small");
        if most == 0 {
            return 0;
        }
        let backup = log[..self.below(most)].to_vec();
        let lost = self.pencil.log.iter().filter(|entry| !backup.contains(entry)).count();
        self.pencil.restore(backup, declared);
        lost
    }

    /// The tab is gone in the middle of whatever it did, and another opens.
    fn kill(&mut self, at: usize) {
        self.tabs[at] = Tab::open(&mut self.shelf);
    }

    /// No more faults.
    fn settle(&mut self) {
        for _ in 0..12 {
            for at in 0..TABS {
                if self.tabs[at].line.is_none() {
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
            // A rejection stays with its person, whatever becomes of the entry.
            let is_shown = self.shelf.rejections.contains_key(saved);
            assert!(is_shown || entered.contains(&saved.to_string()), "seed {seed}: {saved} was saved and is lost");
        }
        for tab in &self.tabs {
            assert_eq!(tab.stage.seq().0, self.pencil.log.len() as u64, "seed {seed}");
            assert_eq!(tab.stage.hash(), chain(&self.pencil.log), "seed {seed}");
            assert_eq!(tab.stage.pending(), [0; 0], "seed {seed}");
            let contradictions = tab.stage.copy().contradictions().count;
            assert!(contradictions == 0 || self.pencil.was_restored, "seed {seed}");
        }
        assert!(self.shelf.outbox.is_empty(), "seed {seed}: {:?}", self.shelf.outbox);
        if !self.pencil.was_restored {
            assert_eq!(self.shelf.entries.len(), self.pencil.log.len(), "seed {seed}");
        }
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

#[test]
fn what_was_saved_is_in_the_log_of_a_server_that_was_restored_from_an_older_backup() {
    let mut lost = 0;
    for seed in 1..=SEEDS {
        let mut world = World::new(seed);
        for step in 1..=STEPS {
            world.step();
            if step % 20 == 0 {
                let declared = if world.below(2) == 0 { Declared::Yes } else { Declared::No };
                lost += world.restore(declared);
            }
        }
        world.settle();
        world.check(seed);
    }
    assert!(lost > 5 * SEEDS as usize, "only {lost} entries were lost in {SEEDS} worlds: they prove little");
}
