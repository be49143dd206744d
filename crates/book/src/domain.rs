//! The one trait an app implements to be synced.

use std::fmt::Debug;
use std::hash::Hash;

use serde::{Serialize, de::DeserializeOwned};

use crate::{MutationId, Rejected, ReplicaId, Seq, UnixMillis, UserId};

/// Who wrote: a person, from one store on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Author {
    pub user: UserId,
    pub replica: ReplicaId,
}

/// Which changes after their base an author is taken to know, so that they don't conflict with what the author writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Knows {
    /// Those of their own replica: it never conflicts with itself.
    Own,
    /// None: an undo speaks of its entry's time, and a session's REST writes are not made on one device.
    Nothing,
    /// All edits: a client that predicts keeps a person's value on their screen until its entry says otherwise.
    Everything,
}

/// The entry a decision is made for. On a client that predicts, `seq` and `at` are what they would be if nothing else came.
#[derive(Debug, Clone, Copy)]
pub struct Draft {
    pub seq: Seq,
    pub at: UnixMillis,
    pub author: Author,
    pub mutation: MutationId,
    pub made_at: UnixMillis,
    /// What the author had seen.
    pub base: Seq,
    pub knows: Knows,
    /// The index of the op within the mutation, or of the change within the entry.
    pub index: usize,
}

/// The app's half of the engine: what can be asked for, what follows from it, and what it does to the state.
///
/// Both functions are pure in the sense that counts: the same state and arguments give the same result on every machine.
pub trait Domain: Sized + 'static {
    /// What the entries add up to.
    type State: Default + Clone + Debug + Serialize + DeserializeOwned;
    /// What a person can ask for.
    type Op: Clone + Debug + PartialEq + Serialize + DeserializeOwned;
    /// A fact in the log.
    type Change: Clone + Debug + PartialEq + Serialize + DeserializeOwned;
    /// What takes an applied change back.
    type Undo: Debug;
    /// Names a thing on a screen that a change can touch.
    type Touched: Clone + Debug + Eq + Hash + Ord;

    /// The version of `State`'s serialised form, which `Snapshot` carries.
    const STATE_VERSION: u32;
    /// The ops this version knows, by name. Any other name is refused as `unknown_op`, so that a newer client waits.
    const OP_NAMES: &'static [&'static str];

    /// What `op` would do to `state`. Later ops of the same mutation see what earlier ones did.
    fn decide(state: &Self::State, op: &Self::Op, draft: &Draft) -> Result<Vec<Self::Change>, Rejected>;

    /// Does it, and tells how to take it back. Takes no decision of its own: a change in the log is a fact.
    fn apply(state: &mut Self::State, change: &Self::Change, draft: &Draft) -> Self::Undo;

    /// Takes an applied change back. Called in the reverse order of the `apply`s.
    fn revert(state: &mut Self::State, undo: Self::Undo);

    /// What an observer of the state has to look at again after this change.
    fn touches(change: &Self::Change, state: &Self::State) -> Vec<Self::Touched>;
}
