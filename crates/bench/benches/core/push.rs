//! All that the engine does for a pushed mutation whose envelope has been read: reading its ops, deciding, encoding the
//! entry, hashing the chain, staging, handing out the batch and letting go of it.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use tidebook_authority::{Authority, Known, Outcome};
use tidebook_ledger::{Ledger, LedgerOp};
use tidebook_protocol::RawMutation;

use crate::cpu_time::CpuTime;
use crate::fixture::{AT, Book, author, create_transaction, epoch, mutations, parsed, update_transaction};

const CONTACTS: u64 = 1_000;
const OPS: u64 = 10_000;
/// Of one push.
const MUTATIONS: usize = 100;

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("push");
    group.throughput(Throughput::Elements(OPS));
    let few = Book::new(CONTACTS, 0);
    let creates: Vec<LedgerOp> = (0..OPS).map(|number| create_transaction(number, CONTACTS)).collect();
    let many = Book::new(CONTACTS, OPS);
    let updates: Vec<LedgerOp> = (0..OPS).map(|number| update_transaction(number, 0)).collect();
    for (name, book, ops) in [("create_transaction", few, creates), ("update_transaction", many, updates)] {
        let mutations = parsed(&mutations(book.head, ops));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || book.authority(),
                |authority| push_all(authority, &mutations),
                BatchSize::PerIteration,
            );
        });
    }
}

fn push_all(mut authority: Authority<Ledger>, mutations: &[RawMutation]) -> Authority<Ledger> {
    let author = author(1);
    for push in mutations.chunks(MUTATIONS) {
        black_box(authority.lookups(author.replica, push));
        let outcomes = authority.handle_push(AT, author, epoch(), push, &Known::default());
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Entry(_))), "all enter");
        black_box(authority.poll_batch().expect("entries were staged"));
        authority.handle_committed();
    }
    authority
}
