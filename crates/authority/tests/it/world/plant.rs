//! Bugs the server may be given, to see that the world notices them.

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plant {
    /// Leaves an entry out for a follower.
    SkipsASeq,
    /// Sends no fates.
    DropsFates,
    /// Tells of entries that are being committed.
    AcksBeforeCommit,
    /// Decides without having looked into the log.
    ForgetsWhatItKnows,
    /// Says of numbers that they are in the log before they are.
    AcceptsWhatIsStaged,
    /// Goes on from a batch that failed.
    KeepsWhatFailed,
    /// Comes back from a restart without its last entry.
    LosesTheTail,
    /// Comes back from a restart with a state that lacks its last entry.
    RestartsFromAnOlderState,
    /// Comes back from a restart knowing nobody's numbers.
    ForgetsNumbers,
    /// Writes the numbers of a batch whose entries it does not.
    WritesNumbersAlone,
    /// Decides a repetition anew.
    DecidesRepetitionsAnew,
}
