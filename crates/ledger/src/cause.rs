//! Why something was rejected that is right in itself: the record it is about would be there, had another mutation not been
//! rejected.

use tidebook_book::Rejected;

use crate::domain::contact_in;
use crate::{LedgerOp, RecordRef};

/// Which of these other rejected mutations would have made what one was rejected for the lack of: its place among them.
pub fn cause_of<'a>(
    rejected: &Rejected,
    ops: &[LedgerOp],
    others: impl IntoIterator<Item = &'a [LedgerOp]>,
) -> Option<usize> {
    let lacking = ops.get(rejected.op)?.lacking(&rejected.code)?;
    others.into_iter().position(|ops| ops.iter().any(|op| op.creates() == Some(lacking)))
}

impl LedgerOp {
    fn creates(&self) -> Option<RecordRef> {
        match self {
            Self::CreateContact { id, .. } => Some(RecordRef::Contact(*id)),
            Self::CreateTransaction { id, .. } => Some(RecordRef::Transaction(*id)),
            _ => None,
        }
    }

    /// What there is none of, by the code of a rejection.
    fn lacking(&self, code: &str) -> Option<RecordRef> {
        match (code, self) {
            ("unknown_contact", Self::CreateTransaction { contact, .. }) => Some(RecordRef::Contact(*contact)),
            ("unknown_contact", Self::UpdateTransaction { set, .. }) => contact_in(set).map(RecordRef::Contact),
            (
                "unknown_contact",
                Self::UpdateContact { id, .. } | Self::DeleteContact { id } | Self::RestoreContact { id },
            ) => Some(RecordRef::Contact(*id)),
            (
                "unknown_transaction",
                Self::UpdateTransaction { id, .. } | Self::DeleteTransaction { id } | Self::RestoreTransaction { id },
            ) => Some(RecordRef::Transaction(*id)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANA: &str = "0199d4c2-5b1e-7c3a-8f00-0000000000a1";
    const TAXI: &str = "0199d4c2-5b1e-7c3a-8f00-0000000000b1";
    const OTHER: &str = "0199d4c2-5b1e-7c3a-8f00-0000000000c1";

    fn ops(value: serde_json::Value) -> Vec<LedgerOp> {
        serde_json::from_value(value).expect("ops")
    }

    #[test]
    fn what_lacks_a_record_names_the_mutation_that_would_have_made_it() {
        let taxi = json!({"op": "create_transaction", "id": TAXI, "contact": ANA, "direction": "gave", "amount": 1,
            "currency": "EUR", "date": "2026-11-22"});
        let others = [
            ops(json!([{"op": "create_contact", "id": OTHER, "name": "Jun"}])),
            ops(json!([{"op": "update_book", "set": {}}, {"op": "create_contact", "id": ANA, "name": "Ana"}])),
            ops(json!([taxi])),
        ];
        let cases = [
            ("unknown_contact", taxi.clone(), Some(1)),
            ("unknown_contact", json!({"op": "update_transaction", "id": TAXI, "set": {"contact": ANA}}), Some(1)),
            ("unknown_contact", json!({"op": "update_contact", "id": ANA, "set": {}}), Some(1)),
            ("unknown_contact", json!({"op": "delete_contact", "id": ANA}), Some(1)),
            ("unknown_contact", json!({"op": "restore_contact", "id": OTHER}), Some(0)),
            ("unknown_contact", json!({"op": "delete_contact", "id": TAXI}), None),
            ("unknown_transaction", json!({"op": "update_transaction", "id": TAXI, "set": {"contact": ANA}}), Some(2)),
            ("unknown_transaction", json!({"op": "delete_transaction", "id": TAXI}), Some(2)),
            ("unknown_transaction", json!({"op": "restore_transaction", "id": TAXI}), Some(2)),
            ("total_too_large", taxi, None),
        ];
        for (code, op, cause) in cases {
            let rejected = Rejected { code: code.into(), detail: String::new(), op: 1, field: None };
            let first = json!({"op": "update_book", "set": {}});
            let found = cause_of(&rejected, &ops(json!([first, op])), others.iter().map(Vec::as_slice));
            assert_eq!(found, cause, "{code} {op}");
        }
        let beyond = Rejected { code: "unknown_contact".into(), detail: String::new(), op: 7, field: None };
        assert_eq!(cause_of(&beyond, &[], []), None);
    }
}
