//! One run: people, their devices, lines, a server of one or several nodes and its disk, in virtual time.

mod begin;
mod calls;
mod copies;
mod keeping;
mod liar;
mod lines;
mod node;
mod ops;
mod people;
mod presence;
mod quiet;
mod restore;
mod strikes;
mod tabs;

use std::collections::BTreeMap;

use tidebook_book::{BookId, ChainHash, Seq, UserId};
use tidebook_ledger::{Ledger, LedgerOp};
use tidebook_replica::{BookCopy, Seen};

use crate::check::{Checked, Checker};
use crate::client::Client;
use crate::device::Device;
use crate::disk::Disk;
use crate::fault::Weather;
use crate::line::{Line, LineId, Way};
use crate::plant::Plant;
use crate::queue::{Ms, Queue};
use crate::random::Random;
use crate::run::Run;
use crate::server::{Answer, CallId, Settings};
use crate::trace::Trace;
use calls::Call;
use node::Node;

/// Something that happens.
#[derive(Debug)]
enum Event {
    /// People come to work for a while.
    Episode(u64),
    Work(usize),
    /// A form that was opened before is saved.
    Save {
        client: usize,
        life: u64,
        form: Box<Form>,
    },
    /// A person takes something back.
    Withdraw {
        client: usize,
        book: BookId,
        id: tidebook_book::MutationId,
    },
    /// A copy of a device's store is gone on from.
    UseCopy(usize),
    /// A person looks at what was rejected.
    LookAtRejections(usize),
    Strike(Strike),
    /// Something may come out of a line.
    Deliver(LineId, Way),
    /// A replica asked to be woken.
    Wake(usize),
    SwitchOn(usize),
    StartTab(usize),
    /// An attempt to connect ends.
    Connected {
        client: usize,
        attempt: u64,
    },
    SnapshotAsked {
        client: usize,
        life: u64,
        book: BookId,
    },
    SnapshotArrives {
        client: usize,
        life: u64,
        book: BookId,
        /// None where it was denied.
        text: Option<String>,
    },
    /// A transaction of a device's store goes on.
    StoreTurn {
        device: usize,
        number: u64,
    },
    /// A tab hears that another wrote something.
    HearsOfWrite {
        client: usize,
        life: u64,
        book: BookId,
    },
    /// A request over HTTP reaches the server.
    CallArrives(CallId),
    /// No answer came.
    CallTimesOut {
        call: CallId,
        tries: u32,
    },
    CallAnswered {
        call: CallId,
        answer: Answer,
    },
    /// The disk is done.
    Committed {
        node: usize,
        life: u64,
        book: BookId,
    },
    /// A node hears, or finds at its next look, that another wrote into the log.
    BellRings {
        node: usize,
        book: BookId,
    },
    TooSlow {
        line: LineId,
        times: u64,
    },
    /// A list of who is present was put off.
    PresenceDue(LineId),
    /// Nothing came up a line for as long as is borne.
    NotHeard(LineId),
    NodeUp(usize),
    NodeStops(usize),
    Quiet,
    LookForQuiet,
}

/// A fault, or something that people do to each other, at a time of its own.
#[derive(Debug, Clone, Copy)]
enum Strike {
    Cut,
    HalfOpen,
    Deaf,
    Stall,
    DuplicatePush,
    LatePush,
    SlowReader,
    Offline,
    DeviceOff,
    Crash,
    Restore,
    Archive,
    Drain,
    RoleChange,
    Removal,
    LongAway,
    DiskFull,
    Lie,
    PowerCut,
    OpenOrClose,
    StoreFull,
    StoreGone,
    Copy,
}

/// Something a person is about to save.
#[derive(Debug)]
struct Form {
    book: BookId,
    /// How the copy stood when it was filled in.
    seen: Seen,
    copy: (Seq, ChainHash),
    undoes: Option<Seq>,
    ops: Vec<LedgerOp>,
}

impl Form {
    fn new(book: BookId, copy: &BookCopy<Ledger>, undoes: Option<Seq>, ops: Vec<LedgerOp>) -> Self {
        Self { book, seen: copy.seen(), copy: (copy.seq(), copy.hash()), undoes, ops }
    }
}

/// A person.
#[derive(Debug)]
struct Person {
    name: &'static str,
    user: UserId,
    /// Their signed-in session, for requests over HTTP.
    session: tidebook_book::ReplicaId,
}

