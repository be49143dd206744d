//! What goes wrong in a run, and what people do that is hard to get right. Each kind is on in about half of the seeds, at
//! a rate of that seed's own: a fault that always happens hides what happens without it.

use crate::random::Random;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $text:literal $per_mille:expr,)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $name),* }

        impl Fault {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// In words.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The range of its rate where it is on: cases in a thousand, or strikes in a thousand episodes.
            fn rates(self) -> (u64, u64) {
                match self { $(Self::$name => $per_mille),* }
            }
        }
    };
}

faults! {
    /// A frame takes up to seconds. What follows it on its line waits behind it.
    Delay "slow frames" (10, 150),
    /// A frame gets lost, and with it the line, which neither end notices at once.
    FrameLost "lost frames" (2, 15),
    /// A line ends; one side knows at once, the other later, and some of what was on its way still comes out.
    Cut "cut lines" (500, 3000),
    /// A line is dead and the server goes on believing in it, long after the device has come back over another.
    HalfOpen "half-open lines" (500, 2000),
    /// Nothing gets up a line any more, and all that is new still comes down: neither end sees anything wrong.
    Deaf "lines without a way up" (500, 2000),
    /// One direction of a line stands still for a while: a partition one way.
    Stall "stalled lines" (500, 2000),
    /// A push goes out over two sockets of one replica.
    DuplicatePush "duplicate pushes" (500, 2500),
    /// A push of some time ago comes out of another socket of its replica now.
    LatePush "late pushes" (500, 2500),
    /// A device stops reading; frames pile up until the server stops writing, and then ends the line.
    SlowReader "slow readers" (500, 2000),
    /// A device has no network for seconds to minutes, and its person goes on working.
    Offline "devices offline" (500, 1500),
    /// A device sleeps for a while.
    DeviceOff "devices off" (300, 1000),
    /// A device is without power at once, and starts again from its store.
    PowerCut "power cuts" (300, 1500),
    /// A tab ends at once, and another starts from what the store has.
    TabKilled "killed tabs" (500, 2000),
    /// A device has several tabs on one store.
    Tabs "several tabs" (300, 800),
    /// A tab does not hear that another wrote something into their store.
    NewsUnheard "unheard news" (50, 500),
    /// A transaction of a device's store takes long.
    SlowStore "slow stores" (20, 200),
    /// A device's store takes nothing for a while.
    StoreFull "full stores" (300, 1000),
    /// A device's store is deleted under its tabs.
    StoreGone "deleted stores" (200, 800),
    /// A device is switched off for a year, or as good as.
    LongAway "year-old devices" (100, 500),
    /// The server is three nodes on one log. Each decides for every book, and the log tells which came first.
    Nodes "three nodes" (1000, 1000),
    /// A node's batch meets a log that another has written into.
    Overtaken "lost races" (200, 900),
    /// A node is not told that another wrote something, and finds it at its next look at the log.
    BellLost "lost bells" (100, 700),
    /// The server, or one node of it, dies, with whatever it was about to do.
    Crash "server crashes" (300, 1500),
    /// The server dies as a commit comes back, and nothing of it is on disk.
    CrashBeforeCommit "crashes before a commit" (5, 40),
    /// The server dies as a commit comes back, and all of it is on disk.
    CrashAfterCommit "crashes after a commit" (5, 40),
    /// A commit fails cleanly.
    CommitFailed "failed commits" (10, 200),
    /// A commit takes long.
    SlowCommit "slow commits" (20, 300),
    /// A commit comes back without a word of whether it is on disk, as where a sync fails: the server stops.
    SyncFailed "failed syncs" (5, 40),
    /// The server's disk takes nothing for a while.
    DiskFull "full disks" (500, 1500),
    /// The server comes back with a clock that is wrong by up to years.
    ServerClock "jumping server clocks" (300, 1000),
    /// The server dies, and comes back with a book as an older backup has it; it may say so, or not.
    Restored "restored backups" (500, 1500),
    /// A book is put away: it is read and left, and written in no more.
    Archived "archived books" (300, 900),
    /// The server says that it goes away, finishes its commits, and comes back.
    Drain "drains" (300, 1000),
    /// The server has a replica start from a snapshot.
    Snapshot "snapshots taken" (50, 400),
    /// The answer to a request over HTTP gets lost, and the same request comes again.
    AnswerLost "lost answers" (100, 500),
    /// A request that was answered long ago comes again.
    RepeatedWrite "repeated writes" (100, 500),
    /// A form is open for seconds to minutes before it is saved.
    StaleForm "stale forms" (100, 500),
    /// Somebody takes back what they just wrote, before or after it entered the log.
    Withdrawn "withdrawn mutations" (50, 300),
    /// Somebody types again what was rejected, or what they took back.
    Retried "things typed again" (1000, 1000),
    /// A device goes on from a copy of its store or of another's, with the same replica id.
    Copied "copied stores" (300, 1000),
    /// A program writes fields that the server does not know, and asks for what only a later server can do.
    NewerApp "newer apps" (300, 800),
    /// A program starts over what one of another version wrote into the store.
    OtherRows "rows of other versions" (300, 800),
    /// Content that cannot stand.
    InvalidContent "invalid content" (30, 200),
    /// An id that somebody else may give too.
    SameId "equal ids" (50, 400),
    /// A device's clock is wrong by anything up to years.
    WrongClock "wrong clocks" (500, 1000),
    /// Somebody gets another role while they write.
    RoleChange "role changes" (500, 1500),
    /// Somebody is removed while they write, and perhaps comes back.
    Removal "removals" (500, 1500),
    /// Somebody speaks the protocol as no shipped program does, under an id of their own or of another.
    Liar "clients that lie" (500, 2000),
    /// Somebody asks for a book that is not theirs.
    Stranger "strangers" (1000, 1000),
}

