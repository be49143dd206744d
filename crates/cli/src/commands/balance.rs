//! `tidebook balance`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tidebook_ledger::{Balances, CivilDate, Contact, LedgerState};

use super::list::balance_cells;
use crate::arguments::Asked;
use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;
use crate::say::{STRONG, Table, signed, styled};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidebook balance\n  tidebook balance Ana --as-of 2026-10-31")]
pub(crate) struct Arguments {
    /// Only of this person
    who: Option<String>,
    /// As it was at the end of this day, by the dates of the transactions that stand now
    #[arg(long, value_name = "DATE")]
    as_of: Option<CivilDate>,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    let state = open.state();
    let mut contacts: Vec<&Contact> = match &arguments.who {
        Some(who) => vec![pick::contact(state, who)?],
        None => state.contacts().filter(|contact| !contact.deleted).collect(),
    };
    contacts.sort_by_cached_key(|contact| (contact.name.to_lowercase(), contact.id));
    let found: Vec<(&Contact, Balances)> =
        contacts.into_iter().map(|contact| (contact, balances(state, contact, arguments.as_of))).collect();
    let totals = totals(&found);
    answer(open.form(), &as_json(&found, &totals, arguments.as_of), || as_words(&found, &totals))?;
    Ok(ExitCode::SUCCESS)
}

/// What somebody owes, counting transactions up to a day. A sum of nothing is left out.
fn balances(state: &LedgerState, contact: &Contact, as_of: Option<CivilDate>) -> Balances {
    let Some(as_of) = as_of else { return state.balances_of(contact.id) };
    let mut sums = Balances::default();
    for transaction in state.transactions_of(contact.id).filter(|transaction| transaction.date <= as_of) {
        *sums.or_insert(transaction.currency, 0) += transaction.signed_amount();
    }
    sums.iter().filter(|(_, sum)| **sum != 0).map(|(currency, sum)| (*currency, *sum)).collect()
}

fn totals(found: &[(&Contact, Balances)]) -> Balances {
    let mut totals = Balances::default();
    for (currency, sum) in found.iter().flat_map(|(_, balances)| balances.iter()) {
        *totals.or_insert(*currency, 0) += sum;
    }
    totals
}

fn as_json(found: &[(&Contact, Balances)], totals: &Balances, as_of: Option<CivilDate>) -> Value {
    let contact = |(contact, balances): &(&Contact, Balances)| json!({"id": contact.id, "name": contact.name, "balances": balances});
    let contacts: Vec<Value> = found.iter().map(contact).collect();
    json!({"contacts": contacts, "totals": totals, "as_of": as_of})
}

fn as_words(found: &[(&Contact, Balances)], totals: &Balances) -> Vec<String> {
    let mut table = Table::default();
    for (contact, balances) in found {
        balances.iter().for_each(|(currency, sum)| table.row(balance_cells(&contact.name, *currency, *sum)));
    }
    let mut lines = table.lines();
    let even = found.iter().filter(|(_, balances)| balances.is_empty()).count();
    if even > 0 {
        lines.push(format!("{even} even"));
    }
    for (currency, total) in totals.iter() {
        lines.push(styled(STRONG, format!("Together {}", signed(*total, *currency))));
    }
    lines
}
