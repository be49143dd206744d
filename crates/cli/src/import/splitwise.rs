//! `tidebook import splitwise`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tidebook_book::BookId;
use tidebook_client::Driver;
use tidebook_ledger::Currency;
use tidebook_ledger::import::{self, Plan, missing_ops, splitwise};

use super::upload::{CLIENT, Upload};
use crate::arguments::ImportSplitwise;
use crate::exit::{CHECKSUM_DIFFERS, note, print};
use crate::{book_name, connect};

pub(crate) async fn run(arguments: ImportSplitwise) -> Result<ExitCode> {
    let file = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file).with_context(|| format!("cannot read {file}"))?;
    let sheet = splitwise::read(&text).with_context(|| format!("{file}"))?;
    let api = connect::api(&arguments.target)?;
    let book = book_name::find(&api, &arguments.book).await?;
    let plan = splitwise::plan(&sheet, &arguments.me, book.id).with_context(|| format!("{file}"))?;
    if !plan.checksum_agrees() {
        report(&plan, book.id, None, arguments.json)?;
        note("tidebook: the file's own totals differ from the sum of its rows; nothing was written");
        return Ok(ExitCode::from(CHECKSUM_DIFFERS));
    }
    if arguments.dry_run {
        report(&plan, book.id, None, arguments.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let user = api.me().await?.id;
    let mut upload = Upload::open(Driver::new(api, user, CLIENT), book.id).await?;
    let ops = missing_ops(&plan, upload.view());
    let written = ops.len();
    upload.write(ops).await?;
    report(&plan, book.id, Some(written), arguments.json)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Report<'a> {
    book: BookId,
    contacts: usize,
    transactions: usize,
    rows_skipped: usize,
    /// Ops written; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<usize>,
    totals: Vec<Total<'a>>,
}

#[derive(Serialize)]
struct Total<'a> {
    currency: &'a str,
    planned: i128,
    source: Option<i128>,
}

fn report(plan: &Plan, book: BookId, written: Option<usize>, json: bool) -> Result<()> {
    let (contacts, transactions, rows_skipped) = (plan.contacts.len(), plan.transactions.len(), plan.rows_skipped());
    let total = |total: &'_ import::Total| (total.planned, total.source);
    if json {
        let totals = plan.totals.iter();
        let totals =
            totals.map(|t| Total { currency: t.currency.code(), planned: total(t).0, source: total(t).1 }).collect();
        let report = Report { book, contacts, transactions, rows_skipped, written, totals };
        return print(&serde_json::to_string(&report)?);
    }
    print(&format!("{contacts} people, {transactions} transactions; {rows_skipped} rows are between others"))?;
    for total in &plan.totals {
        let agrees = match total.source {
            Some(source) if source == total.planned => "as in the file".to_owned(),
            Some(source) => format!("the file says {}", decimal(source, total.currency)),
            None => "the file gives no total".to_owned(),
        };
        print(&format!("{} {}, {agrees}", total.currency, decimal(total.planned, total.currency)))?;
    }
    match written {
        Some(0) => print("Nothing was new: the book has all of it already."),
        Some(written) => print(&format!("Wrote {written} records.")),
        None => print("Nothing was written."),
    }
}

/// Minor units as a decimal with a sign.
fn decimal(amount: i128, currency: Currency) -> String {
    let digits = currency.minor_digits() as usize;
    let sign = if amount < 0 { "-" } else { "" };
    let padded = format!("{:0>width$}", amount.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = padded.split_at(padded.len() - digits);
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_read_as_decimals() {
        let cases = [(-7785, "EUR", "-77.85"), (5, "EUR", "0.05"), (1366, "JPY", "1366"), (-1, "KWD", "-0.001")];
        for (amount, currency, expected) in cases {
            assert_eq!(decimal(amount, currency.parse().expect("a currency")), expected);
        }
    }
}
