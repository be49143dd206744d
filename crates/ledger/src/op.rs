//! What a person can ask a ledger for.

mod read;

use serde::Serialize;

use crate::{Checked, CivilDate, ConflictId, ContactId, Currency, Direction, FieldSet, TransactionId};

/// An op, as it crosses the wire.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    UpdateContact {
        id: ContactId,
        set: FieldSet,
    },
    DeleteContact {
        id: ContactId,
    },
    RestoreContact {
        id: ContactId,
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
    UpdateTransaction {
        id: TransactionId,
        set: FieldSet,
    },
    DeleteTransaction {
        id: TransactionId,
    },
    RestoreTransaction {
        id: TransactionId,
    },
    ResolveConflict {
        id: ConflictId,
        /// Whether the value kept aside now takes effect.
        apply: bool,
    },
    UpdateBook {
        set: FieldSet,
    },
}

/// The ops of [`LedgerOp`] by their names on the wire.
pub(crate) const OP_NAMES: &[&str] = &[
    "create_contact",
    "update_contact",
    "delete_contact",
    "restore_contact",
    "create_transaction",
    "update_transaction",
    "delete_transaction",
    "restore_transaction",
    "resolve_conflict",
    "update_book",
];

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

    const ID: &str = "0199d4c2-5b1e-7c3a-8f00-0123456789ab";

    #[test]
    fn every_op_reads_as_the_wire_writes_it() {
        let bodies = [
            r#""id":ID,"name":"Ana""#,
            r#""id":ID,"set":{"name":"Anna","note":null}"#,
            r#""id":ID"#,
            r#""id":ID"#,
            r#""id":ID,"contact":ID,"direction":"gave","amount":2050,"currency":"EUR","date":"2026-11-22","due":"2026-12-01""#,
            r#""id":ID,"set":{"contact":ID,"direction":"got","amount":-1,"due":null}"#,
            r#""id":ID"#,
            r#""id":ID"#,
            r#""id":ID,"apply":true"#,
            r#""set":{"name":"Flat","currency":"euros"}"#,
        ];
        for (name, body) in OP_NAMES.iter().zip(bodies) {
            let text = format!("{{\"op\":\"{name}\",{}}}", body.replace("ID", &format!("\"{ID}\"")));
            let op: LedgerOp = serde_json::from_str(&text).expect(&text);
            assert_eq!(serde_json::to_string(&op).expect("serialises"), text);
        }
    }

    #[test]
    fn what_an_op_has_no_use_for_does_no_harm_and_what_it_needs_must_be_right() {
        let read = |text: &str| serde_json::from_str::<LedgerOp>(&text.replace("ID", ID));
        let fine =
            r#"{"amount":[1],"apply":true,"id":"ID","set":{},"name":"Ana","type":7,"op":"create_contact","due":1.5}"#;
        assert_eq!(read(fine).expect("fine"), LedgerOp::create_contact(ContactId(ID.parse().expect("an id")), "Ana"));
        let book = read(r#"{"op":"update_book","id":7,"apply":{},"set":{}}"#);
        assert_eq!(book.expect("fine"), LedgerOp::UpdateBook { set: FieldSet::default() });
        for wrong in [
            r#"{"op":"resolve_conflict","id":"ID","apply":"true"}"#,
            r#"{"op":"delete_contact","id":"0199D4C2-5B1E-7C3A-8F00-0123456789AB"}"#,
            r#"{"op":"create_contact","id":"ID"}"#,
            r#"{"op":"create_contact","id":"ID","name":null}"#,
            r#"{"op":"create_contact","id":"ID","name":"Ana","note":[]}"#,
            r#"{"op":"create_contact","id":7,"name":"Ana"}"#,
            r#"{"op":"create_contact","name":"Ana"}"#,
            r#"{"op":"delete_contact"}"#,
            r#"{"op":"resolve_conflict","id":"ID"}"#,
            r#"{"op":"update_book"}"#,
            r#"{"op":"fold","id":"ID"}"#,
            r#"{"id":"ID"}"#,
            "[]",
            "7",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_set_passes_over_what_it_does_not_know_and_refuses_what_no_field_holds() {
        let read = |set: &str| {
            let text = format!(r#"{{"op":"update_contact","id":"{ID}","set":{set}}}"#);
            serde_json::from_str::<LedgerOp>(&text)
                .map(|op| serde_json::to_value(op).expect("serialises")["set"].to_string())
        };
        assert_eq!(read(r#"{"nick":[1],"name":"A","id":"x"}"#).ok().as_deref(), Some(r#"{"name":"A"}"#));
        for wrong in
            [r#"{"name":["A"]}"#, r#"{"name":{}}"#, r#"{"amount":1.5}"#, r#"{"amount":1e30}"#, "[]", "7", "null"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
