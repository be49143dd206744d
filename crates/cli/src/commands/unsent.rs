//! `tidebook retry` and `tidebook discard`: what is only on this device.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use tidebook_book::MutationId;

use crate::arguments::Asked;
use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;
use crate::say::short;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook retry 5d0c77aa")]
pub(crate) struct Retry {
    /// What the book did not take: the end of its id, as `status` shows it
    id: String,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook discard 5d0c77ab")]
pub(crate) struct Discard {
    /// What waits, or what the book did not take: the end of its id, as `status` shows it
    id: String,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn retry(arguments: Retry) -> Result<ExitCode> {
    let mut open = OpenBook::of(&arguments.asked).await?;
    let Some(rejected) = rejected(&open, &arguments.id)? else {
        bail!("nothing with the id {:?} was rejected; what waits goes out by itself", arguments.id);
    };
    let ops = open.copy().rejections().iter().find(|it| it.mutation.id == rejected).map(|it| it.mutation.ops.clone());
    // Written first: should this end in between, it is there twice rather than not at all.
    let mutation = open.write(ops.unwrap_or_default())?;
    let book = open.id;
    open.device.driver.discard_rejection(book, rejected)?;
    let words = || vec![format!("Offered once more [{}].", short(mutation.0))];
    answer(open.form(), &json!({"saved": true, "mutation": mutation}), words)?;
    open.finish().await
}

pub(crate) async fn discard(arguments: Discard) -> Result<ExitCode> {
    let mut open = OpenBook::of(&arguments.asked).await?;
    let book = open.id;
    let dropped = match rejected(&open, &arguments.id)? {
        Some(rejected) => {
            open.device.driver.discard_rejection(book, rejected)?;
            rejected
        }
        None => {
            let pending = open.copy().pending().filter(|pending| !pending.is_withdrawn());
            let ids = pending.map(|pending| pending.mutation.id).filter(|id| pick::names_id(id.0, &arguments.id));
            let id = pick::only(ids.collect(), "waiting or rejected change", &arguments.id)?;
            open.device.driver.withdraw(book, id)?;
            id
        }
    };
    answer(open.form(), &json!({"saved": true, "discarded": dropped}), || vec!["Dropped.".into()])?;
    open.finish().await
}

fn rejected(open: &OpenBook, typed: &str) -> Result<Option<MutationId>> {
    let ids = open.copy().rejections().iter().map(|it| it.mutation.id).filter(|id| pick::names_id(id.0, typed));
    let found: Vec<_> = ids.collect();
    if found.is_empty() { Ok(None) } else { pick::only(found, "rejected change", typed).map(Some) }
}
