//! What every part of the engine agrees on: ids, sequence numbers, the entry envelope, the hash chain, the state
//! that wraps a domain's, and the [`Domain`] trait itself.
//!
//! Nothing here knows of money, of a clock, of a socket or of a file.

mod domain;
mod entry;
mod hash;
mod hashed_id;
mod id;
mod member;
mod mutation;
mod number;
mod read_by_name;
mod sorted_map;
mod state;

#[doc(hidden)]
pub mod __private {
    //! What [`id_newtypes`] and [`read_by_name`] expand to.
    pub use crate::read_by_name::{OneOf, deserialize_name, read_once, skip, there};
    pub fn serialize_uuid<S: serde::Serializer>(uuid: &uuid::Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        crate::id::serialize_uuid(uuid, serializer)
    }
    pub fn deserialize_uuid<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<uuid::Uuid, D::Error> {
        crate::id::deserialize_uuid(deserializer)
    }
}

pub use domain::{Author, Domain, Draft, Knows};
pub use entry::{BookChange, Change, EncodedEntry, Entry, MemberChange, Rejected};
pub use hash::{ChainHash, HashParseError};
pub use hashed_id::HashedId;
pub use id::{BookId, Epoch, IdParseError, MutationId, ReplicaId, UserId, parse_uuid};
pub use member::{Person, Role};
pub use mutation::Mutation;
pub use number::{MutationNumber, Seq, UnixMillis};
pub use sorted_map::SortedMap;
pub use state::{BookState, Decided, Snapshot, StateUndo};
