//! Bugs that can be planted, each in what the simulator itself puts between the shipped parts, to see that the checker
//! is one.

use crate::check::Invariant;
use crate::run::Failure;

macro_rules! plants {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// A planted bug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Plant { $($(#[$doc])* $name),* }

        impl Plant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As the command line has it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

plants! {
    /// The log is not asked for what it holds already.
    DedupeOff "dedupe_off",
    /// Followers are told of a batch as it goes to the disk.
    AckBeforeCommit "ack_before_commit",
    /// A follower is not told of an entry.
    SeqSkipped "seq_skipped",
    /// A book is loaded without its open conflicts.
    ConflictDropped "conflict_dropped",
    /// Every late edit passes for one that knew everything.
    BaseRaised "base_raised",
    /// Nobody is told of entries behind their cursor.
    FateLost "fate_lost",
    /// A book is loaded without its deletions.
    Resurrected "resurrected",
    /// Followers of a book are told of another's entries.
    WrongBookBroadcast "wrong_book_broadcast",
    /// Connections do not notice that somebody was removed.
    RemovalUnseen "removal_unseen",
    /// Anyone may have any book.
    StrangerServed "stranger_served",
    /// A server that starts again has forgotten each replica's last number.
    NumberReused "number_reused",
    /// A connection goes on from one entry further than its replica said.
    StaleCursor "stale_cursor",
    /// A connection goes on from where its replica says it is, in whatever history.
    HashIgnored "hash_ignored",
    /// A device that takes in others' entries loses one of its outbox.
    RebaseDropsOne "rebase_drops_one",
    /// What failed to be written is gone on from.
    FailureKept "failure_kept",
    /// A sync that failed counts as done, and the server goes on.
    CommitUnknown "commit_unknown",
    /// A server that dies takes the last entry of each log with it.
    TailLost "tail_lost",
    /// A book is loaded without its last entry's changes.
    OlderState "older_state",
    /// Of a batch that fails, the replicas' numbers are written.
    NumbersAlone "numbers_alone",
    /// A replica is told that numbers are in the log before they are.
    StagedAccepted "staged_accepted",
    /// A snapshot is made of what is not on disk yet.
    SnapshotOfStaged "snapshot_of_staged",
    /// A snapshot has no open conflicts.
    SnapshotWithoutConflicts "snapshot_without_conflicts",
    /// A snapshot says that the log has every number there is.
    SnapshotWithAllNumbers "snapshot_with_all_numbers",
    /// A snapshot lost who changed what when.
    SnapshotWithoutStamps "snapshot_without_stamps",
    /// Entries from further back are encoded anew.
    EncodedAnew "encoded_anew",
    /// Who pushes passes for an owner.
    EveryoneOwner "everyone_owner",
    /// A request over HTTP that comes again is done again.
    WriteRepeated "write_repeated",
    /// A request over HTTP is answered before its entry is on disk.
    WriteAnsweredEarly "write_answered_early",
    /// Undo takes back what somebody else wrote since.
    UndoExempt "undo_exempt",
    /// A node opens a book for who comes from another without a look at the log.
    OpenedUnlooked "opened_unlooked",
    /// A node does not see from what another wrote who is in the book now.
    TailMembersUnseen "tail_members_unseen",
    /// A node that comes too late forgets what it had decided.
    LoserForgotten "loser_forgotten",
    /// A book that was put away is written in.
    ArchivedWritten "archived_written",
    /// Who has gone from a book is still shown there.
    GoneShown "gone_shown",
    /// Who was removed from a book is shown there until their line ends.
    RemovedShown "removed_shown",
    /// A device waits for an answer for as long as it hears anything else.
    AnswerNotMissed "answer_not_missed",
    /// A device says that something is saved as it begins to write it.
    SavedEarly "saved_early",
    /// A device writes what was typed as though it could only arrive once more.
    TypedLoosely "typed_loosely",
    /// A tab writes without a look at what other tabs wrote.
    TabsUncompared "tabs_uncompared",
    /// A transaction of a device leaves out the outbox.
    OutboxUnwritten "outbox_unwritten",
    /// A transaction of a device leaves out the rejections.
    RejectionsUnwritten "rejections_unwritten",
    /// A device has nothing left of what was confirmed when a restored server lacks it.
    ConfirmedForgotten "confirmed_forgotten",
    /// The server takes something for withdrawn that is not.
    Emptied "emptied",
    /// A tab goes on under another replica id, and its store under the old one.
    RenewedAlone "renewed_alone",
}

impl Plant {
    /// By its name on the command line.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|plant| plant.name() == name)
    }

    /// Whether a run failed for what the bug breaks. One that stumbles over something else first has not understood it.
    #[must_use]
    pub fn explains(self, failure: &Failure) -> bool {
        self.breaks().contains(&failure.violation.invariant)
    }

    fn breaks(self) -> &'static [Invariant] {
        use Invariant::{
            AckedSurvives, Balances, CommitFirst, Convergence, ExactlyOnce, Fate, FirstStands, GaplessOrder, Honest,
            Liveness, Presence, Saved, Secrecy, Standing,
        };
        match self {
            Self::DedupeOff | Self::NumberReused | Self::NumbersAlone | Self::WriteRepeated => &[ExactlyOnce],
            Self::AckBeforeCommit | Self::StagedAccepted | Self::WriteAnsweredEarly => &[CommitFirst],
            // What is gone on from, and is not on the disk, is told of.
            Self::FailureKept | Self::CommitUnknown | Self::TailLost => &[CommitFirst, AckedSurvives],
            Self::SeqSkipped => &[GaplessOrder],
            Self::ConflictDropped | Self::Resurrected | Self::OlderState => &[Convergence, Balances],
            Self::BaseRaised | Self::UndoExempt => &[FirstStands],
            // Its device waits for ever, or offers again what has its number.
            Self::FateLost | Self::LoserForgotten => &[Liveness, Fate],
            Self::WrongBookBroadcast => &[GaplessOrder, Secrecy],
            Self::RemovalUnseen | Self::StrangerServed | Self::TailMembersUnseen => &[Secrecy],
            // What follows does not fit what the device has.
            Self::StaleCursor | Self::HashIgnored => &[Convergence, GaplessOrder],
            Self::RebaseDropsOne | Self::ConfirmedForgotten | Self::Emptied => &[Fate],
            Self::SnapshotOfStaged => &[Convergence, CommitFirst],
            Self::SnapshotWithoutConflicts | Self::SnapshotWithoutStamps => &[Convergence],
            Self::SnapshotWithAllNumbers => &[Fate, Liveness],
            // The same entry in other bytes: a device that reads it takes it, its hash says no.
            Self::EncodedAnew => &[GaplessOrder, Honest],
            Self::EveryoneOwner | Self::ArchivedWritten => &[Standing],
            // A node that lacks entries says so of who has them, or serves who is gone.
            Self::OpenedUnlooked => &[Honest, Secrecy],
            Self::GoneShown => &[Liveness, Presence],
            Self::RemovedShown => &[Presence],
            Self::AnswerNotMissed => &[Liveness],
            Self::SavedEarly | Self::TypedLoosely | Self::OutboxUnwritten | Self::RejectionsUnwritten => &[Saved, Fate],
            // Two tabs number differently under one replica id.
            Self::TabsUncompared | Self::RenewedAlone => &[Honest, ExactlyOnce, Liveness, Saved],
        }
    }
}
