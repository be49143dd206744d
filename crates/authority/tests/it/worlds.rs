//! Many seeds of the small world, on both domains; that faults do strike there; and that it notices bugs.

use std::ops::Range;

use tidebook_ledger::Ledger;

use crate::checklist::Checklist;
use crate::world::{Plant, Scenario, Tally, run};

type Count = fn(&Tally) -> usize;

#[test]
fn ledgers_converge() {
    converge::<Ledger>(0..50);
}

#[test]
fn other_ledgers_converge() {
    converge::<Ledger>(50..100);
}

#[test]
fn checklists_converge() {
    converge::<Checklist>(100..200);
}

fn converge<S: Scenario>(seeds: Range<u64>) {
    let run = |seed| run::<S>(seed, None).unwrap_or_else(|violation| panic!("{violation}"));
    let tallies: Vec<Tally> = seeds.map(run).collect();
    let kinds: [(&str, Count); 11] = [
        ("mutations", |tally| tally.mutations),
        ("rejections", |tally| tally.rejections),
        ("withdrawals", |tally| tally.withdrawals),
        ("new ids", |tally| tally.new_ids),
        ("snapshots", |tally| tally.snapshots),
        ("cuts", |tally| tally.cuts),
        ("restarts", |tally| tally.restarts),
        ("failed commits", |tally| tally.failed_commits),
        ("repetitions", |tally| tally.repetitions),
        ("refusals", |tally| tally.refusals),
        ("fates", |tally| tally.fates),
    ];
    for (kind, count) in kinds {
        let with = tallies.iter().filter(|tally| count(tally) > 0).count();
        assert!(with >= tallies.len() / 5, "{kind} in {with} of {} seeds alone", tallies.len());
    }
}

#[test]
fn a_seed_is_a_run() {
    let twice = [0, 0].map(|_| format!("{:?}", run::<Ledger>(7, None)));
    assert_eq!(twice[0], twice[1]);
}

/// The world notices every bug planted in its server, most of them by more signs than one.
#[test]
fn planted_bugs_are_caught() {
    let gap = "was due";
    let another_log = "has another log";
    let another_state = "has another state";
    let twice = "comes after";
    let refused = "an honest replica is refused";
    let never_quiet = "not quiet";
    let unanswered = "the server did not answer";
    let same_number = "is followed by";
    let numbers_gone = "says NewReplicaNeeded";
    let not_on_disk = "is in the log, where";
    let cases: [(Plant, &[&str]); 11] = [
        (Plant::SkipsASeq, &[gap, never_quiet]),
        (Plant::DropsFates, &[never_quiet, unanswered]),
        (Plant::AcksBeforeCommit, &[another_log]),
        (Plant::ForgetsWhatItKnows, &[refused]),
        (Plant::AcceptsWhatIsStaged, &[not_on_disk]),
        (Plant::KeepsWhatFailed, &["decided on head", refused]),
        (Plant::LosesTheTail, &[another_log, "went back", never_quiet]),
        (Plant::RestartsFromAnOlderState, &[another_state]),
        (Plant::ForgetsNumbers, &[numbers_gone]),
        (Plant::WritesNumbersAlone, &[refused, same_number]),
        (Plant::DecidesRepetitionsAnew, &[twice, refused, never_quiet]),
    ];
    for (plant, signs) in cases {
        let run = |seed| run::<Ledger>(seed, Some(plant)).and_then(|_| run::<Checklist>(seed, Some(plant)));
        let caught = (0..200).find_map(|seed| run(seed).err());
        let caught = caught.unwrap_or_else(|| panic!("{plant:?} goes unnoticed"));
        assert!(signs.iter().any(|sign| caught.contains(sign)), "{plant:?} is caught by another sign: {caught}");
    }
}
