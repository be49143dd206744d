//! What follows from an op, or why nothing does.

use tidebook_book::{Draft, Rejected};

use crate::text::{TextKind, fault};
use crate::{AMOUNT_MAX, Checked, ContactId, GROSS_MAX, LedgerChange, LedgerOp, LedgerState};

type Decision = Result<Vec<LedgerChange>, Rejected>;

pub(crate) fn decide(state: &LedgerState, op: &LedgerOp, _draft: &Draft) -> Decision {
    match op.clone() {
        LedgerOp::CreateContact { id, name, username, phone, email, note } => {
            if state.contact(id).is_some() {
                return Err(rejected("id_taken", "a contact of this id is there already"));
            }
            check_text("name", TextKind::Name, Some(&name))?;
            check_text("username", TextKind::Detail, username.as_deref())?;
            check_text("phone", TextKind::Detail, phone.as_deref())?;
            check_text("email", TextKind::Detail, email.as_deref())?;
            check_text("note", TextKind::Note, note.as_deref())?;
            Ok(vec![LedgerChange::ContactCreated { id, name, username, phone, email, note }])
        }
        LedgerOp::CreateTransaction { id, contact, direction, amount, currency, date, note, due } => {
            if state.transaction(id).is_some() {
                return Err(rejected("id_taken", "a transaction of this id is there already"));
            }
            check_contact(state, contact)?;
            let direction = valid("direction", direction, "must be `gave` or `got`")?;
            let amount = check_amount(amount)?;
            let currency = valid("currency", currency, "must be an ISO 4217 code such as EUR")?;
            let date = valid("date", date, "must be a day as YYYY-MM-DD")?;
            let due = due.map(|due| valid("due", due, "must be a day as YYYY-MM-DD")).transpose()?;
            check_text("note", TextKind::Note, note.as_deref())?;
            if state.gross(currency) + amount > GROSS_MAX {
                return Err(rejected(
                    "total_too_large",
                    "the amounts of this currency add up to more than a book holds",
                ));
            }
            let change = LedgerChange::TransactionCreated { id, contact, direction, amount, currency, date, note, due };
            Ok(vec![change])
        }
    }
}

fn check_contact(state: &LedgerState, id: ContactId) -> Result<(), Rejected> {
    match state.contact(id) {
        Some(_) => Ok(()),
        None => Err(rejected("unknown_contact", "there is no contact of this id")),
    }
}

fn check_amount(amount: i64) -> Result<u64, Rejected> {
    let in_range = u64::try_from(amount).ok().filter(|amount| (1..=AMOUNT_MAX).contains(amount));
    in_range.ok_or_else(|| invalid("amount", format!("must be from 1 to {AMOUNT_MAX} minor units")))
}

fn check_text(field: &str, kind: TextKind, text: Option<&str>) -> Result<(), Rejected> {
    match text.and_then(|text| fault(kind, text)) {
        Some(fault) => Err(invalid(field, fault)),
        None => Ok(()),
    }
}

fn valid<T>(field: &str, value: Checked<T>, rule: &str) -> Result<T, Rejected> {
    match value {
        Checked::Valid(value) => Ok(value),
        Checked::Wrong(_) => Err(invalid(field, rule.to_owned())),
    }
}

fn rejected(code: &str, detail: &str) -> Rejected {
    Rejected { code: code.into(), detail: detail.into(), op: 0, field: None }
}

fn invalid(field: &str, detail: String) -> Rejected {
    Rejected { code: "invalid_field".into(), detail: format!("{field} {detail}"), op: 0, field: Some(field.into()) }
}
