//! The wire of `tidebook.sync.v1`: messages up and down, and how they are written and read.
//!
//! Messages are decoded in two passes, first the type and then what it says, and what is inside a mutation or an entry
//! stays raw here: the log stores and hashes exact bytes.

mod down;
mod limits;
mod refusal;
mod up;

pub use down::{
    Down, DownError, ENTRIES_ENVELOPE_BYTES, Entries, Limits, PeerPresence, People, Presence, RefusedIn, RoleNow,
    SnapshotRequired, Subscribed, Welcome, WelcomeUser, entries_frame, fates_frame,
};
pub use limits::{
    ENTRY_BYTES_MAX, FRAME_BYTES, FRAME_DOWN_BYTES_MAX, FRAME_UP_BYTES_MAX, MUTATION_BYTES_MAX, MUTATION_OPS_MAX,
};
pub use refusal::{Refusal, Refused};
pub use up::{Hello, PresenceUp, Push, RawMutation, Subscribe, Up, UpError};

/// The version this crate speaks.
pub const PROTOCOL: u32 = 1;

/// The WebSocket subprotocol of replicas.
pub const SYNC_SUBPROTOCOL: &str = "tidebook.sync.v1";

/// The WebSocket subprotocol for following a book with any tool.
pub const FEED_SUBPROTOCOL: &str = "tidebook.feed.v1";

/// WebSocket close codes, so that a program knows what to do next.
pub mod close {
    pub const NORMAL: u16 = 1000;
    pub const RESTART: u16 = 1012;
    /// Not even an envelope.
    pub const MALFORMED: u16 = 4400;
    /// Unauthenticated, or the session ended.
    pub const UNAUTHENTICATED: u16 = 4401;
    /// Wrong origin, or forbidden.
    pub const FORBIDDEN: u16 = 4403;
    /// Too slow to say hello, or to read.
    pub const TOO_SLOW: u16 = 4408;
    pub const TOO_LARGE: u16 = 4413;
}
