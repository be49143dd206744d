//! Encoding an entry, reading it back, and the chain's hash over it.

use criterion::{Criterion, Throughput};
use tidebook_book::{BookChange, ChainHash, Entry};
use tidebook_ledger::Ledger;

use crate::cpu_time::CpuTime;
use crate::fixture::{Book, author, create_transaction, entries};

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let book = Book::new(10, 0);
    let encoded = entries(&book, author(1), [create_transaction(7, 10)]).remove(0);
    let entry: Entry<BookChange<Ledger>> = serde_json::from_slice(&encoded.bytes).expect("what was written reads back");
    let mut group = criterion.benchmark_group("entry");
    group.throughput(Throughput::Bytes(encoded.bytes.len() as u64));
    group.bench_function("encode", |bencher| bencher.iter(|| serde_json::to_vec(&entry)));
    group.bench_function("read", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Entry<BookChange<Ledger>>>(&encoded.bytes));
    });
    group.bench_function("hash", |bencher| bencher.iter(|| ChainHash::ZERO.followed_by(&encoded.bytes)));
}
