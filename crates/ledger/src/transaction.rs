//! A transaction as it stands.

use serde::{Deserialize, Serialize};
use tidebook_book::Seq;

use crate::{CivilDate, ContactId, Created, Currency, Direction, TransactionId};

/// Money that went one way between the book's people and a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    pub id: TransactionId,
    pub contact: ContactId,
    pub direction: Direction,
    /// Minor units of `currency`.
    pub amount: u64,
    pub currency: Currency,
    pub date: CivilDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<CivilDate>,
    pub deleted: bool,
    /// Of its last change.
    pub seq: Seq,
    pub created: Created,
}

impl Transaction {
    /// What it adds to the contact's balance, if it counts.
    #[must_use]
    pub fn signed_amount(&self) -> i128 {
        self.direction.signed(self.amount)
    }
}
