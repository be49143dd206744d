//! Refusals on their way to an answer.

use tidebook_book::MutationNumber;
use tidebook_protocol::{RawMutation, Refusal, Refused};

/// A refusal before it knows its mutation.
pub(super) struct Refuse {
    pub(super) code: Refusal,
    pub(super) detail: String,
    pub(super) expected: Option<MutationNumber>,
}

impl Refuse {
    pub(super) fn of(self, mutation: &RawMutation) -> Refused {
        let Self { code, detail, expected } = self;
        Refused { id: mutation.envelope.id, n: mutation.envelope.n, code, detail, expected, retry_after_ms: None }
    }
}

pub(super) fn refuse(code: Refusal, detail: String) -> Refuse {
    Refuse { code, detail, expected: None }
}

pub(super) fn gap(expected: MutationNumber) -> Refuse {
    let detail = format!("number {expected} must come first");
    Refuse { code: Refusal::Gap, detail, expected: Some(expected) }
}
