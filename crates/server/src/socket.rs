//! The socket at `/ws`: the handshake, and what follows by subprotocol.

mod connection;
mod feed;
mod handshake;
mod opening;
mod outside;
mod sign_in;

pub(crate) use connection::drained;
pub(crate) use handshake::{SocketParts, router};
pub(crate) use sign_in::{SessionsEnded, SignIn};
