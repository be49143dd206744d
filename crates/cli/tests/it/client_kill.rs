//! The terminal's processes die in the middle of anything, several at once over one store, and what they said was saved is
//! saved. What they said is kept here, outside the processes that die.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::dice::Dice;
use crate::home::{Home, records, sound};
use crate::person::{Book, Person};
use crate::program::{Serving, lasting_port};
use crate::raw::{PATIENCE, Written};

/// Kills in a run of the tests; `cargo xtask prove client-kills` asks for more.
const KILLS: usize = 200;
const KILLS_VARIABLE: &str = "PROVE_CLIENT_KILLS";

/// Kills in one book: each command reads all of it.
const KILLS_PER_BOOK: usize = 50;

/// Programs over the one store at once, at most.
const PROGRAMS_MAX: usize = 4;

/// Within so long most programs have said what they have to say.
const LIFE_MS_MAX: usize = 180;

/// Transactions in each imported file.
const ROWS: usize = 150;

/// When a program is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Wherever it is by then: that is chance, and is to be.
    After(Duration),
    OnceItSpoke,
    Never,
}

/// What a program is to do.
#[derive(Debug, Clone)]
enum Deed {
    Add,
    AddContact,
    /// Of a transaction that was said to be saved.
    Edit(String),
    Import(PathBuf),
    Sync,
}

#[derive(Debug)]
struct Attempt {
    /// In what it writes, and nowhere else.
    mark: String,
    deed: Deed,
    moment: Moment,
}

/// What became of an attempt.
#[derive(Debug)]
struct Outcome {
    attempt: Attempt,
    was_killed: bool,
    /// The line that it printed, if it came to that.
    said: Option<Value>,
}

#[derive(Debug, Default)]
struct Tally {
    started: usize,
    killed: usize,
    saved: usize,
    /// Kills of the server.
    server_kills: usize,
}

struct World {
    dice: Dice,
    data: TempDir,
    files: TempDir,
    port: u16,
    serving: Option<Serving>,
    mira: Person,
    book: Book,
    home: Home,
    /// Whom the transactions are about.
    ana: String,
    outcomes: Vec<Outcome>,
    tally: Tally,
}

impl World {
    async fn new(seed: u64) -> Self {
        let (data, files) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let port = lasting_port();
        let serving = Serving::start(data.path(), port).await;
        let mira = Person::sign_up(serving.address, "Mira").await;
        let book = mira.book("Harbour Street").await;
        let home = Home::of(&mira);
        let ana = home.done(&["contact", "add", "Ana"]).await["contact"].as_str().expect("an id").to_owned();
        let (dice, serving, tally) = (Dice(seed), Some(serving), Tally::default());
        Self { dice, data, files, port, serving, mira, book, home, ana, outcomes: Vec::new(), tally }
    }

    /// Several programs at once over the one store. What they do to each other is part of it.
    async fn round(&mut self) {
        if self.dice.below(4) == 0 {
            self.serving.take().expect("it runs").kill().await;
            self.tally.server_kills += 1;
        }
        let mut programs = JoinSet::new();
        for _ in 0..2 + self.dice.below(PROGRAMS_MAX - 1) {
            let attempt = self.attempt();
            programs.spawn(live(self.command(&attempt), attempt));
            self.tally.started += 1;
        }
        for outcome in programs.join_all().await {
            self.tally.killed += usize::from(outcome.was_killed);
            self.outcomes.push(outcome);
        }
        if self.serving.is_none() {
            self.serving = Some(Serving::start(self.data.path(), self.port).await);
        }
    }

    fn attempt(&mut self) -> Attempt {
        let mark = format!("mark {} of {}", self.tally.started, self.port);
        let deed = match self.dice.below(10) {
            0..4 => Deed::Add,
            4..6 => Deed::AddContact,
            6..8 => self.known_transaction().map_or(Deed::Add, Deed::Edit),
            8 => Deed::Import(self.file(&mark)),
            _ => Deed::Sync,
        };
        let moment = match self.dice.below(10) {
            0..6 => Moment::After(Duration::from_millis(self.dice.below(LIFE_MS_MAX) as u64)),
            6..9 => Moment::OnceItSpoke,
            _ => Moment::Never,
        };
        Attempt { mark, deed, moment }
    }

    fn known_transaction(&mut self) -> Option<String> {
        let said = self.outcomes.iter().filter_map(|outcome| outcome.said.as_ref()?["transaction"].as_str());
        let known: Vec<&str> = said.collect();
        (!known.is_empty()).then(|| (*self.dice.pick(&known)).to_owned())
    }

    /// A table to import. Its contact is nobody else's.
    fn file(&self, mark: &str) -> PathBuf {
        let path = self.files.path().join(format!("{}.csv", self.tally.started));
        let row = |row: usize| format!("2026-11-28,{mark},gave,{row}.00,EUR,{mark}: row {row}\n");
        let rows: String = (1..=ROWS).map(row).collect();
        std::fs::write(&path, format!("date,contact,direction,amount,currency,note\n{rows}")).expect("it is written");
        path
    }

