//! What a store on a device keeps of a book, and what has to be written there.
//!
//! A store keeps, per book: a head, a state, the entries after it (and some before, for history), the outbox, the
//! rejections nobody has dealt with, and own mutations that were confirmed lately; all as text. Several programs may use one
//! store at once, each with a replica of its own in memory: the head's revision grows with every write, and who finds another
//! than they know reads what is new before they write. See the crate's documentation for the order of calls.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use tidebook_book::{
    BookState, ChainHash, Domain, Epoch, Mutation, MutationId, MutationNumber, Person, Rejected, ReplicaId, Role, Seq,
    UserId, read_by_name,
};

/// Whether what a person writes outlives the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// It does not: mutations are offered at once.
    InMemory,
    /// A store has it: mutations are offered once they are stored.
    InStore,
}

/// Rows of one book, as a store gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What was asked for.
    pub lacking: Lacking,
    pub head: String,
    /// Where [`Lacking::Everything`] asked for it and there is one.
    pub state: Option<String>,
    /// Those asked for, in order.
    pub entries: Vec<String>,
    /// All of the outbox, in any order.
    pub outbox: Vec<String>,
    /// All rejections, in any order.
    pub rejections: Vec<String>,
}

/// What of a store a copy in memory does not have yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// Entries after this one; and outbox and rejections, which are always read whole.
    EntriesAfter(Seq),
    /// The state, which is at this seq, and the entries after it; outbox and rejections too.
    Everything(Seq),
}

impl Lacking {
    /// What a copy lacks that has nothing yet of a book with this head.
    pub fn all_of(head: &str) -> Result<Self, StoredError> {
        let head: Head = serde_json::from_str(head)?;
        Ok(Self::Everything(head.state_seq))
    }
}

/// What a person wrote that is in no book, as JSON texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsent {
    /// As they are pushed, and so as they stand in the outbox of a store.
    pub mutations: Vec<String>,
    /// As they stand in a store: `{"mutation":…,"rejected":…}`.
    pub rejections: Vec<String>,
}

impl Unsent {
    #[must_use]
    pub fn len(&self) -> usize {
        self.mutations.len() + self.rejections.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From the rows of a store, whose outbox holds what was withdrawn as well.
    #[must_use]
    pub fn of_rows(outbox: Vec<String>, rejections: Vec<String>) -> Self {
        // Inside of a text its quotes would stand escaped.
        let mutations = outbox.into_iter().filter(|mutation| !mutation.contains(r#""ops":[]"#)).collect();
        Self { mutations, rejections }
    }
}

/// What to write of one book, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreWrite {
    /// Takes the place of the one there is.
    pub head: String,
    /// Takes the place of the one there is.
    pub state: Option<String>,
    /// What goes of the entries and of the confirmed mutations, before any are put. Outbox and rejections are not meant.
    pub forget: Forget,
    pub entries: Vec<(Seq, String)>,
    /// Own mutations, each under the seq of its entry. They are read whole, and only where [`crate::Replica::wants_confirmed`]
    /// asks for them.
    pub confirmed: Vec<(Seq, String)>,
    /// Rows to put, or, where there is no text, to delete.
    pub outbox: Vec<(MutationId, Option<String>)>,
    pub rejections: Vec<(MutationId, Option<String>)>,
}

/// Which stored entries go, and which confirmed mutations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forget {
    Nothing,
    /// Those up to this seq, itself included: they are older than any history shown offline.
    UpTo(Seq),
    /// What stays of the confirmed mutations is put again.
    All,
}

/// What was stored does not read: a later version of the app wrote it, or it is damaged.
#[derive(Debug, thiserror::Error)]
#[error("what this device keeps of the book cannot be read here: {0}")]
pub struct StoredError(#[from] serde_json::Error);

/// What a store tells of a book in one row: whose numbers it holds, how far it is, where its state stands. Format 1.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Head {
    pub(crate) format: u32,
    /// Grows by one with every write.
    pub(crate) revision: u64,
    /// How often the copy started over from a snapshot.
    pub(crate) starts: u64,
    /// Whose numbers are in the outbox, and the last one given.
    pub(crate) replica: ReplicaId,
    pub(crate) last_n: MutationNumber,
    pub(crate) epoch: Option<Epoch>,
    /// The last entry stored or covered by the state.
    pub(crate) seq: Seq,
    /// Where the stored state stands.
    pub(crate) state_seq: Seq,
    /// There was a state that did not read, and no snapshot has come since: nothing but one tells what of it the server has.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) lost: bool,
    /// The server's head as last heard of.
    pub(crate) head: Seq,
    pub(crate) role: Option<Role>,
    pub(crate) people: Vec<Person>,
}

read_by_name!(Head {
    format, revision, starts, replica, last_n, seq, state_seq, head, people; epoch, role, lost
});

pub(crate) const FORMAT: u32 = 1;

/// The state row.
#[derive(Serialize)]
#[serde(bound = "")]
pub(crate) struct StoredState<D: Domain> {
    pub(crate) version: u32,
    pub(crate) seq: Seq,
    pub(crate) hash: ChainHash,
    pub(crate) members: BTreeMap<UserId, Role>,
    pub(crate) state: D::State,
}

read_by_name!(StoredState<D: Domain> { version, seq, hash, members, state });

impl<D: Domain> StoredState<D> {
    pub(crate) fn into_state(self) -> BookState<D> {
        BookState { members: self.members, domain: self.state }
    }
}

#[derive(Serialize)]
pub(crate) struct StoredRejection<Op> {
    pub(crate) mutation: Mutation<Op>,
    pub(crate) rejected: Rejected,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) again: bool,
}

