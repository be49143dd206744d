//! Requests over HTTP and their answers.

use serde_json::value::RawValue;
use tidebook_authority::MemberRefusal;
use tidebook_book::{BookId, MemberChange, MutationId, Seq};
use tidebook_protocol::Refusal;

/// A request, the same however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallId(pub(crate) u64);

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) book: BookId,
    pub(crate) id: MutationId,
    pub(crate) what: What,
}

impl Ask {
    pub(super) fn is_for_invited(&self) -> bool {
        matches!(self.what, What::Member(MemberChange::Added { .. }))
    }
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// `base: None`: that of the server's head when it comes.
    Write {
        base: Option<Seq>,
        op: Box<RawValue>,
    },
    Member(MemberChange),
}

/// What it is answered with. Every entry it names is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Decided {
        seq: Seq,
        rejected: Option<String>,
    },
    Repeated(Seq),
    Refused(Refusal),
    /// `None`: it was so already.
    MemberChanged(Option<Seq>),
    MemberRefused(MemberRefusal),
    /// No such book for this person.
    Denied,
    /// The disk refused; nothing was done.
    Unavailable,
}
