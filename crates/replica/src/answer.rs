//! What the server owes an answer to: a subscription, or a push.

use crate::Monotonic;

/// How long it may be without one before the line counts as dead. That a server still talks tells only that one direction
/// of its line works.
const ANSWER_WITHIN_MS: u64 = 15_000;

/// What the server owes for one book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing was asked, or the server will not take it now.
    NotDue,
    /// The question is in the frames to send.
    Asked,
    DueBy(Monotonic),
}

impl Answer {
    /// Something is about to be sent. What waits for an answer already keeps its deadline.
    pub(crate) fn handle_asked(&mut self) {
        if *self == Self::NotDue {
            *self = Self::Asked;
        }
    }

    /// Frames are on their way.
    pub(crate) fn handle_sent(&mut self, now: Monotonic) {
        if *self == Self::Asked {
            *self = Self::DueBy(now.plus_ms(ANSWER_WITHIN_MS));
        }
    }

    /// Part of it came, or all.
    pub(crate) fn handle_part(&mut self, now: Monotonic, is_more_due: bool) {
        if let Self::DueBy(at) = self {
            *at = now.plus_ms(ANSWER_WITHIN_MS);
            if !is_more_due {
                *self = Self::NotDue;
            }
        }
    }

    pub(crate) fn due_by(self) -> Option<Monotonic> {
        match self {
            Self::DueBy(at) => Some(at),
            Self::NotDue | Self::Asked => None,
        }
    }
}
