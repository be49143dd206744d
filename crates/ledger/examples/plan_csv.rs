//! Plans the import of a CSV file and prints what it comes to, as one line of JSON: `plan_csv FILE ME CURRENCY`.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use serde_json::json;
use tidebook_book::BookId;
use tidebook_ledger::import::csv::{Destination, plan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, me, currency] = &arguments[..] else { return Err("usage: plan_csv FILE ME CURRENCY".into()) };
    let destination = Destination { book: BookId(Default::default()), me: Some(me), currency: currency.parse()? };
    let plan = plan(&std::fs::read_to_string(file)?, destination)?;
    let totals: Vec<_> =
        plan.totals.iter().map(|total| json!({"currency": total.currency, "planned": total.planned as i64})).collect();
    println!("{}", json!({"transactions": plan.transactions.len(), "rows_read": plan.rows_read, "totals": totals}));
    Ok(())
}