#[derive(Debug)]
pub(crate) struct World {
    now: Ms,
    random: Random,
    queue: Queue<Event>,
    weather: Weather,
    settings: Settings,
    people: Vec<Person>,
    books: Vec<BookId>,
    disk: Disk,
    /// One, or several on one disk.
    nodes: Vec<Node>,
    clients: Vec<Client>,
    devices: Vec<Device>,
    transactions_made: u64,
    lines: BTreeMap<LineId, Line>,
    lines_made: u64,
    calls: BTreeMap<CallId, Call>,
    calls_made: u64,
    /// Snapshots that a node was asked for and has not given, with who asked for them.
    snapshots_asked: Vec<(usize, (usize, BookId))>,
    checker: Checker,
    trace: Trace,
    episodes: u64,
    /// The server's disk takes nothing until then.
    full_until: Ms,
    quiet_since: Option<Ms>,
    is_over: bool,
    client_ms: u64,
    /// Chance for checks, so that looking changes nothing.
    looks: Random,
}

impl World {
    pub(crate) fn now(&self) -> Ms {
        self.now
    }

    /// Runs to the end, or to the first thing that must not happen.
    pub(crate) fn run(&mut self) -> Checked {
        self.settle()?;
        while !self.is_over {
            let (at, event) = self.queue.pop().expect("there is always a next episode, or the end");
            self.now = self.now.max(at);
            self.handle(event)?;
        }
        Ok(())
    }

    pub(crate) fn into_run(self) -> Run {
        let logs = self.books.iter().map(|book| self.checker.book(*book));
        let counts = logs.map(|check| (check.head().0, check.conflicts_raised(), check.rejections()));
        let (entries, conflicts, rejections) =
            counts.fold((0, 0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1, sum.2 + count.2));
        let (client_ms, trace_hash) = (self.client_ms, self.trace.hash());
        Run { fired: self.weather.fired(), entries, conflicts, rejections, client_ms, trace_hash }
    }

    fn handle(&mut self, event: Event) -> Checked {
        self.checker.now = self.now;
        match event {
            Event::Episode(number) => self.begin_episode(number),
            Event::Work(client) => self.let_work(client),
            Event::Save { client, life, form } => self.save_late(client, life, *form),
            Event::Withdraw { client, book, id } => self.withdraw(client, book, id),
            Event::UseCopy(device) => self.use_copy(device),
            Event::LookAtRejections(client) => self.look_at_rejections(client),
            Event::Strike(strike) => self.strike(strike),
            Event::Deliver(line, way) => self.deliver(line, way),
            Event::Wake(client) => self.wake(client),
            Event::SwitchOn(client) => self.switch_on(client),
            Event::StartTab(client) => self.start_tab(client),
            Event::Connected { client, attempt } => self.connect(client, attempt),
            Event::SnapshotAsked { client, life, book } => self.ask_for_snapshot(client, life, book),
            Event::SnapshotArrives { client, life, book, text } => {
                self.take_snapshot(client, life, book, text.as_deref())
            }
            Event::StoreTurn { device, number } => self.store_turn(device, number),
            Event::HearsOfWrite { client, life, book } => {
                self.hear_of_write(client, life, book);
                Ok(())
            }
            Event::CallArrives(call) => self.call_arrives(call),
            Event::CallTimesOut { call, tries } => self.call_times_out(call, tries),
            Event::CallAnswered { call, answer } => self.call_answered(call, &answer),
            Event::Committed { node, life, book } => self.commit_ends(node, life, book),
            Event::BellRings { node, book } => self.ring(node, book),
            Event::TooSlow { line, times } => self.too_slow(line, times),
            Event::PresenceDue(line) => self.presence_due(line),
            Event::NotHeard(line) => self.not_heard(line),
            Event::NodeUp(node) => self.node_up(node),
            Event::NodeStops(node) => self.node_stops(node),
            Event::Quiet => self.begin_quiet(),
            Event::LookForQuiet => self.look_for_quiet(),
        }
    }

    fn at_in(&mut self, ms: Ms, event: Event) {
        self.queue.put(self.now + ms, event);
    }

    fn plant(&self) -> Option<Plant> {
        self.settings.plant
    }

    fn say(&mut self, what: impl FnOnce() -> String) {
        self.trace.say(self.now, what);
    }

    /// How long something takes that usually takes little.
    fn delay(&mut self) -> Ms {
        let slow = self.weather.strikes(crate::fault::Fault::Delay, &mut self.random);
        if slow { self.random.between(200, 4_000) } else { self.random.between(3, 60) }
    }
}
