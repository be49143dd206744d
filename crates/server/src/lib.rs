//! The Tidebook server: accounts, books, sockets, and the app's files; and what is done with its data folder from beside it.

mod config;
mod serve;

mod extract;
mod headers;
mod origin;
mod page;
mod problem;
mod rate_limit;

mod accounts;
mod password;
mod session;

mod book;
mod books;
mod feed;
mod openapi;
mod socket;

#[doc(hidden)]
pub mod websocket;

mod app_files;
mod health;
mod measure;
mod upkeep;

pub mod data_folder;

mod clock;
mod random;

/// For the fuzzer alone.
#[doc(hidden)]
pub use book::{check_snapshot, pack_snapshot, read_snapshot};
pub use config::{Config, ConfigError, Signup};
pub use serve::{ServeError, Server};
