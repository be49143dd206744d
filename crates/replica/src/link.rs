//! The line to the server: down, coming up, or live.

use crate::Monotonic;

/// How long a server may take to answer a hello before the line counts as dead.
pub(crate) const WELCOME_WITHIN_MS: u64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// No socket; the next attempt is due then. `None`: not before the person signs in again.
    Down { retry_at: Option<Monotonic> },
    /// The driver was asked to open one.
    Connecting,
    /// Hello is sent; welcome must come before the deadline.
    Greeting { deadline: Monotonic },
    /// Welcome came.
    Live,
}
