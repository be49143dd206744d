//! A change that did not apply because its field had moved on since its base; kept until a person decides.

use serde::{Deserialize, Serialize};
use tidebook_book::{Draft, HashedId, ReplicaId, Seq, UnixMillis, UserId, read_by_name, read_variant_by_name};

use crate::{ConflictId, Field, FieldSet, RecordRef};

/// What met what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Two edits of one field group.
    EditEdit,
    /// Edited, and the late one deletes.
    EditDelete,
    /// Deleted, and the late one edits.
    DeleteEdit,
}

read_variant_by_name!(ConflictKind {
    "edit_edit" => EditEdit, "edit_delete" => EditDelete, "delete_edit" => DeleteEdit
});

/// What stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub set: FieldSet,
    pub by: UserId,
    /// Of the entry that made it stand.
    pub seq: Seq,
}

read_by_name!(Standing { set, by, seq });

/// What was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offered {
    pub set: FieldSet,
    pub by: UserId,
    pub made_at: UnixMillis,
}

read_by_name!(Offered { set, by, made_at });

/// Both sides of a conflict, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    pub id: ConflictId,
    pub record: RecordRef,
    pub kind: ConflictKind,
    pub standing: Standing,
    pub offered: Offered,
}

read_by_name!(Conflict { id, record, kind, standing, offered });

/// A conflict nobody has decided yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat")]
pub struct OpenConflict {
    #[serde(flatten)]
    pub conflict: Conflict,
    /// Whose next offer takes this one's place.
    pub replica: ReplicaId,
    /// Of the entry that raised it.
    pub seq: Seq,
    /// Which change of that entry: with `seq`, the order they were raised in.
    pub index: usize,
}

/// An open conflict member by member: serde reads what is flattened twice, with code of its own.
struct Flat {
    id: ConflictId,
    record: RecordRef,
    kind: ConflictKind,
    standing: Standing,
    offered: Offered,
    replica: ReplicaId,
    seq: Seq,
    index: usize,
}

read_by_name!(Flat { id, record, kind, standing, offered, replica, seq, index });

impl From<Flat> for OpenConflict {
    fn from(flat: Flat) -> Self {
        let Flat { id, record, kind, standing, offered, replica, seq, index } = flat;
        Self { conflict: Conflict { id, record, kind, standing, offered }, replica, seq, index }
    }
}

const CONFLICT_DOMAIN: &str = "tidebook conflict v1";

/// The id of what op `draft.index` of a mutation raises: a version 8 UUID of the first 16 bytes of BLAKE3 over the
/// mutation's id, the op's index (`u64`, little-endian) and the group's name, each behind its length in bytes.
pub(crate) fn conflict_id(draft: &Draft, group: &str) -> ConflictId {
    let op = u64::try_from(draft.index).expect("an index fits 64 bits");
    let hashed = HashedId::new(CONFLICT_DOMAIN).field(draft.mutation.0.as_bytes()).field(&op.to_le_bytes());
    ConflictId(hashed.field(group.as_bytes()).id())
}

impl OpenConflict {
    /// The group it is about, where it is about one.
    pub(crate) fn group(&self) -> Option<Field> {
        let Conflict { kind, record, offered, .. } = &self.conflict;
        let (first, _) = offered.set.iter().next()?;
        (*kind == ConflictKind::EditEdit).then(|| first.group(record.kind()))
    }
}
