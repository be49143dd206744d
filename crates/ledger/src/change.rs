//! The facts in a ledger's log, by the names the feed gives them.

use serde::{Deserialize, Serialize};

use crate::{CivilDate, ContactId, Currency, Direction, TransactionId};

/// A change, as it stands in an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LedgerChange {
    BookCreated {
        name: String,
        currency: Currency,
    },
    ContactCreated {
        id: ContactId,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    TransactionCreated {
        id: TransactionId,
        contact: ContactId,
        direction: Direction,
        amount: u64,
        currency: Currency,
        date: CivilDate,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<CivilDate>,
    },
}
