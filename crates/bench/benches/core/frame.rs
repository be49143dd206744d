//! Reading a push frame as it comes over a socket: the message, and the envelope of each of its mutations.

use criterion::{Criterion, Throughput};
use tidebook_book::Seq;
use tidebook_protocol::{Push, RawMutation, Up};

use crate::cpu_time::CpuTime;
use crate::fixture::{book_id, create_transaction, epoch, mutations};

const MUTATIONS: u64 = 100;

pub(crate) fn bench(criterion: &mut Criterion<CpuTime>) {
    let ops = (0..MUTATIONS).map(|number| create_transaction(number, 1_000));
    let frame = Up::Push(Push { book: book_id(), epoch: epoch(), mutations: mutations(Seq(1_000), ops) }).encode();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(MUTATIONS));
    group.bench_function("push frame", |bencher| {
        bencher.iter(|| match Up::parse(&frame) {
            Ok(Up::Push(push)) => {
                push.mutations.iter().map(|raw| RawMutation::parse(raw)).collect::<Result<Vec<_>, _>>()
            }
            _ => unreachable!("the frame is a push"),
        });
    });
}
