//! Where a server keeps its books: an append-only log per book, what goes with it (members, invites, snapshots, answers
//! given), and the accounts and sessions around all of them.
//!
//! A write that has been answered is on disk. Writes of all books go through one writer, which commits together whatever
//! gathered while the last commit ran; each of them is done or refused as a whole, and none harms its neighbours.
//! Reads run beside it on connections of their own.
//!
//! A store is one file. [`back_up`] copies it while its server goes on, [`Restoring`] puts such a copy where a server will
//! find it, and a [`StoreFile`] is looked at by a program that is not its server.
//!
//! The store knows nothing of what an entry or a snapshot says: it holds bytes, their place in the log and the hash chain
//! over the entries.
//! It also never asks a clock.

mod error;
mod rows;
mod store;

mod sqlite;

pub use error::{CopyError, OpenError, StoreError};
pub use rows::{
    AccountCreated, AccountRow, AnswerRow, Append, BookRow, Created, EntryLimit, FormerEpoch, INVITES_PER_BOOK_MAX,
    InviteCreated, InviteRow, LogRow, MemberRow, MembershipRow, NewAccount, NewAnswer, NewBook, NewEntry, NewInvite,
    NewSession, Place, ReplicaRow, SessionRow,
};
pub use sqlite::{BackedUp, Restoring, Sessions, StoreFile, View, back_up};
pub use store::{AppendOne, Store};
