//! Refusals: a mutation that never entered the log, because of standing and never of content.

use serde::Serialize;
use tidebook_book::{MutationId, MutationNumber};

/// Why. The outbox keeps its numbers through every one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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
    Other,
}

impl Refusal {
    /// By its name on the wire.
    #[must_use]
    pub fn by_name(name: &str) -> Self {
        match name {
            "gap" => Self::Gap,
            "forked" => Self::Forked,
            "replica_taken" => Self::ReplicaTaken,
            "wrong_epoch" => Self::WrongEpoch,
            "not_a_member" => Self::NotAMember,
            "read_only" => Self::ReadOnly,
            "archived" => Self::Archived,
            "unknown_op" => Self::UnknownOp,
            "rate_limited" => Self::RateLimited,
            "unavailable" => Self::Unavailable,
            _ => Self::Other,
        }
    }
}

/// The answer to a refused mutation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_they_are_written() {
        for refusal in [
            Refusal::Gap,
            Refusal::Forked,
            Refusal::ReplicaTaken,
            Refusal::WrongEpoch,
            Refusal::NotAMember,
            Refusal::ReadOnly,
            Refusal::Archived,
            Refusal::UnknownOp,
            Refusal::RateLimited,
            Refusal::Unavailable,
        ] {
            let name = serde_json::to_value(refusal).expect("serialises");
            assert_eq!(Refusal::by_name(name.as_str().expect("a text")), refusal);
        }
        assert_eq!(Refusal::by_name("tired"), Refusal::Other);
    }
}
