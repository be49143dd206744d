//! The facts in a ledger's log, by the names the feed gives them.

mod read;

use serde::Serialize;

use crate::{CivilDate, Conflict, ConflictId, ContactId, Currency, Direction, FieldSet, RecordRef, TransactionId};

/// A change, as it stands in an entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LedgerChange {
    BookCreated {
        name: String,
        currency: Currency,
    },
    BookUpdated {
        set: FieldSet,
        was: FieldSet,
    },
    ContactCreated {
        id: ContactId,
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        phone: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    ContactUpdated {
        id: ContactId,
        /// New values.
        set: FieldSet,
        /// The values replaced; a text too long to be carried along is left out.
        was: FieldSet,
    },
    ContactDeleted {
        id: ContactId,
    },
    ContactRestored {
        id: ContactId,
    },
    TransactionCreated {
        id: TransactionId,
        contact: ContactId,
        direction: Direction,
        amount: u64,
        currency: Currency,
        date: CivilDate,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        due: Option<CivilDate>,
    },
    TransactionUpdated {
        id: TransactionId,
        set: FieldSet,
        was: FieldSet,
    },
    TransactionDeleted {
        id: TransactionId,
    },
    TransactionRestored {
        id: TransactionId,
    },
    /// Also with the id of an open conflict, where only what stands has changed.
    ConflictRaised(Conflict),
    ConflictResolved {
        id: ConflictId,
        /// Whether the value that was set aside took effect.
        applied: bool,
        record: RecordRef,
    },
}

impl LedgerChange {
    pub(crate) fn updated(record: RecordRef, set: FieldSet, was: FieldSet) -> Self {
        match record {
            RecordRef::Book => Self::BookUpdated { set, was },
            RecordRef::Contact(id) => Self::ContactUpdated { id, set, was },
            RecordRef::Transaction(id) => Self::TransactionUpdated { id, set, was },
        }
    }

    pub(crate) fn restored(record: RecordRef) -> Option<Self> {
        match record {
            RecordRef::Book => None,
            RecordRef::Contact(id) => Some(Self::ContactRestored { id }),
            RecordRef::Transaction(id) => Some(Self::TransactionRestored { id }),
        }
    }

    pub(crate) fn deleted(record: RecordRef) -> Option<Self> {
        match record {
            RecordRef::Book => None,
            RecordRef::Contact(id) => Some(Self::ContactDeleted { id }),
            RecordRef::Transaction(id) => Some(Self::TransactionDeleted { id }),
        }
    }

    /// Its type on the wire and the feed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BookCreated { .. } => "book_created",
            Self::BookUpdated { .. } => "book_updated",
            Self::ContactCreated { .. } => "contact_created",
            Self::ContactUpdated { .. } => "contact_updated",
            Self::ContactDeleted { .. } => "contact_deleted",
            Self::ContactRestored { .. } => "contact_restored",
            Self::TransactionCreated { .. } => "transaction_created",
            Self::TransactionUpdated { .. } => "transaction_updated",
            Self::TransactionDeleted { .. } => "transaction_deleted",
            Self::TransactionRestored { .. } => "transaction_restored",
            Self::ConflictRaised(_) => "conflict_raised",
            Self::ConflictResolved { .. } => "conflict_resolved",
        }
    }

    /// The record it is about.
    #[must_use]
    pub fn record(&self) -> RecordRef {
        match self {
            Self::BookCreated { .. } | Self::BookUpdated { .. } => RecordRef::Book,
            Self::ContactCreated { id, .. }
            | Self::ContactUpdated { id, .. }
            | Self::ContactDeleted { id }
            | Self::ContactRestored { id } => RecordRef::Contact(*id),
            Self::TransactionCreated { id, .. }
            | Self::TransactionUpdated { id, .. }
            | Self::TransactionDeleted { id }
            | Self::TransactionRestored { id } => RecordRef::Transaction(*id),
            Self::ConflictRaised(conflict) => conflict.record,
            Self::ConflictResolved { record, .. } => *record,
        }
    }
}
