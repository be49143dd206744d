//! The bounds of the wire, in bytes as encoded.

/// The largest frame a replica may send: two mutations of the largest size, or one and its envelope.
pub const FRAME_UP_BYTES_MAX: usize = 256 * 1024;

/// The largest frame a server sends: two entries of the largest size.
pub const FRAME_DOWN_BYTES_MAX: usize = 1024 * 1024;

/// How much goes into a frame either way, unless one mutation or entry alone is more. A frame counts only as a whole: this
/// much is there within 10 s on a line of 55 kbit/s.
pub const FRAME_BYTES: usize = 64 * 1024;

/// The largest mutation: what a person asks for at once. Imports are cut to fit.
pub const MUTATION_BYTES_MAX: usize = 128 * 1024;

/// The most ops in a mutation, so that one decision stays short.
pub const MUTATION_OPS_MAX: usize = 1000;

/// The largest entry: a mutation's changes carry what they replace, so they may be longer than it.
pub const ENTRY_BYTES_MAX: usize = 512 * 1024;
