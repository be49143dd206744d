//! From a typed op to an applied change.

use std::hint::black_box;
use std::slice::from_ref;

use criterion::{BatchSize, Criterion, Throughput};
use tidebook_ledger::LedgerOp;

use crate::cpu_time::CpuTime;
use crate::fixture::{Book, author, create_transaction, draft, update_transaction};

const CONTACTS: u64 = 1_000;
const OPS: u64 = 10_000;

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("decide and apply");
    group.throughput(Throughput::Elements(OPS));
    let few = Book::new(CONTACTS, 0);
    let creates: Vec<LedgerOp> = (0..OPS).map(|number| create_transaction(number, CONTACTS)).collect();
    let many = Book::new(CONTACTS, OPS);
    let updates: Vec<LedgerOp> = (0..OPS).map(|number| update_transaction(number, 0)).collect();
    for (name, book, ops) in [("create_transaction", &few, &creates), ("update_transaction", &many, &updates)] {
        group.bench_function(name, |bencher| {
            let decide_all = |mut state: tidebook_ledger::LedgerBook| {
                for (seq, op) in (book.head.0 + 1..).zip(ops) {
                    let decided = state.decide_and_apply(from_ref(op), draft(seq, book.head.0, author(1)));
                    drop(black_box(decided));
                }
                state
            };
            bencher.iter_batched(|| book.state.clone(), decide_all, BatchSize::PerIteration);
        });
    }
}