    fn command(&mut self, Attempt { mark, deed, .. }: &Attempt) -> Command {
        let mut command = match deed {
            Deed::Add => self.home.command(&["add", &self.ana, "1.25", "--gave", "--note", mark]),
            Deed::AddContact => self.home.command(&["contact", "add", mark]),
            Deed::Edit(id) => self.home.command(&["edit", id, "--note", mark]),
            Deed::Import(file) => self.home.command(&["import", "csv", file.to_str().expect("UTF-8")]),
            Deed::Sync => return self.home.command(&["sync", "--wait", "1"]),
        };
        if self.dice.below(2) == 0 {
            command.arg("--offline");
        }
        command
    }

    /// Syncs, and compares what was said with what there is.
    async fn finish(mut self) -> Tally {
        self.home.sync().await;
        let snapshot = self.home.assert_has_what_the_server_has(&self.book).await;
        let log = self.mira.log(&self.book).await;
        let entries = sound(&log, &snapshot);
        let replicas: BTreeSet<_> = entries.values().map(|entry| entry.value["replica"].as_str()).collect();
        assert_eq!(replicas.len(), 2, "the book's maker and the one store: {replicas:?}");
        let (contacts, transactions) = (records(&snapshot, "contacts"), records(&snapshot, "transactions"));
        for outcome in &self.outcomes {
            let (Attempt { mark, deed, .. }, said) = (&outcome.attempt, outcome.said.as_ref());
            let made = log.iter().map(|entry| times_made(entry, mark)).sum::<usize>();
            let rows = transactions.values().filter(|it| note_of(it).starts_with(&format!("{mark}: "))).count();
            match deed {
                Deed::Import(_) => {
                    assert!(rows == ROWS || rows == 0 && said.is_none(), "an import came in part: {outcome:?} {rows}");
                }
                _ => assert!(made <= 1, "it is there twice: {outcome:?}"),
            }
            let Some(said) = said else { continue };
            self.tally.saved += 1;
            if let Some(mutation) = said["mutation"].as_str() {
                let entry = entries.get(mutation).unwrap_or_else(|| panic!("said and lost: {outcome:?}"));
                assert!(entry.rejection() == ("", "") && entry.bytes.contains(mark), "{outcome:?} {}", entry.bytes);
            }
            for (field, records) in [("contact", &contacts), ("transaction", &transactions)] {
                assert!(said[field].as_str().is_none_or(|id| records.contains_key(id)), "{outcome:?}");
            }
        }
        self.tally
    }
}

/// How many records an entry makes that have just this mark. What changes a record tells of it again.
fn times_made(entry: &Written, mark: &str) -> usize {
    let changes = entry.value["changes"].as_array().map_or(&[][..], Vec::as_slice);
    let is_made = |change: &&Value| change["type"].as_str().is_some_and(|kind| kind.ends_with("_created"));
    changes.iter().filter(is_made).filter(|made| made["note"] == mark || made["name"] == mark).count()
}

fn note_of(transaction: &Value) -> &str {
    transaction["note"].as_str().unwrap_or_default()
}

/// The life of a program, to its end at that moment.
async fn live(mut command: Command, attempt: Attempt) -> Outcome {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (mut said, mut complaints) = (String::new(), String::new());
    match attempt.moment {
        Moment::After(delay) => tokio::time::sleep(delay).await,
        Moment::OnceItSpoke => {
            timeout(PATIENCE, out.read_line(&mut said)).await.expect("it speaks or ends").expect("text");
        }
        Moment::Never => {}
    }
    if attempt.moment != Moment::Never {
        child.start_kill().expect("it is ours");
    }
    timeout(PATIENCE, out.read_to_string(&mut said)).await.expect("it ends").expect("text");
    let mut err = child.stderr.take().expect("a pipe");
    err.read_to_string(&mut complaints).await.expect("text");
    let status = child.wait().await.expect("a status");
    let was_killed = status.signal() == Some(9);
    let is_sync = matches!(attempt.deed, Deed::Sync);
    assert!(was_killed || is_sync || status.success(), "{attempt:?}: {said}{complaints}");
    // A line that the kill cut short says nothing.
    let said = serde_json::from_str(&said).ok().filter(|_| !is_sync);
    Outcome { attempt, was_killed, said }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how much was at stake belongs to the result")]
async fn what_a_killed_program_said_is_saved_is_saved() {
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |count| count.parse().expect("a number"));
    let (mut all, mut seed) = (Tally::default(), 0);
    while all.killed < kills {
        let mut world = World::new(seed).await;
        while world.tally.killed < KILLS_PER_BOOK && all.killed + world.tally.killed < kills {
            world.round().await;
        }
        let tally = world.finish().await;
        seed += 1;
        all.started += tally.started;
        all.killed += tally.killed;
        all.saved += tally.saved;
        all.server_kills += tally.server_kills;
    }
    let Tally { started, killed, saved, server_kills } = all;
    assert!(saved * 4 > started, "too little was at stake: {all:?}");
    println!(
        "{killed} of {started} programs killed, up to {PROGRAMS_MAX} at once over one store, and the server {server_kills} \
         times: all {saved} changes and imports they called saved are in the log once"
    );
}
