//! The server dies in the middle of writing, twenty times over, and what it acknowledged stands.
//!
//! The acknowledgements are kept here, outside the process that dies.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::dice::Dice;
use crate::person::{Book, Person};
use crate::program::{Serving, lasting_port};
use crate::raw::{Chain, Closed, Raw, SYNC, Written, entries_of};
use crate::says::{contact, fresh, hello, mutation, push, someone_of, subscribe_after, with};

const ROUNDS: usize = 20;
const BOOKS: usize = 2;
const WRITERS_PER_BOOK: usize = 2;
/// Mutations of one writer on their way at once.
const OPEN_MAX: usize = 8;

/// What the writers are told: which life of the server this is, and whether it is the last.
#[derive(Debug, Clone, Copy, Default)]
struct Life {
    round: usize,
    last: bool,
}

/// What the writers tell.
enum Heard {
    Offered,
    Acknowledged(Acknowledged),
}

#[derive(Debug)]
struct Acknowledged {
    book: String,
    replica: String,
    n: u64,
    entry: Written,
}

/// A replica in the test's own hands: it offers without end, follows the log, and remembers what it was told.
struct Writer {
    mira: Person,
    book: Book,
    replica: String,
    dice: Dice,
    /// All it ever offered, number 1 first, and the fate of each once it is known.
    offered: Vec<(Value, Option<Written>)>,
    /// How far it has followed the log, and the chain's hash there.
    seq: u64,
    chain: Chain,
    heard: mpsc::UnboundedSender<Heard>,
}

impl Writer {
    async fn run(mut self, mut lives: watch::Receiver<Life>) -> Self {
        let mut round = 0;
        loop {
            round = lives.wait_for(|life| life.round > round).await.expect("the test goes on").round;
            // The end of the line is the server's death; all else fails the test.
            if self.live(&lives).await.is_ok() {
                return self;
            }
        }
    }

    /// One life of the server, until it dies; in the last one until nothing is open any more.
    async fn live(&mut self, lives: &watch::Receiver<Life>) -> Result<(), Closed> {
        let headers = [("sec-websocket-protocol", SYNC)];
        let (mut raw, _) = Raw::open(self.mira.address, "/ws", &headers).await.map_err(|_| Closed(None))?;
        raw.send(&hello(&self.replica, Some(&self.mira.token))).await;
        let lowest_open = self.open().next().map_or(self.offered.len() as u64 + 1, |(n, _)| n);
        let subscribe = subscribe_after(&self.book, self.seq, &self.chain.hex());
        raw.send(&with(subscribe, &json!({"pending_from": lowest_open}))).await;
        // The unanswered again, with the ids and numbers they had.
        let unanswered: Vec<Value> = self.open().map(|(_, mutation)| mutation.clone()).collect();
        if !unanswered.is_empty() {
            raw.send(&push(&self.book, &unanswered)).await;
        }
        loop {
            // Asked each time: who was late to connect may have come to a later life than the one it was told of.
            let last = lives.borrow().last;
            while !last && self.open().count() < OPEN_MAX {
                let mutation = self.next_mutation();
                raw.send(&push(&self.book, &[mutation])).await;
            }
            if last && self.open().next().is_none() {
                return Ok(());
            }
            let text = raw.text().await?;
            self.hear(&text);
        }
    }

    /// Numbers and mutations without a fate.
    fn open(&self) -> impl Iterator<Item = (u64, &Value)> {
        let numbered = (1..).zip(&self.offered);
        numbered.filter(|(_, (_, fate))| fate.is_none()).map(|(n, (mutation, _))| (n, mutation))
    }

    fn next_mutation(&mut self) -> Value {
        let n = self.offered.len() as u64 + 1;
        let ops = match self.dice.below(8) {
            0 => vec![contact(&fresh(), "")],
            1 => vec![someone_of(9_000), someone_of(9_000)],
            _ => vec![someone_of(self.dice.below(300))],
        };
        let mutation = mutation(n, &ops);
        self.offered.push((mutation.clone(), None));
        let _told = self.heard.send(Heard::Offered);
        mutation
    }

    fn hear(&mut self, text: &str) {
        let frame: Value = serde_json::from_str(text).expect("frames are JSON");
        match frame["type"].as_str().expect("a type") {
            "welcome" | "people" => {}
            "subscribed" => {
                let accepted = frame["accepted"].as_u64().expect("a number");
                let answered = self.offered.iter().rposition(|(_, fate)| fate.is_some()).map_or(0, |at| at as u64 + 1);
                assert!((answered..=self.offered.len() as u64).contains(&accepted), "{answered} {frame}");
            }
            "entries" => {
                for entry in entries_of(text) {
                    assert_eq!(entry.seq(), self.seq + 1, "entries are contiguous");
                    (self.seq, self.chain) = (entry.seq(), self.chain.followed_by(&entry.bytes));
                    self.settle(entry);
                }
            }
            "fates" => entries_of(text).into_iter().for_each(|entry| self.settle(entry)),
            // Among them `snapshot_required`: the server would have lost what it had sent.
            other => panic!("{other}: {text}"),
        }
    }

    fn settle(&mut self, entry: Written) {
        if entry.value["replica"] != self.replica.as_str() {
            return;
        }
        let n = entry.value["n"].as_u64().expect("a number");
        let (mutation, fate) = &mut self.offered[usize::try_from(n).expect("a small number") - 1];
        assert_eq!(mutation["id"], entry.value["id"]);
        match fate {
            Some(known) => assert_eq!(*known, entry, "a fate is the same each time it is told"),
            None => {
                *fate = Some(entry.clone());
                let (book, replica) = (self.book.id.clone(), self.replica.clone());
                let _told = self.heard.send(Heard::Acknowledged(Acknowledged { book, replica, n, entry }));
            }
        }
    }
}

