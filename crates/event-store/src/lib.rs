//! Where a server keeps its books: an append-only log per book, and the accounts and sessions around it.
//!
//! A write that has been answered is on disk. Writes of all books go through one writer, which commits together whatever
//! gathered while the last commit ran; each of them is done or refused as a whole, and none harms its neighbours.
//! Reads run beside it on connections of their own.
//!
//! The store knows nothing of what an entry says: it holds bytes, their place in the log and the hash chain over them.
//! It also never asks a clock.

mod error;
mod rows;
mod store;

mod sqlite;

pub use error::{OpenError, StoreError};
pub use rows::{
    AccountCreated, AccountRow, Append, BookRow, Created, EntryLimit, NewAccount, NewBook, NewEntry, NewSession, Place,
    ReplicaRow, SessionRow,
};
pub use store::Store;
