//! Every planted bug is found, and by a check that names what is wrong.

use tidebook_sim::{Invariant, Plant, catch_all};

const SEEDS_MAX: u64 = 1000;

/// What each planted bug breaks. It counts as found where one of these is what a run fails by first: a run that stumbles over
/// something else has not understood it.
fn broken_by(plant: Plant) -> &'static [Invariant] {
    use Invariant::{
        AckedSurvives, Balances, CommitFirst, Convergence, ExactlyOnce, Fate, FirstStands, GaplessOrder, Honest,
        Liveness, Presence, Saved, Secrecy, Standing,
    };
    match plant {
        Plant::DedupeOff | Plant::NumberReused | Plant::NumbersAlone | Plant::WriteRepeated => &[ExactlyOnce],
        Plant::AckBeforeCommit | Plant::StagedAccepted | Plant::WriteAnsweredEarly => &[CommitFirst],
        // What is gone on from, and is not on the disk, is told of.
        Plant::FailureKept | Plant::CommitUnknown | Plant::TailLost => &[CommitFirst, AckedSurvives],
        Plant::SeqSkipped => &[GaplessOrder],
        Plant::ConflictDropped | Plant::Resurrected | Plant::OlderState => &[Convergence, Balances],
        Plant::BaseRaised | Plant::UndoExempt => &[FirstStands],
        // Its device waits for ever, or offers again what has its number.
        Plant::FateLost | Plant::LoserForgotten => &[Liveness, Fate],
        Plant::WrongBookBroadcast => &[GaplessOrder, Secrecy],
        Plant::RemovalUnseen | Plant::StrangerServed | Plant::TailMembersUnseen => &[Secrecy],
        // What follows does not fit what the device has.
        Plant::StaleCursor | Plant::HashIgnored => &[Convergence, GaplessOrder],
        Plant::RebaseDropsOne | Plant::ConfirmedForgotten | Plant::Emptied => &[Fate],
        Plant::SnapshotOfStaged => &[Convergence, CommitFirst],
        Plant::SnapshotWithoutConflicts | Plant::SnapshotWithoutStamps => &[Convergence],
        Plant::SnapshotWithAllNumbers => &[Fate, Liveness],
        // The same entry in other bytes: a device that reads it takes it, its hash says no.
        Plant::EncodedAnew => &[GaplessOrder, Honest],
        Plant::EveryoneOwner | Plant::ArchivedWritten => &[Standing],
        // A node that lacks entries says so of who has them, or serves who is gone.
        Plant::OpenedUnlooked => &[Honest, Secrecy],
        Plant::GoneShown => &[Liveness, Presence],
        Plant::RemovedShown => &[Presence],
        Plant::AnswerNotMissed => &[Liveness],
        Plant::SavedEarly | Plant::TypedLoosely | Plant::OutboxUnwritten | Plant::RejectionsUnwritten => &[Saved, Fate],
        // Two tabs number differently under one replica id.
        Plant::TabsUncompared | Plant::RenewedAlone => &[Honest, ExactlyOnce, Liveness, Saved],
    }
}

#[test]
fn every_planted_bug_is_found_within_a_thousand_seeds_and_for_what_it_breaks() {
    let caught = catch_all(Plant::ALL, 0..SEEDS_MAX);
    let found_for = |plant: &Plant, invariant: Invariant| broken_by(*plant).contains(&invariant);
    let missed: Vec<String> = Plant::ALL
        .iter()
        .zip(&caught)
        .filter_map(|(plant, failure)| match failure {
            None => Some(format!("{}: unnoticed", plant.name())),
            Some(failure) if found_for(plant, failure.violation.invariant) => None,
            Some(failure) => Some(format!("{}: {failure}", plant.name())),
        })
        .collect();
    assert_eq!(missed, Vec::<String>::new());
    assert!(Plant::ALL.len() >= 20, "a checker is tried on many bugs");
}

#[test]
fn a_plant_has_one_name() {
    for plant in Plant::ALL {
        assert_eq!(Plant::by_name(plant.name()), Some(*plant));
    }
    assert_eq!(Plant::by_name("weeds"), None);
}