/// Starts a writer, which waits for the server's first life.
fn spawn(
    writers: &mut tokio::task::JoinSet<Writer>,
    (mira, book, seed): (&Person, &Book, u64),
    heard: &mpsc::UnboundedSender<Heard>,
    lives: &watch::Sender<Life>,
) {
    let writer = Writer {
        mira: mira.clone(),
        book: book.clone(),
        replica: fresh(),
        dice: Dice(seed),
        offered: Vec::new(),
        seq: 0,
        chain: Chain::default(),
        heard: heard.clone(),
    };
    writers.spawn(writer.run(lives.subscribe()));
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how much was at stake belongs to the result")]
async fn what_is_acknowledged_survives_being_killed() {
    let data = tempfile::tempdir().expect("a folder");
    let port = lasting_port();
    let mut serving = Serving::start(data.path(), port).await;
    let mira = Person::sign_up(serving.address, "Mira").await;
    let mut books = Vec::new();
    for name in 0..BOOKS {
        books.push(mira.book(&format!("Book {name}")).await);
    }
    let (lives, (heard, mut hearing)) = (watch::Sender::new(Life::default()), mpsc::unbounded_channel());
    let mut writers = tokio::task::JoinSet::new();
    for seed in 0..BOOKS * WRITERS_PER_BOOK {
        spawn(&mut writers, (&mira, &books[seed % BOOKS], seed as u64), &heard, &lives);
    }
    drop(heard);

    let mut dice = Dice(20);
    let mut acknowledged = Vec::new();
    for round in 1..=ROUNDS {
        lives.send_replace(Life { round, last: false });
        // Killed after so many offers or so many answers: somewhere between a frame's coming and its being told.
        let (mut offers_left, mut answers_left) = match dice.below(2) {
            0 => (1 + dice.below(120), usize::MAX),
            _ => (usize::MAX, 1 + dice.below(120)),
        };
        while offers_left > 0 && answers_left > 0 {
            tokio::select! {
                biased;
                heard = hearing.recv() => match heard.expect("the writers go on") {
                    Heard::Offered => offers_left -= 1,
                    Heard::Acknowledged(answer) => {
                        answers_left -= 1;
                        acknowledged.push(answer);
                    }
                },
                Some(ended) = writers.join_next() => panic!("a writer ended: {:?}", ended.err()),
            }
        }
        serving.kill().await;
        serving = Serving::start(data.path(), port).await;
    }
    lives.send_replace(Life { round: ROUNDS + 1, last: true });
    let writers = writers.join_all().await;
    while let Ok(heard) = hearing.try_recv() {
        if let Heard::Acknowledged(answer) = heard {
            acknowledged.push(answer);
        }
    }

    let mut logs: BTreeMap<String, Vec<Written>> = BTreeMap::new();
    for book in &books {
        let log = mira.log(book).await;
        let snapshot = mira.snapshot(book).await;
        check_log(book, &log, &writers);
        let chain = Chain::of(log.iter().map(|entry| entry.bytes.as_str()));
        assert_eq!((&snapshot["hash"], &snapshot["seq"]), (&json!(chain.hex()), &json!(log.len())));
        assert_eq!(contacts_of(&log), snapshot["state"]["contacts"].as_array().expect("a list").len());
        logs.insert(book.id.clone(), log);
    }
    for answer in &acknowledged {
        let place = usize::try_from(answer.entry.seq()).expect("a small seq") - 1;
        assert_eq!(logs[&answer.book].get(place), Some(&answer.entry), "{} {}", answer.replica, answer.n);
    }
    assert!(acknowledged.len() >= ROUNDS * 10, "too little was at stake: {}", acknowledged.len());
    println!("{} acknowledged mutations survived {ROUNDS} kills", acknowledged.len());
    serving.signal("TERM").await;
    assert_eq!(serving.ended().await.0.code(), Some(0));
}

/// Every number and id once, no seq left out, a fate for everything offered, and nothing that was not.
fn check_log(book: &Book, log: &[Written], writers: &[Writer]) {
    assert!(log.iter().zip(1..).all(|(entry, seq)| entry.seq() == seq), "seqs are gapless");
    let mut by_number: BTreeMap<(&str, u64), &Written> = BTreeMap::new();
    let mut by_id: BTreeMap<&str, &Written> = BTreeMap::new();
    for entry in log {
        let text = |field: &str| entry.value[field].as_str().expect("an id");
        let number = (text("replica"), entry.value["n"].as_u64().expect("a number"));
        assert_eq!(by_number.insert(number, entry), None, "a number was used twice");
        assert_eq!(by_id.insert(text("id"), entry), None, "a mutation entered twice");
    }
    let mut offered = 0;
    for writer in writers.iter().filter(|writer| writer.book == *book) {
        for (n, (mutation, fate)) in (1..).zip(&writer.offered) {
            let fate = fate.as_ref().expect("every mutation has a fate");
            assert_eq!(by_number.get(&(&*writer.replica, n)), Some(&fate));
            assert_eq!(by_id.get(mutation["id"].as_str().expect("an id")), Some(&fate));
        }
        offered += writer.offered.len();
    }
    assert_eq!(log.len(), offered + 1, "the book's own first entry, and what was offered");
}

fn contacts_of(log: &[Written]) -> usize {
    let changes = log.iter().flat_map(|entry| entry.value["changes"].as_array().expect("changes"));
    changes.filter(|change| change["type"] == "contact_created").count()
}