read_by_name!(StoredRejection<Op: DeserializeOwned> { mutation, rejected; again });

/// An own mutation that entered: at this seq, under this replica's number.
pub(crate) struct Confirmed {
    pub(crate) seq: Seq,
    pub(crate) replica: ReplicaId,
    /// As it is pushed.
    pub(crate) mutation: Box<RawValue>,
}

read_by_name!(Confirmed { seq, replica, mutation });

/// Its row.
pub(crate) fn confirmed_row(seq: Seq, replica: ReplicaId, mutation: &str) -> String {
    format!(r#"{{"seq":{seq},"replica":"{replica}","mutation":{mutation}}}"#)
}

/// The rows of a book, read.
pub(crate) struct Rows<D: Domain> {
    pub(crate) head: Head,
    /// None where it was not asked for, does not read, or is of another version: then the copy starts from nothing.
    pub(crate) state: Option<StoredState<D>>,
    /// By their numbers, each as it was stored.
    pub(crate) outbox: Vec<(Mutation<D::Op>, String)>,
    pub(crate) rejections: Vec<StoredRejection<D::Op>>,
}

impl<D: Domain> Rows<D> {
    pub(crate) fn read(stored: &Stored) -> Result<Self, StoredError> {
        let head: Head = serde_json::from_str(&stored.head)?;
        if head.state_seq > head.seq {
            return Err(StoredError(serde_json::Error::custom("its state is from after its last entry")));
        }
        let state = stored.state.as_deref().and_then(|text| serde_json::from_str::<StoredState<D>>(text).ok());
        let mut outbox = Vec::with_capacity(stored.outbox.len());
        for text in &stored.outbox {
            let mutation: Mutation<D::Op> = serde_json::from_str(text)?;
            // Ids sort by when they were made, and so come in the order of their numbers but for a few.
            let place = outbox.partition_point(|(known, _): &(Mutation<D::Op>, _)| known.n < mutation.n);
            outbox.insert(place, (mutation, text.clone()));
        }
        let rejections: Result<Vec<_>, _> = stored.rejections.iter().map(|text| serde_json::from_str(text)).collect();
        let state = state.filter(|state| state.version == D::STATE_VERSION && state.seq == head.state_seq);
        Ok(Self { head, state, outbox, rejections: rejections? })
    }
}
