//! Takes an import back: what waits is withdrawn, what is in the log is undone entry by entry. What somebody has changed
//! since is not lost over it: it raises a conflict.

use std::collections::HashSet;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;
use tidebook_book::MutationId;
use tidebook_client::unix_now;
use tidebook_ledger::LedgerOp;
use tidebook_replica::{NewMutation, Seen};
use uuid::Uuid;

use super::kept::{self, Kept};
use super::send;
use crate::commands::history::{self, Log};
use crate::commands::undo;
use crate::device::OpenBook;
use crate::exit::answer;

pub(super) async fn run(mut open: OpenBook, typed: &str) -> Result<ExitCode> {
    let (id, import) = kept::find(&mut open, typed)?;
    let waiting = waiting_of(&open, &import);
    let sent = import.mutations.iter().copied().filter(|id| !waiting.contains(id)).collect();
    let undone = undone_of(&mut open, sent).await?;
    let mut records = undo_all(&mut open, undone, &waiting).await?;
    kept::forget(&mut open, id)?;
    // What was on its way already when it was withdrawn stands, and has its entry now.
    let unanswered = waiting_of(&open, &import);
    let settled = waiting.iter().copied().filter(|id| !unanswered.contains(id)).collect();
    let undone = undone_of(&mut open, settled).await?;
    if !undone.is_empty() {
        records += undo_all(&mut open, undone, &[]).await?;
    }
    let withdrawn = waiting.len();
    answer(open.form(), &json!({"saved": true, "import": id, "undone": records, "withdrawn": withdrawn}), || {
        vec![format!("Took back {}: {} records deleted, {withdrawn} parts never sent.", import.file, records)]
    })?;
    open.finish().await
}

fn waiting_of(open: &OpenBook, import: &Kept) -> Vec<MutationId> {
    let pending = open.copy().pending().map(|pending| pending.mutation.id);
    pending.filter(|id| import.mutations.contains(id)).collect()
}

/// Withdraws what waits and writes what undoes the rest, and sends it. How many records that is.
async fn undo_all(open: &mut OpenBook, undone: Vec<NewMutation<LedgerOp>>, waiting: &[MutationId]) -> Result<usize> {
    let book = open.id;
    for mutation in waiting {
        open.device.driver.withdraw(book, *mutation)?;
    }
    let records = undone.iter().map(|mutation| mutation.ops.len()).sum();
    let ids: Vec<MutationId> = undone.iter().map(|mutation| mutation.id).collect();
    open.device.driver.mutate_all(book, undone)?;
    send::until_sent(open, records, &ids).await?;
    Ok(records)
}

/// What takes back the entries of these mutations, the last first: nothing is deleted before what refers to it. Those that
/// were rejected, or withdrawn, changed nothing.
async fn undone_of(open: &mut OpenBook, sent: Vec<MutationId>) -> Result<Vec<NewMutation<LedgerOp>>> {
    let (mut wanted, mut undone): (HashSet<_>, Vec<_>) = (sent.into_iter().collect(), Vec::new());
    let mut log = Log::of(open)?;
    while !wanted.is_empty()
        && let Some(kept) = log.older(open).await?
    {
        if wanted.remove(&kept.entry.id) && !kept.entry.changes.is_empty() {
            undone.push(mutation_of(&kept, open.copy().seen())?);
        }
    }
    if log.is_cut {
        bail!("a part of the import is on the server, which cannot be reached; nothing was taken back");
    }
    Ok(undone)
}

fn mutation_of(kept: &history::Kept, seen: Seen) -> Result<NewMutation<LedgerOp>> {
    let (id, seq) = (MutationId(Uuid::now_v7()), kept.entry.seq);
    Ok(NewMutation { id, made_at: unix_now(), base: seen.at(seq), ops: undo::inverse(kept)?, undoes: Some(seq) })
}
