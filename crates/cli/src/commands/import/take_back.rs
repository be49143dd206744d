//! Takes an import back: what waits is withdrawn, what is in the log is undone entry by entry. What somebody has changed
//! since is not lost over it: it raises a conflict.

use std::collections::{HashMap, HashSet};
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
    let entries = entries_of(&mut open, &import, &waiting).await?;
    // The last first: nothing is deleted before what refers to it.
    let (seen, kept) = (open.copy().seen(), import.mutations.iter().rev().filter_map(|id| entries.get(id)));
    let undone: Vec<NewMutation<LedgerOp>> = kept.map(|kept| mutation_of(kept, seen)).collect::<Result<_>>()?;
    let book = open.id;
    let records = undone.iter().map(|mutation| mutation.ops.len()).sum::<usize>();
    for mutation in &waiting {
        open.device.driver.withdraw(book, *mutation)?;
    }
    open.device.driver.mutate_all(book, undone)?;
    kept::forget(&mut open, id)?;
    send::until_sent(&mut open, records).await?;
    let withdrawn = waiting.len();
    answer(open.form(), &json!({"saved": true, "import": id, "undone": records, "withdrawn": withdrawn}), || {
        vec![format!("Took back {}: {} records deleted, {withdrawn} parts never sent.", import.file, records)]
    })?;
    open.finish().await
}

fn waiting_of(open: &OpenBook, import: &Kept) -> HashSet<MutationId> {
    let wanted: HashSet<MutationId> = import.mutations.iter().copied().collect();
    open.copy().pending().map(|pending| pending.mutation.id).filter(|id| wanted.contains(id)).collect()
}

/// The entries of those mutations that have one.
async fn entries_of(
    open: &mut OpenBook,
    import: &Kept,
    waiting: &HashSet<MutationId>,
) -> Result<HashMap<MutationId, history::Kept>> {
    let mut wanted: HashSet<MutationId> = import.mutations.iter().copied().collect();
    wanted.retain(|id| !waiting.contains(id));
    let mut found = HashMap::new();
    let mut log = Log::of(open)?;
    while !wanted.is_empty()
        && let Some(kept) = log.older(open).await?
        // A server's clock may be behind this device's; a day covers what clocks do.
        && kept.entry.at.0 > import.at.0 - 24 * 60 * 60 * 1000
    {
        if wanted.remove(&kept.entry.id) {
            found.insert(kept.entry.id, kept);
        }
    }
    if log.is_cut {
        bail!("a part of the import is on the server, which cannot be reached; nothing was taken back");
    }
    Ok(found)
}

fn mutation_of(kept: &history::Kept, seen: Seen) -> Result<NewMutation<LedgerOp>> {
    let (id, seq) = (MutationId(Uuid::now_v7()), kept.entry.seq);
    Ok(NewMutation { id, made_at: unix_now(), base: seen.at(seq), ops: undo::inverse(kept)?, undoes: Some(seq) })
}
