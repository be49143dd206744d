//! What a person asked for.

use serde::{Serialize, de::DeserializeOwned};

use crate::{MutationId, MutationNumber, Seq, UnixMillis, read_by_name};

/// One or more ops that enter the log together or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mutation<Op> {
    pub id: MutationId,
    pub n: MutationNumber,
    /// When the person made it, by their own clock. Shown, never compared.
    pub made_at: UnixMillis,
    /// The seq of the confirmed state the edited values were read from, when the form opened.
    pub base: Seq,
    /// Empty where the person withdrew the mutation before it entered the log.
    pub ops: Vec<Op>,
    /// The entry whose inverse this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Seq>,
}

read_by_name!(Mutation<Op: DeserializeOwned> { id, n, made_at, base, ops; undoes });

impl<Op> Mutation<Op> {
    /// The same envelope around other ops.
    pub fn with_ops<T>(self, ops: Vec<T>) -> Mutation<T> {
        Mutation { id: self.id, n: self.n, made_at: self.made_at, base: self.base, ops, undoes: self.undoes }
    }
}
