//! Drives a replica natively: HTTP for accounts and snapshots, a socket for everything else, and a SQLite file for what
//! outlives the program. Any number of programs may share one store.

mod api;
mod driver;
mod feed;
mod socket;
mod store;

pub use api::{Account, Api, ApiError, BookItem, Invite, Joined, LogPage, Member, Named, SignedIn};
pub use driver::{Driver, DriverError, Happened, Reached, new_replica, unix_now};
pub use feed::{Feed, FeedError};
pub use store::{Rows, Store, StoreError};
