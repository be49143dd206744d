//! New records.

use tidebook_book::{Draft, Rejected};
use uuid::Uuid;

use super::Decision;
use super::check::{
    CURRENCY_RULE, DATE_RULE, DIRECTION_RULE, check_amount, check_contact, check_gross, check_text, rejected, valid,
};
use crate::text::TextKind;
use crate::{ContactId, LedgerChange, LedgerOp, LedgerState, TransactionId};

pub(super) fn decide(state: &LedgerState, op: LedgerOp, draft: &Draft) -> Decision {
    match op {
        LedgerOp::CreateContact { id, name, username, phone, email, note } => {
            check_id(state, id.0)?;
            check_text("name", TextKind::Name, Some(&name))?;
            check_text("username", TextKind::Detail, username.as_deref())?;
            check_text("phone", TextKind::Detail, phone.as_deref())?;
            check_text("email", TextKind::Detail, email.as_deref())?;
            check_text("note", TextKind::Note, note.as_deref())?;
            Ok(vec![LedgerChange::ContactCreated { id, name, username, phone, email, note }])
        }
        LedgerOp::CreateTransaction { id, contact, direction, amount, currency, date, note, due } => {
            check_id(state, id.0)?;
            let restored = check_contact(state, contact, draft)?.map(|id| LedgerChange::ContactRestored { id });
            let direction = valid("direction", direction, DIRECTION_RULE)?;
            let amount = check_amount(amount)?;
            let currency = valid("currency", currency, CURRENCY_RULE)?;
            let date = valid("date", date, DATE_RULE)?;
            let due = due.map(|due| valid("due", due, DATE_RULE)).transpose()?;
            check_text("note", TextKind::Note, note.as_deref())?;
            check_gross(state.gross(currency), 0, amount)?;
            let created =
                LedgerChange::TransactionCreated { id, contact, direction, amount, currency, date, note, due };
            Ok(restored.into_iter().chain([created]).collect())
        }
        _ => unreachable!("only ops that create are decided here"),
    }
}

/// Ids are unique within their book, whatever they name.
fn check_id(state: &LedgerState, id: Uuid) -> Result<(), Rejected> {
    if state.contact(ContactId(id)).is_none() && state.transaction(TransactionId(id)).is_none() {
        return Ok(());
    }
    Err(rejected("id_taken", "a record of this id is there already"))
}
