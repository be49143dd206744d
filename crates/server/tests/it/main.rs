//! The server over real sockets, spoken to by hand as `protocol.md` has it.

mod dice;
mod line;
mod person;
mod raw;
mod says;
mod server;
mod stage;
mod stream;

mod frames;
mod handshake;
mod hello;

mod garbage;
mod malformed;
mod metrics;
mod openapi;
mod presence;

mod books;
mod strangers;

mod chain;
mod push;
mod rejection;
mod snapshot;
mod subscribe;

mod conflicts;
mod deletions;
mod fates;
mod ops;

mod invites;
mod members;
mod roles;

mod accounts;
mod archive;

mod record_keys;
mod record_lists;
mod record_writes;

mod far_behind;
mod loading;
mod same_state;

mod events;
mod feed_changes;

mod routes;
mod who_may;

mod ending;
mod fan_out;
mod feed;
