//! A device comes back: ten thousand mutations wait in its outbox, and a frame of others' entries arrives below them.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use tidebook_book::{ChainHash, MutationNumber, Role};
use tidebook_ledger::Ledger;
use tidebook_protocol::{Down, Subscribed, entries_frame};
use tidebook_replica::{Keeps, NewMutation, Replica, Seen};

use crate::cpu_time::CpuTime;
use crate::device::{NOW, replica_of};
use crate::fixture::{AT, Book, author, book_id, create_transaction, entries, epoch, mutation_id, update_transaction};

const CONTACTS: u64 = 1_000;
const TRANSACTIONS: u64 = 10_000;
const PENDING: u64 = 10_000;
const OTHERS: u64 = 1_000;

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let book = Book::new(CONTACTS, TRANSACTIONS);
    // Half of the others' entries are about what the device has changed too.
    let others = (0..OTHERS).map(|number| match number % 2 {
        0 => create_transaction(2 * TRANSACTIONS + number, CONTACTS),
        _ => update_transaction(number, 1),
    });
    let frame = entries_frame(book_id(), entries(&book, author(2), others).iter().map(|entry| &*entry.bytes));
    let frame = String::from_utf8(frame).expect("JSON is text");
    criterion.bench_function("rebase", |bencher| {
        bencher.iter_batched(
            || device(&book),
            |mut replica| {
                replica.handle_text(NOW, &frame);
                assert_eq!(replica.book(book_id()).expect("open").seq().0, book.head.0 + OTHERS, "the frame was taken");
                black_box(replica)
            },
            BatchSize::PerIteration,
        );
    });
}

/// Online and up to date, with its own mutations on their way.
fn device(book: &Book) -> Replica<Ledger> {
    let mut replica = replica_of(book, Keeps::InMemory);
    let (head, head_hash, accepted) = (book.head, ChainHash::ZERO, MutationNumber::ZERO);
    let subscribed = Subscribed { book: book_id(), epoch: epoch(), role: Role::Editor, head, head_hash, accepted };
    replica.handle_text(NOW, &Down::Subscribed(subscribed).encode());
    for number in 0..PENDING {
        let op = match number % 2 {
            0 => create_transaction(TRANSACTIONS + number, CONTACTS),
            _ => update_transaction(number, 0),
        };
        let id = mutation_id(5_000_000 + number);
        let new = NewMutation { id, made_at: AT, base: Seen::default().at(book.head), ops: vec![op], undoes: None };
        replica.mutate(book_id(), new).expect("the view takes it");
    }
    while replica.poll_event().is_some() {}
    while replica.poll_transmit(NOW).is_some() {}
    replica
}
