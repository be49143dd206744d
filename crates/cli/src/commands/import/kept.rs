//! What was imported on this device, so that it can be taken back.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tidebook_book::{BookId, MutationId, UnixMillis};
use tidebook_client::{StoreError, unix_now};
use tidebook_ledger::LedgerOp;
use tidebook_replica::NewMutation;
use uuid::Uuid;

use crate::device::OpenBook;
use crate::exit::answer;
use crate::pick;
use crate::say::{Cell, DIM, Table, count, moment, short};

/// Before the id of an import.
const IMPORT: &str = "import:";

/// Ops a mutation: few enough that a long import is seen filling, many enough that each commit carries its weight.
const OPS_PER_MUTATION: usize = 100;

/// The most bytes of ops in a mutation, so that long notes stay far below what one may have.
const OPS_BYTES_MAX: usize = 64 * 1024;

/// An import.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) book: BookId,
    pub(super) file: String,
    pub(super) at: UnixMillis,
    pub(super) records: usize,
    pub(super) mutations: Vec<MutationId>,
}

/// Writes all ops, in order, into the outbox: all of them are on the disk afterwards, or none is. The import's id, and those
/// of its mutations.
pub(super) fn write(open: &mut OpenBook, file: &str, ops: Vec<LedgerOp>) -> Result<(Uuid, Vec<MutationId>)> {
    let id = Uuid::now_v7();
    if ops.is_empty() {
        return Ok((id, Vec::new()));
    }
    let (book, base, made_at, records) = (open.id, open.copy().seen(), unix_now(), ops.len());
    let new = |ops| NewMutation { id: MutationId(Uuid::now_v7()), made_at, base, ops, undoes: None };
    let mutations: Vec<NewMutation<LedgerOp>> = cut(ops)?.into_iter().map(new).collect();
    let ids: Vec<MutationId> = mutations.iter().map(|mutation| mutation.id).collect();
    let kept = Kept { book, file: file.to_owned(), at: made_at, records, mutations: ids.clone() };
    // Kept first: of an import that is only known here, nothing is found, which is right.
    open.device.driver.store().keep_fact(&format!("{IMPORT}{id}"), &serde_json::to_string(&kept)?)?;
    open.device.driver.mutate_all(book, mutations)?;
    Ok((id, ids))
}

/// Into mutations that are neither too many ops nor too many bytes.
fn cut(ops: Vec<LedgerOp>) -> Result<Vec<Vec<LedgerOp>>> {
    let mut cut: Vec<Vec<LedgerOp>> = Vec::new();
    let mut bytes = 0;
    for op in ops {
        let more = serde_json::to_string(&op)?.len();
        match cut.last_mut().filter(|last| last.len() < OPS_PER_MUTATION && bytes + more <= OPS_BYTES_MAX) {
            Some(last) => last.push(op),
            None => {
                bytes = 0;
                cut.push(vec![op]);
            }
        }
        bytes += more;
    }
    Ok(cut)
}

/// The imports of a book, the oldest first.
fn of_book(open: &mut OpenBook) -> Result<Vec<(Uuid, Kept)>> {
    let book = open.id;
    let facts = open.device.driver.store().read(|rows| rows.facts_from(IMPORT))?;
    let read = |(name, text): (String, String)| {
        let id: Uuid = name.strip_prefix(IMPORT)?.parse().ok()?;
        Some((id, serde_json::from_str::<Kept>(&text).ok()?))
    };
    Ok(facts.into_iter().filter_map(read).filter(|(_, kept)| kept.book == book).collect())
}

pub(super) fn find(open: &mut OpenBook, typed: &str) -> Result<(Uuid, Kept)> {
    let all = of_book(open)?;
    if all.is_empty() {
        bail!("nothing was imported into this book on this device");
    }
    pick::only(all.into_iter().filter(|(id, _)| pick::names_id(*id, typed)).collect(), "import", typed)
}

/// Forgets an import that was taken back.
pub(super) fn forget(open: &mut OpenBook, id: Uuid) -> Result<(), StoreError> {
    open.device.driver.store().write(|rows| rows.drop_fact(&format!("{IMPORT}{id}")))
}

pub(super) fn list(mut open: OpenBook) -> Result<ExitCode> {
    let all = of_book(&mut open)?;
    let items: Vec<_> = all
        .iter()
        .map(|(id, kept)| serde_json::json!({"import": id, "file": kept.file, "at": kept.at, "records": kept.records}))
        .collect();
    answer(open.form(), &items, || {
        let mut table = Table::default();
        for (id, kept) in &all {
            let records = count(kept.records, "record", "records");
            table.row([
                Cell::text(short(*id)).styled(DIM),
                Cell::text(moment(kept.at)),
                Cell::number(records),
                Cell::text(&kept.file),
            ]);
        }
        if all.is_empty() { vec!["Nothing was imported into this book on this device.".into()] } else { table.lines() }
    })?;
    Ok(ExitCode::SUCCESS)
}
