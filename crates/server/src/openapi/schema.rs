//! Shapes that the document names and that no type of this crate has: records, entries and problems come from the log,
//! which has its own encoding.
#![expect(dead_code, reason = "these are read by the document alone")]

use std::collections::BTreeMap;

use utoipa::ToSchema;
use uuid::Uuid;

/// RFC 9457, with a stable `code` for programs.
#[derive(ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemSchema {
    #[schema(example = "about:blank")]
    r#type: String,
    title: String,
    status: u16,
    code: String,
    detail: String,
    /// Where a field is at fault.
    field: Option<String>,
}

/// A write of which a part, or all, was kept aside; what applied is committed.
#[derive(ToSchema)]
#[schema(as = Conflict)]
pub(crate) struct ConflictSchema {
    r#type: String,
    title: String,
    status: u16,
    /// `conflict`; other codes come without the members below.
    code: String,
    detail: String,
    /// Ids of the conflicts, for `resolve_conflict`.
    conflicts: Option<Vec<Uuid>>,
    /// Of the entry.
    seq: Option<u64>,
    /// The record as it stands.
    record: Option<serde_json::Value>,
}

#[derive(ToSchema)]
#[schema(as = Role, rename_all = "lowercase")]
pub(crate) enum RoleSchema {
    Owner,
    Editor,
    Viewer,
}

#[derive(ToSchema)]
pub(crate) struct FactsSchema {
    name: String,
    #[schema(example = "EUR")]
    currency: String,
}

#[derive(ToSchema)]
#[schema(as = Contact)]
pub(crate) struct ContactSchema {
    id: Uuid,
    name: String,
    username: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    note: Option<String>,
    /// In the book's own currency.
    balance: i64,
    /// By currency, without zeros.
    balances: BTreeMap<String, i64>,
    deleted: bool,
    /// Of its last change.
    seq: u64,
}

#[derive(ToSchema)]
#[schema(as = NewContact)]
pub(crate) struct NewContactSchema {
    id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[schema(max_length = 320)]
    username: Option<String>,
    #[schema(max_length = 320)]
    phone: Option<String>,
    #[schema(max_length = 320)]
    email: Option<String>,
    #[schema(max_length = 4000)]
    note: Option<String>,
}

/// What changes; `null` clears an optional field.
#[derive(ToSchema)]
#[schema(as = ContactSet)]
pub(crate) struct ContactSetSchema {
    #[schema(nullable = false)]
    name: Option<String>,
    username: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    note: Option<String>,
}

#[derive(ToSchema)]
#[schema(as = Direction, rename_all = "lowercase")]
pub(crate) enum DirectionSchema {
    Gave,
    Got,
}

#[derive(ToSchema)]
#[schema(as = Transaction)]
pub(crate) struct TransactionSchema {
    id: Uuid,
    contact: Uuid,
    direction: DirectionSchema,
    /// Minor units.
    amount: u64,
    currency: String,
    date: String,
    note: Option<String>,
    due: Option<String>,
    deleted: bool,
    seq: u64,
    contact_balances: BTreeMap<String, i64>,
}

#[derive(ToSchema)]
#[schema(as = NewTransaction)]
pub(crate) struct NewTransactionSchema {
    id: Option<Uuid>,
    contact: Uuid,
    direction: DirectionSchema,
    #[schema(minimum = 1, maximum = 1_000_000_000_000_000_u64)]
    amount: u64,
    #[schema(example = "EUR")]
    currency: String,
    #[schema(example = "2026-11-22")]
    date: String,
    note: Option<String>,
    due: Option<String>,
}

/// What changes; `null` clears an optional field.
#[derive(ToSchema)]
#[schema(as = TransactionSet)]
pub(crate) struct TransactionSetSchema {
    #[schema(nullable = false)]
    contact: Option<Uuid>,
    #[schema(nullable = false)]
    direction: Option<DirectionSchema>,
    #[schema(nullable = false)]
    amount: Option<u64>,
    #[schema(nullable = false)]
    currency: Option<String>,
    #[schema(nullable = false)]
    date: Option<String>,
    note: Option<String>,
    due: Option<String>,
}

#[derive(ToSchema)]
#[schema(as = Mutation)]
pub(crate) struct MutationSchema {
    id: Uuid,
    n: u64,
    made_at: i64,
    base: u64,
    ops: Vec<serde_json::Value>,
    undoes: Option<u64>,
}

#[derive(ToSchema)]
#[schema(as = Entry)]
pub(crate) struct EntrySchema {
    seq: u64,
    at: i64,
    by: Uuid,
    replica: Uuid,
    n: u64,
    id: Uuid,
    made_at: i64,
    undoes: Option<u64>,
    rejected: Option<serde_json::Value>,
    changes: Vec<serde_json::Value>,
}

#[derive(ToSchema)]
#[schema(as = Entries)]
pub(crate) struct EntriesSchema {
    entries: Vec<EntrySchema>,
    head: u64,
}

#[derive(ToSchema)]
#[schema(as = Pushed)]
pub(crate) struct PushedSchema {
    entries: Vec<EntrySchema>,
    refused: Vec<serde_json::Value>,
}

#[derive(ToSchema)]
#[schema(as = Snapshot)]
pub(crate) struct SnapshotSchema {
    book: Uuid,
    epoch: Uuid,
    seq: u64,
    hash: String,
    state_version: u32,
    state_hash: String,
    replicas: BTreeMap<String, u64>,
    people: Vec<serde_json::Value>,
    state: serde_json::Value,
}
