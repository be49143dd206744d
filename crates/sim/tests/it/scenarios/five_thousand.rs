//! 5,000 replicas come back at once, some of them behind the snapshot horizon: what each got is counted, and nothing of it is
//! missing, there twice or out of order.

use tidebook_ledger::Ledger;

use super::tab::Got;
use super::words::{gave, note, someone};
use super::world::{PEOPLE, SECOND, World};

const REPLICAS: usize = 5_000;
/// Of them these have seen the book as it began and no more.
const FAR_BEHIND: usize = 500;
/// One in so many wrote something while it was away.
const WRITES_ONE_IN: usize = 500;
/// Entries that who was far behind lacks: more than are sent as entries.
const MEANWHILE: usize = 10_050;
/// The others left one after the other while the last of these were written.
const LAST: usize = 20;

#[test]
fn five_thousand_replicas_coming_back_at_once_some_behind_the_snapshot_horizon() {
    let mut world = World::new();
    let writer = world.device(0);
    world.write(writer, vec![someone(1), gave(1, 1, 20)]);
    world.settle();
    come_and_go(&mut world, FAR_BEHIND);
    write(&mut world, writer, MEANWHILE);
    // Each new group begins with a snapshot and is there for what is written until the next.
    for _ in 0..LAST {
        come_and_go(&mut world, (REPLICAS - FAR_BEHIND) / LAST);
        write(&mut world, writer, 1);
    }
    let away: Vec<usize> = (writer + 1..world.tabs.len()).collect();
    assert_eq!(away.len(), REPLICAS - (REPLICAS - FAR_BEHIND) % LAST);
    let (head, left_at) = (world.server.log.head().0, away.iter().map(|tab| seq(&world, *tab)).collect::<Vec<_>>());
    let mut written = 0;
    for tab in away.iter().step_by(WRITES_ONE_IN) {
        world.write(*tab, vec![note(1, &format!("of tab {tab}"))]);
        written += 1;
    }
    world.run_for(SECOND);
    for tab in &away {
        world.count(*tab);
        world.mend(*tab);
    }
    let took_ms = world.settle();

    assert!(took_ms <= 5 * SECOND, "it took {took_ms} ms");
    let last = world.server.log.head().0;
    assert_eq!(last, head + written, "each that was written away is there once");
    let mut by_snapshot = 0;
    for (tab, left_at) in away.iter().zip(left_at) {
        let (got, copy) = (world.count(*tab), world.tabs[*tab].copy());
        let (began_at, entries) = match got.first() {
            Some(Got::Snapshot(at)) => (*at, &got[1..]),
            _ => (left_at, &got[..]),
        };
        by_snapshot += usize::from(entries.len() < got.len());
        let expected: Vec<Got> = (began_at + 1..=last).map(Got::Entry).collect();
        assert_eq!(entries, expected, "tab {tab} left at {left_at}");
        assert_eq!((copy.seq().0, copy.contradictions().count), (last, 0));
    }
    assert_eq!(by_snapshot, FAR_BEHIND, "who was too far behind, and nobody else");
    // The states of all are long to compare; equal hashes of the chain are equal entries.
    let hashes = away.iter().map(|tab| world.tabs[*tab].copy().hash());
    assert!(hashes.into_iter().all(|hash| Some(hash) == world.server.log.hash_at(world.server.log.head())));
    let some = away.iter().step_by(100).map(|tab| world.tabs[*tab].copy().view().hash());
    assert!(some.into_iter().all(|hash| hash == world.server.state_hash()));
}

/// New replicas take what there is, and lose their network.
fn come_and_go(world: &mut World<Ledger, Ledger>, count: usize) {
    let first = world.tabs.len();
    for number in 0..count {
        world.device(number as u128 % PEOPLE);
    }
    world.run_for(SECOND);
    assert!((first..first + count).all(|tab| world.tabs[tab].copy().seq() == world.server.log.head()));
    (first..first + count).for_each(|tab| world.cut(tab));
}

fn write(world: &mut World<Ledger, Ledger>, writer: usize, count: usize) {
    for number in 0..count {
        world.write(writer, vec![note(1, &format!("note {number}"))]);
    }
    world.run_for(20 * SECOND);
}

fn seq(world: &World<Ledger, Ledger>, tab: usize) -> u64 {
    world.tabs[tab].copy().seq().0
}
