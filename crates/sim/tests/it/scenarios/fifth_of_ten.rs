//! The fifth of ten queued mutations is invalid: what does not depend on it lands, what does is rejected and says what it
//! lacked and why that is; after a restart the person edits and retries, and all is there.

use tidebook_book::MutationId;
use tidebook_ledger::{LedgerOp, cause_of};
use tidebook_replica::Rejection;

use super::words::{gave, name, someone, told};
use super::world::World;

/// Nine of these fill the book up to less than [`TOO_MUCH`] below what it holds of a currency.
const LARGEST: i64 = 1_000_000_000_000_000;
const TOO_MUCH: i64 = 10_000_000_000_000;

#[test]
fn the_fifth_of_ten_queued_mutations_invalid() {
    let mut world = World::new();
    let (ana, ben) = (world.device(0), world.device(1));
    world.settle();
    world.cut(ana);
    world.write(ben, vec![someone(90)]);
    for number in 0..9 {
        world.write(ben, vec![gave(900 + number, 90, LARGEST)]);
    }
    let queued: Vec<MutationId> = queue().into_iter().map(|ops| world.write(ana, ops)).collect();
    world.run_for(1_000);
    assert_eq!(world.tabs[ana].saved.len(), 10);
    world.mend(ana);
    // Nothing says that it was saved any more where it was rejected; the log has an entry of each.
    world.settle();
    world.check();
    let seqs: Vec<u64> = queued.iter().map(|id| world.seq_of(*id).0).collect();
    assert!(seqs.is_sorted(), "{seqs:?}");

    let told_of: Vec<String> = rejections(&world, ana, &queued);
    assert_eq!(
        told_of,
        [
            "5: total_too_large, op 1: the amounts of this currency add up to more than a book holds",
            "6: unknown_contact, op 0: there is no contact of this id, because of 5",
            "8: unknown_contact, op 0: there is no contact of this id, because of 5",
        ]
    );
    assert!(
        of_ana(&world, ana).starts_with("c1 someone 1; c2 someone 2; c3 someone 3; c4 someone 4; c7 someone 7; c90")
    );

    world.kill(ana);
    world.start(ana);
    assert_eq!(rejections(&world, ana, &queued), told_of, "it is there after a restart");
    let mut fifth = world.take_up(ana, queued[4]);
    if let Some(LedgerOp::CreateTransaction { amount, .. }) = fifth.get_mut(1) {
        *amount = 10;
    }
    world.write(ana, fifth);
    for dependent in [5, 7] {
        let ops = world.take_up(ana, queued[dependent]);
        world.write(ana, ops);
    }
    world.settle();
    world.check();
    assert_eq!(rejections(&world, ana, &queued), [""; 0]);
    assert!(world.stores[0].shelf.rejections.is_empty());
    let told = of_ana(&world, ana);
    for done in ["c5 Five", "t5 c5 10", "t6 c5 60", "t9 c1 90", "t10 c7 100"] {
        assert!(told.contains(done), "{done} in {told}");
    }
}

/// The fifth brings a contact and too much money; the sixth and the eighth are of that contact, the tenth of another that is
/// queued.
fn queue() -> Vec<Vec<LedgerOp>> {
    vec![
        vec![someone(1)],
        vec![someone(2)],
        vec![someone(3)],
        vec![someone(4)],
        vec![someone(5), gave(5, 5, TOO_MUCH)],
        vec![gave(6, 5, 60)],
        vec![someone(7)],
        vec![name(5, "Five")],
        vec![gave(9, 1, 90)],
        vec![gave(10, 7, 100)],
    ]
}

type Ledgers = World<tidebook_ledger::Ledger, tidebook_ledger::Ledger>;

fn of_ana(world: &Ledgers, ana: usize) -> String {
    told(&world.tabs[ana].copy().view().domain)
}

/// What was rejected, by its place in the queue.
fn rejections(world: &Ledgers, ana: usize, queued: &[MutationId]) -> Vec<String> {
    let mut told: Vec<_> = Vec::new();
    let all = world.tabs[ana].copy().rejections();
    let place = |id| queued.iter().position(|queued| *queued == id).expect("it was queued") + 1;
    for Rejection { mutation, rejected, .. } in all {
        let cause = cause_of(rejected, &mutation.ops, all.iter().map(|other| &*other.mutation.ops));
        let cause = cause.map(|at| format!(", because of {}", place(all[at].mutation.id))).unwrap_or_default();
        let (n, code, op, detail) = (place(mutation.id), &rejected.code, rejected.op, &rejected.detail);
        told.push(format!("{n}: {code}, op {op}: {detail}{cause}"));
    }
    told.sort();
    told
}
