//! Opening a large book from what a store on the device keeps of it, and what it takes up in memory then.

use std::path::Path;
use std::process::Command;

use criterion::{BatchSize, Criterion};
use tidebook_book::Seq;
use tidebook_replica::{Lacking, Stored};

use crate::cpu_time::CpuTime;
use crate::device::{open, stored};
use crate::fixture::Book;

const CONTACTS: u64 = 10_000;
const TRANSACTIONS: u64 = 100_000;

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let stored = stored(&Book::new(CONTACTS, TRANSACTIONS));
    criterion.bench_function("open", |bencher| {
        bencher.iter_batched(|| (), |()| open(&stored), BatchSize::PerIteration);
    });
}

/// Prints how many bytes a transaction takes up beside its note. A program of its own opens each book, since memory that
/// was used before and is free again counts no less in what the system says of a program.
pub(crate) fn print_memory() {
    let with_contacts = Book::new(CONTACTS, 0);
    let with_all = Book::new(CONTACTS, TRANSACTIONS);
    let notes = with_all.state.domain.transactions().filter_map(|transaction| transaction.note.as_ref());
    let notes: usize = notes.map(String::len).sum();
    let bytes = resident_bytes_of(&with_all) - resident_bytes_of(&with_contacts) - notes as u64;
    println!("memory: {} bytes per transaction beside its note", bytes / TRANSACTIONS);
}

fn resident_bytes_of(book: &Book) -> u64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Stored { head, state, .. } = stored(book);
    std::fs::write(folder.path().join("head"), head).expect("there is space");
    std::fs::write(folder.path().join("state"), state.expect("a state was written")).expect("there is space");
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new(program).arg(OPENED).arg(folder.path()).output().expect("this program starts");
    let text = String::from_utf8(output.stdout).expect("digits");
    text.trim().parse().expect("a number")
}

/// What [`print_memory`] tells the program that opens a book.
pub(crate) const OPENED: &str = "opened";

/// Opens a book and prints by how many bytes the program grew.
pub(crate) fn print_growth(folder: &Path) {
    let before = resident_bytes();
    let read = |name| std::fs::read_to_string(folder.join(name)).expect("the book was written there");
    let (head, state) = (read("head"), Some(read("state")));
    let lacking = Lacking::Everything(Seq::ZERO);
    let (entries, outbox, rejections) = (Vec::new(), Vec::new(), Vec::new());
    let stored = Stored { lacking, head, state, entries, outbox, rejections };
    let replica = open(&stored);
    drop(stored);
    println!("{}", resident_bytes() - before);
    drop(replica);
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * rustix::param::page_size() as u64
}
