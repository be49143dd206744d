//! `tidebook export`.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tidebook_book::Snapshot;
use tidebook_ledger::{Ledger, export};

use crate::{arguments, book_name, connect};

pub(crate) async fn csv(arguments: arguments::ExportCsv) -> Result<ExitCode> {
    let api = connect::api(&arguments.target)?;
    let book = book_name::find(&api, &arguments.book).await?;
    let snapshot: Snapshot<Ledger> =
        serde_json::from_str(&api.snapshot(book.id).await?).context("reading the book that the server sent")?;
    std::io::stdout().write_all(export::csv(&snapshot.state).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
