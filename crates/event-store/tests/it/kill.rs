//! A process killed anywhere keeps what it acknowledged.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use tidebook_book::{ChainHash, EncodedEntry, MutationNumber, Seq};
use tidebook_event_store::Store;

use crate::support::{Author, Place, book_id, whole_log};

const KILLS: usize = 20;
const BOOKS: u128 = 4;
const CHILD_STORE: &str = "TIDEBOOK_STORE_KILL_CHILD";

/// What the dead process said, kept outside of it: book and seq, and the hash the log must have there.
type Acknowledged = HashMap<(u128, Seq), ChainHash>;

#[tokio::test]
async fn what_was_acknowledged_survives_the_kill() {
    let place = Place::new();
    let mut acknowledged = Acknowledged::new();
    for cycle in 0..KILLS {
        let mut child = spawn(&place);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let seed = RandomState::new().hash_one(cycle);
        // The child goes on while these are read, so the kill comes somewhere in a later write.
        let wait_for = 1 + seed % 300;
        note(&mut acknowledged, &mut lines, wait_for);
        child.kill().unwrap();
        child.wait().unwrap();
        note(&mut acknowledged, &mut lines, u64::MAX);

        let store = place.open();
        for number in 1..=BOOKS {
            check_book(&store, number, &acknowledged, &format!("cycle {cycle}, killed after {wait_for}")).await;
        }
        store.close().await;
    }
    assert!(acknowledged.len() >= KILLS, "{} acknowledged", acknowledged.len());
}

fn spawn(place: &Place) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(CHILD_STORE, place.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads up to this many acknowledgements. The last line may be torn by the kill: then nobody was told.
fn note(acknowledged: &mut Acknowledged, lines: &mut std::io::Lines<BufReader<ChildStdout>>, at_most: u64) {
    let mut count = 0;
    while count < at_most {
        let Some(line) = lines.next() else { return };
        let line = line.unwrap();
        let mut words = line.split(' ');
        let (Some("acked"), Some(book), Some(seq), Some(hash), Some("end")) =
            (words.next(), words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        acknowledged.insert((book.parse().unwrap(), Seq(seq.parse().unwrap())), hash.parse().unwrap());
        count += 1;
    }
}

async fn check_book(store: &Store, number: u128, acknowledged: &Acknowledged, when: &str) {
    let promised: Vec<_> = acknowledged.iter().filter(|((book, _), _)| *book == number).collect();
    if store.book(book_id(number)).await.unwrap().is_none() {
        assert!(promised.is_empty(), "{when}: book {number} is gone");
        return;
    }
    let entries = whole_log(store, book_id(number)).await;
    for ((_, seq), hash) in promised {
        let found = entries.get(seq.0 as usize - 1).map(|entry| entry.hash);
        assert_eq!(found, Some(*hash), "{when}: book {number}, seq {seq}");
    }
    let replicas = store.replicas(book_id(number)).await.unwrap();
    assert_eq!(replicas[0].n.0, entries.len() as u64, "{when}: an entry and its number are one write");
}

/// The process to be killed, where the test above has started it: appends for ever, and tells what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(path) = std::env::var_os(CHILD_STORE) else { return };
    let store = Store::open(path.as_ref()).unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for number in 1..=BOOKS {
        writers.spawn(append_for_ever(store.clone(), number));
    }
    writers.join_all().await;
}

async fn append_for_ever(store: Store, number: u128) {
    let mut author = Author::new(number);
    match store.book(author.book).await.unwrap() {
        None => author.create(&store).await,
        Some(row) => {
            (author.head, author.hash, author.n) = (row.head, row.head_hash, MutationNumber(row.head.0));
        }
    }
    loop {
        let texts = vec!["some text of an entry"; 1 + author.head.0 as usize % 3];
        let append = author.stage(&texts);
        let entries: Vec<EncodedEntry> = append.entries.iter().map(|new| new.entry.clone()).collect();
        store.append(append).await.unwrap();
        acknowledge(number, &entries);
    }
}

fn acknowledge(number: u128, entries: &[EncodedEntry]) {
    let mut out = std::io::stdout().lock();
    for entry in entries {
        writeln!(out, "acked {number} {} {} end", entry.seq, entry.hash).unwrap();
    }
    out.flush().unwrap();
}
