//! `tidebook add`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{ArgGroup, Args, ValueEnum};
use serde_json::json;
use tidebook_ledger::{Checked, CivilDate, ContactId, Currency, LedgerOp, TransactionId, name_fault, parse_amount};
use uuid::Uuid;

use crate::arguments::{Asked, Way};
use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;
use crate::say::{balance_words, direction_words, money, one_line, short, styled, today};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tidebook add Ana 12+8.50 --gave --note lunch\n  tidebook add Ana 5 --got --date 2026-11-01",
    group = ArgGroup::new("which way").args(["gave", "got"]).required(true)
)]
pub(crate) struct Arguments {
    /// Whom it is about: a name, or the end of an id. Somebody new comes into the book with it
    who: String,
    /// How much: 12, 12.50, 12,50 or a sum such as 12+8.50
    amount: String,
    #[command(flatten)]
    way: Way,
    /// What it was for
    #[arg(long, short)]
    note: Option<String>,
    /// The day it was, as 2026-11-28 [default: today]
    #[arg(long)]
    date: Option<CivilDate>,
    /// The day it should be paid back
    #[arg(long)]
    due: Option<CivilDate>,
    /// The currency, as EUR [default: the book's own]
    #[arg(long)]
    currency: Option<Currency>,
    /// Whether WHO may be, or must be, somebody new
    #[arg(long, value_enum, default_value_t = New::Allowed)]
    new: New,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum New {
    /// Where nobody of that name is in the book, one is added
    Allowed,
    /// One is added, whoever else has a name like it
    Always,
    /// It must be somebody who is in the book
    Never,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut open = OpenBook::of(&arguments.asked).await?;
    let currency = match arguments.currency {
        Some(currency) => currency,
        None => open.currency()?,
    };
    let amount = parse_amount(&arguments.amount, currency.minor_digits())
        .with_context(|| format!("the amount {:?}", arguments.amount))?;
    let (contact, name, create) = whom(&open, &arguments)?;
    let direction = arguments.way.direction().context("say which way: --gave or --got")?;
    let id = TransactionId(Uuid::now_v7());
    let transaction = LedgerOp::CreateTransaction {
        id,
        contact,
        direction: Checked::Valid(direction),
        amount: i64::try_from(amount).context("the amount is more than a transaction can hold")?,
        currency: Checked::Valid(currency),
        date: Checked::Valid(arguments.date.unwrap_or_else(today)),
        note: arguments.note.clone().filter(|note| !note.is_empty()),
        due: arguments.due.map(Checked::Valid),
    };
    let mutation = open.write(create.into_iter().chain([transaction]).collect())?;
    let balances = open.state().balances_of(contact);
    let saved =
        json!({"saved": true, "mutation": mutation, "transaction": id, "contact": contact, "balances": balances});
    answer(open.form(), &saved, || {
        let (words, style) = direction_words(direction);
        let note = arguments.note.as_deref().map(|note| format!(": {}", one_line(note))).unwrap_or_default();
        let what = styled(style, money(amount.into(), currency));
        let mut lines = vec![format!("{words} {name} {what}{note} [{}]", short(id.0))];
        lines.extend(balance_words(&name, &balances));
        lines
    })?;
    open.finish().await
}

/// Whom it is about, and the op that brings them into the book where they are new.
fn whom(open: &OpenBook, arguments: &Arguments) -> Result<(ContactId, String, Option<LedgerOp>)> {
    let who = &arguments.who;
    let known = match arguments.new {
        New::Always => None,
        New::Never => Some(pick::contact(open.state(), who)?),
        New::Allowed => pick::known_contact(open.state(), who)?,
    };
    if let Some(contact) = known {
        return Ok((contact.id, one_line(&contact.name), None));
    }
    if let Some(fault) = name_fault(who) {
        anyhow::bail!("the name {who:?}: {fault}");
    }
    let id = ContactId(Uuid::now_v7());
    Ok((id, one_line(who), Some(LedgerOp::create_contact(id, who.trim()))))
}
