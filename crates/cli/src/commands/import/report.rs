//! What an import would do, or did.

use anyhow::Result;
use serde_json::{Value, json};
use tidebook_book::BookId;
use tidebook_ledger::import::Plan;
use uuid::Uuid;

use crate::exit::{Form, answer};
use crate::say::{count, one_line, short, signed};

/// `done`: the import's id and how many records it wrote; nothing where it wrote nothing on purpose.
pub(super) fn tell(form: Form, book: BookId, plan: &Plan, done: Option<(Uuid, usize)>) -> Result<()> {
    answer(form, &as_json(book, plan, done), || as_words(plan, done))
}

fn as_json(book: BookId, plan: &Plan, done: Option<(Uuid, usize)>) -> Value {
    let total = |total: &tidebook_ledger::import::Total| json!({"currency": total.currency, "planned": total.planned, "source": total.source});
    let skipped: Vec<Value> =
        plan.skipped.iter().map(|(reason, rows)| json!({"why": reason.to_string(), "rows": rows})).collect();
    let mut report = json!({
        "book": book,
        "contacts": plan.contacts.len(),
        "transactions": plan.transactions.len(),
        "rows_skipped": plan.rows_skipped(),
        "skipped": skipped,
        "doubts": plan.doubts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "totals": plan.totals.iter().map(total).collect::<Vec<_>>(),
    });
    if let Some((id, written)) = done {
        report["written"] = written.into();
        report["import"] = id.to_string().into();
    }
    report
}

fn as_words(plan: &Plan, done: Option<(Uuid, usize)>) -> Vec<String> {
    let (people, transactions) = (plan.contacts.len(), plan.transactions.len());
    let people = count(people, "person", "people");
    let mut lines = vec![format!("{people}, {}", count(transactions, "transaction", "transactions"))];
    lines.extend(
        plan.skipped.iter().map(|(reason, rows)| format!("{} left out: {reason}", count(*rows, "row", "rows"))),
    );
    lines.extend(plan.doubts.iter().map(|doubt| one_line(&doubt.to_string())));
    for total in &plan.totals {
        let agrees = match total.source {
            Some(source) if source == total.planned => "as in the file".to_owned(),
            Some(source) => format!("the file says {}", signed(source, total.currency)),
            None => "the file gives no total".to_owned(),
        };
        lines.push(format!("{}, {agrees}", signed(total.planned, total.currency)));
    }
    lines.push(match done {
        Some((_, 0)) => "Nothing was new: the book has all of it already.".into(),
        Some((id, written)) => {
            let id = short(id);
            format!(
                "Wrote {}. `tidebook import --undo {id}` takes all of it back.",
                count(written, "record", "records")
            )
        }
        None => "Nothing was written.".into(),
    });
    lines
}