/// How often each fault strikes in this run, and how often it did.
#[derive(Debug)]
pub(crate) struct Weather {
    rates: Vec<u32>,
    fired: Vec<u32>,
    calm: bool,
}

impl Weather {
    /// Chance gives each a rate, also those that may not be.
    pub(crate) fn of(random: &mut Random, may_be: impl Fn(Fault) -> bool) -> Self {
        let rate = |fault: &Fault| {
            let (first, last) = fault.rates();
            let rate = random.between(first, last);
            let is_on = random.one_in(2) && may_be(*fault);
            if is_on { u32::try_from(rate).expect("a rate is small") } else { 0 }
        };
        Self { rates: Fault::ALL.iter().map(rate).collect(), fired: vec![0; Fault::ALL.len()], calm: false }
    }

    /// Those that are on.
    pub(crate) fn faults(&self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(|fault| self.rates[*fault as usize] > 0)
    }

    /// No more faults.
    pub(crate) fn end(&mut self) {
        self.calm = true;
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm
    }

    /// In thousandths; 0 where it is off.
    pub(crate) fn rate(&self, fault: Fault) -> u32 {
        if self.calm { 0 } else { self.rates[fault as usize] }
    }

    /// Whether it is to strike now; it may still come to nothing.
    pub(crate) fn may_strike(&self, fault: Fault, random: &mut Random) -> bool {
        self.rate(fault) > 0 && random.per_mille(self.rate(fault))
    }

    /// Whether it strikes now; what asks lets it happen.
    pub(crate) fn strikes(&mut self, fault: Fault, random: &mut Random) -> bool {
        let strikes = self.may_strike(fault, random);
        if strikes {
            self.note(fault);
        }
        strikes
    }

    /// It happened.
    pub(crate) fn note(&mut self, fault: Fault) {
        self.fired[fault as usize] += 1;
    }

    /// How often each fault happened, in the order of [`Fault::ALL`].
    pub(crate) fn fired(self) -> Vec<u32> {
        self.fired
    }
}
