//! `tidebook undo`.

use std::collections::HashSet;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;
use tidebook_book::{MutationId, Seq};
use tidebook_ledger::{LedgerChange, LedgerOp, inverse_of, left_out};

use super::history::{Kept, Log, domain_changes};
use crate::arguments::Asked;
use crate::describe;
use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;
use crate::say::short;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidebook undo\n  tidebook undo 4")]
pub(crate) struct Arguments {
    /// The entry to take back: its number in `history`, or the end of the id of a change that waits
    /// [default: what you did last on this device]
    what: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut open = OpenBook::of(&arguments.asked).await?;
    match arguments.what.as_deref() {
        None if open.copy().pending().any(|pending| !pending.is_withdrawn()) => withdraw(open, None).await,
        None => {
            let (last, base) = last_own(&mut open).await?;
            undo(open, last, base).await
        }
        Some(typed) => match typed.parse::<u64>() {
            Ok(seq) if open.copy().seq() >= Seq(seq) => {
                let kept = entry_at(&mut open, Seq(seq)).await?;
                undo(open, kept, Seq(seq)).await
            }
            _ => withdraw(open, Some(typed)).await,
        },
    }
}

/// What has no entry yet is taken back before it gets one.
async fn withdraw(mut open: OpenBook, typed: Option<&str>) -> Result<ExitCode> {
    let pending = open.copy().pending().filter(|pending| !pending.is_withdrawn());
    let standing: Vec<MutationId> = pending.map(|pending| pending.mutation.id).collect();
    let id = match typed {
        None => standing.last().copied().context("nothing waits here")?,
        Some(typed) => {
            let named = standing.into_iter().filter(|id| pick::names_id(id.0, typed));
            pick::only(named.collect(), "entry or waiting change", typed)?
        }
    };
    let book = open.id;
    open.device.driver.withdraw(book, id)?;
    let words = || vec![format!("Taken back before it was sent [{}].", short(id.0))];
    answer(open.form(), &json!({"saved": true, "withdrawn": id}), words)?;
    open.finish().await
}

async fn undo(mut open: OpenBook, kept: Kept, base: Seq) -> Result<ExitCode> {
    let ops = inverse(&kept)?;
    let (book, seq) = (open.id, kept.entry.seq);
    let person = |user| open.person(user);
    let what = describe::changes(open.state(), kept.entry.by, &kept.entry.changes, &person);
    open.device.driver.undo(book, seq, base, ops)?;
    answer(open.form(), &json!({"saved": true, "undone": seq}), || {
        what.iter().map(|what| format!("Taken back: {} {what}", open.person(kept.entry.by))).collect()
    })?;
    open.finish().await
}

/// What takes an entry back.
pub(crate) fn inverse(kept: &Kept) -> Result<Vec<LedgerOp>> {
    let seq = kept.entry.seq;
    let changes: Vec<LedgerChange> = domain_changes(&kept.entry).cloned().collect();
    let is_whole = changes.iter().all(|change| match change {
        LedgerChange::BookUpdated { set, was }
        | LedgerChange::ContactUpdated { set, was, .. }
        | LedgerChange::TransactionUpdated { set, was, .. } => left_out(set, was).is_empty(),
        _ => true,
    });
    if !is_whole {
        bail!("entry {seq} replaced a text that was too long to be kept with it; it cannot be taken back by itself");
    }
    let ops = inverse_of(&changes);
    if ops.is_empty() {
        bail!("entry {seq} changed nothing that could be taken back");
    }
    Ok(ops)
}

async fn entry_at(open: &mut OpenBook, seq: Seq) -> Result<Kept> {
    let mut log = Log::of(open)?;
    while let Some(kept) = log.older(open).await? {
        if kept.entry.seq == seq {
            return Ok(kept);
        }
    }
    bail!("entry {seq} is on the server, which cannot be reached")
}

/// The newest entry of this device that is no undo and was not taken back, and how far what came after it only took back
/// and was taken back: so that one can go on and on, and only meets what others changed.
async fn last_own(open: &mut OpenBook) -> Result<(Kept, Seq)> {
    let replica = open.device.driver.replica().id();
    let mut undone: HashSet<Seq> = HashSet::new();
    let mut base = open.copy().seq();
    let mut log = Log::of(open)?;
    while let Some(kept) = log.older(open).await? {
        let entry = &kept.entry;
        undone.extend(entry.undoes);
        let is_own = entry.replica == replica;
        let is_void = entry.undoes.is_some() || undone.contains(&entry.seq);
        if is_own && !is_void && inverse(&kept).is_ok() {
            let base = base.max(entry.seq);
            return Ok((kept, base));
        }
        if !is_own || !is_void {
            base = Seq(entry.seq.0 - 1);
        }
    }
    bail!("nothing you did on this device is left to take back; `tidebook undo SEQ` takes back any entry of `history`")
}
