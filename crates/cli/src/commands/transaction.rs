//! `tidebook edit`, `delete` and `undelete`: one transaction.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;
use tidebook_ledger::{
    CivilDate, Currency, Field, FieldSet, FieldValue, LedgerOp, Transaction, TransactionId, parse_amount,
};

use crate::arguments::{Asked, Way};
use crate::describe;
use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook edit 3f9a0c12 --amount 21.50 --note \"lunch, with coffee\"")]
pub(crate) struct Edit {
    /// The transaction: the end of its id, as `list` shows it
    id: String,
    /// How much: 12, 12.50, 12,50 or a sum such as 12+8.50
    #[arg(long)]
    amount: Option<String>,
    /// The currency, as EUR
    #[arg(long)]
    currency: Option<Currency>,
    #[command(flatten)]
    way: Way,
    /// Whom it is about
    #[arg(long)]
    who: Option<String>,
    /// What it was for; an empty text takes it away
    #[arg(long, short)]
    note: Option<String>,
    /// The day it was, as 2026-11-28
    #[arg(long)]
    date: Option<CivilDate>,
    /// The day it should be paid back; an empty text takes it away
    #[arg(long)]
    due: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook delete 3f9a0c12")]
pub(crate) struct Delete {
    /// The transaction: the end of its id, as `list` shows it
    id: String,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook undelete 3f9a0c12")]
pub(crate) struct Undelete {
    /// The transaction: the end of its id, as `list --deleted` shows it
    id: String,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn edit(arguments: Edit) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    let before = pick::transaction(open.state(), &arguments.id)?.clone();
    if before.deleted {
        bail!("it is deleted; `tidebook undelete {}` brings it back", arguments.id);
    }
    let set = arguments.set(&before, &open)?;
    if set.is_empty() {
        bail!("nothing to change: give --amount, --currency, --gave, --got, --who, --note, --date or --due");
    }
    done(open, before.id, LedgerOp::UpdateTransaction { id: before.id, set }, "Changed").await
}

pub(crate) async fn delete(arguments: Delete) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    let transaction = pick::transaction(open.state(), &arguments.id)?;
    if transaction.deleted {
        bail!("it is deleted already");
    }
    let id = transaction.id;
    done(open, id, LedgerOp::DeleteTransaction { id }, "Deleted").await
}

pub(crate) async fn undelete(arguments: Undelete) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    let transaction = pick::transaction(open.state(), &arguments.id)?;
    if !transaction.deleted {
        bail!("it is not deleted");
    }
    let id = transaction.id;
    done(open, id, LedgerOp::RestoreTransaction { id }, "Brought back").await
}

async fn done(mut open: OpenBook, id: TransactionId, op: LedgerOp, verb: &str) -> Result<ExitCode> {
    let mutation = open.write(vec![op])?;
    answer(open.form(), &json!({"saved": true, "mutation": mutation, "transaction": id}), || {
        vec![format!("{verb}: {}", describe::record(open.state(), tidebook_ledger::RecordRef::Transaction(id)))]
    })?;
    open.finish().await
}

impl Edit {
    /// What is to be changed, and only that, so that what others change meanwhile stands beside it. Amount, currency and
    /// direction go together: a sum that nobody entered must not come about.
    fn set(&self, before: &Transaction, open: &OpenBook) -> Result<FieldSet> {
        let currency = self.currency.unwrap_or(before.currency);
        let direction = self.way.direction().unwrap_or(before.direction);
        let amount = match &self.amount {
            Some(typed) => {
                parse_amount(typed, currency.minor_digits()).with_context(|| format!("the amount {typed:?}"))?
            }
            None if currency.minor_digits() != before.currency.minor_digits() => {
                bail!("{currency} has other decimals than {}: give the --amount too", before.currency)
            }
            None => before.amount,
        };
        let mut set = FieldSet::default();
        if (amount, currency, direction) != (before.amount, before.currency, before.direction) {
            set.insert(Field::Amount, FieldValue::Number(i64::try_from(amount).context("the amount is too large")?));
            set.insert(Field::Currency, FieldValue::Text(currency.code().into()));
            set.insert(Field::Direction, FieldValue::Text(direction.to_string()));
        }
        if let Some(who) = &self.who {
            set.insert(Field::Contact, FieldValue::Text(pick::contact(open.state(), who)?.id.to_string()));
        }
        if let Some(date) = self.date {
            set.insert(Field::Date, FieldValue::Text(date.to_string()));
        }
        let texts = [(Field::Note, &self.note), (Field::Due, &self.due)];
        for (field, text) in texts.into_iter().filter_map(|(field, text)| Some((field, text.as_ref()?))) {
            set.insert(field, if text.is_empty() { FieldValue::Nothing } else { FieldValue::Text(text.clone()) });
        }
        Ok(set)
    }
}
