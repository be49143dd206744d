//! What a person can ask a ledger for.

use serde::{Deserialize, Serialize};

use crate::{Checked, CivilDate, ContactId, Currency, Direction, TransactionId};

/// An op, as it crosses the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum LedgerOp {
    CreateContact {
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
    CreateTransaction {
        id: TransactionId,
        contact: ContactId,
        direction: Checked<Direction>,
        /// Minor units, 1 to [`crate::AMOUNT_MAX`].
        amount: i64,
        currency: Checked<Currency>,
        date: Checked<CivilDate>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Checked<CivilDate>>,
    },
}

/// The ops of [`LedgerOp`] by their names on the wire.
pub(crate) const OP_NAMES: &[&str] = &["create_contact", "create_transaction"];

impl LedgerOp {
    /// A contact with nothing but a name.
    #[must_use]
    pub fn create_contact(id: ContactId, name: impl Into<String>) -> Self {
        Self::CreateContact { id, name: name.into(), username: None, phone: None, email: None, note: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ops_read_as_the_wire_writes_them() {
        let id = "0199d4c2-5b1e-7c3a-8f00-0123456789ab";
        let contact = format!(r#"{{"op":"create_contact","id":"{id}","name":"Ana"}}"#);
        let transaction = format!(
            r#"{{"op":"create_transaction","id":"{id}","contact":"{id}","direction":"gave","amount":2050,"currency":"EUR","date":"2026-11-22","due":"2026-12-01"}}"#
        );
        for text in [contact, transaction] {
            let op: LedgerOp = serde_json::from_str(&text).expect(&text);
            assert_eq!(serde_json::to_string(&op).expect("serialises"), text);
        }
    }

    #[test]
    fn every_op_is_named() {
        let id = ContactId(uuid::Uuid::nil());
        let value = serde_json::to_value(LedgerOp::create_contact(id, "Ana")).expect("serialises");
        assert_eq!(value["op"], OP_NAMES[0]);
    }
}
