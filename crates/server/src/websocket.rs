//! A WebSocket of our own (RFC 6455, the server's half): nothing is kept of an idle connection but a few numbers, and
//! what many connections are sent is framed once, in one buffer that all of them write from.
//!
//! Public for `examples/echo.rs`, which `cargo xtask prove websocket` attacks, and for the fuzzer alone.

pub mod frames;
mod outlet;
mod upgrade;
mod wire;

pub(crate) use outlet::{Outlet, Written};
pub use upgrade::{Refused, Upgrade};
pub use wire::{Incoming, Wire};
