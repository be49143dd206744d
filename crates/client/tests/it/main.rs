//! The store and the driver without a server.

mod reached;
mod store;
