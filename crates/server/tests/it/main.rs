//! The server over real sockets, spoken to by hand as `protocol.md` has it.

mod dice;
mod person;
mod raw;
mod says;
mod server;

mod handshake;
mod hello;

mod garbage;
mod malformed;

mod books;
mod strangers;

mod chain;
mod push;
mod rejection;
mod snapshot;
mod subscribe;

mod ending;
mod fan_out;
mod feed;
