//! Drives a replica natively: HTTP for accounts and snapshots, a socket for everything else.

mod api;
mod driver;
mod feed;
mod socket;

pub use api::{Api, ApiError, BookItem, SignedIn};
pub use driver::{Driver, DriverError, Happened};
pub use feed::{Feed, FeedError};
