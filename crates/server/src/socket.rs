//! The socket at `/ws`: the handshake, and what follows by subprotocol.

mod connection;
mod feed;
mod handshake;
mod session;
mod sign_in;
mod wire;

pub(crate) use handshake::{SocketParts, router};
