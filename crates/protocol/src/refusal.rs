//! Refusals: a mutation that never entered the log, because of standing and never of content.

use serde::{Deserialize, Serialize};
use tidebook_book::{MutationId, MutationNumber};

/// Why. The outbox keeps its numbers through every one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// An earlier number is missing; see `expected`.
    Gap,
    /// This number was used for another mutation: the device is a copy of another.
    Forked,
    /// The replica id belongs to another person.
    ReplicaTaken,
    /// Another history, or a base above the head.
    WrongEpoch,
    NotAMember,
    ReadOnly,
    Archived,
    /// The server is older than the client.
    UnknownOp,
    RateLimited,
    /// The server could not write; nothing is lost, try again.
    Unavailable,
    /// A refusal this version does not know.
    #[serde(other)]
    Other,
}

/// The answer to a refused mutation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub id: MutationId,
    pub n: MutationNumber,
    pub code: Refusal,
    pub detail: String,
    /// With [`Refusal::Gap`]: the number that would have entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<MutationNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
