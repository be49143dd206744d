//! Active books: one actor per book, the ring its readers read from, and the one way to get hold of them.

mod actor;
mod bell;
mod handle;
mod herald;
mod lane;
mod load;
mod presence;
mod registry;
mod ring;

pub(crate) use actor::append_of;
pub(crate) use bell::Bell;
pub(crate) use handle::{
    Answer, BookHandle, Committed, InviteUse, Membership, MembershipRefused, PurgeBy, Purged, RestWrite, RestWritten,
    Unavailable, WriteAnswer, WriteResult, entries_after, entries_of, refuse_all,
};
pub(crate) use lane::{Delivered, Lane};
pub(crate) use load::{SNAPSHOT_BYTES_MAX, snapshot_of};
pub use load::{check_snapshot, pack_snapshot, read_snapshot};
pub(crate) use presence::SocketNumber;
pub(crate) use registry::{Access, Books, Denied, ReadError};
pub(crate) use ring::{Reader, Reading};
