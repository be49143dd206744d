//! `tidebook import`: debts from elsewhere, through the outbox: all of a file is on the device before any of it is sent.

mod kept;
mod report;
mod send;
mod take_back;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use tidebook_ledger::import::{self, Plan, csv, missing_ops, splitwise};

use crate::arguments::Asked;
use crate::device::OpenBook;
use crate::exit::{CHECKSUM_DIFFERS, note};

#[derive(Debug, Args)]
#[command(
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tidebook import splitwise export.csv --me Mira --book \"Harbour Street 12\" --dry-run\n  tidebook import --list\n\n\
        A file can be imported again: what is in the book already is left alone. Exit codes: 0 done; 1 failed; 2 wrong usage; \
        3 the file's own totals differ from what would be written, and nothing was."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    from: Option<From>,
    #[command(flatten)]
    kept: Kept,
}

#[derive(Debug, Args)]
struct Kept {
    /// Take an import back, by the end of its id, as `--list` shows it
    #[arg(long, value_name = "IMPORT", required_unless_present = "list")]
    undo: Option<String>,
    /// List what was imported on this device
    #[arg(long, conflicts_with = "undo")]
    list: bool,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Subcommand)]
enum From {
    /// A group or a list of friends, exported from Splitwise as CSV
    #[command(after_help = "Example:\n  tidebook import splitwise export.csv --me Mira --book \"Harbour Street 12\"")]
    Splitwise(Splitwise),
    /// A table: our own CSV export, or IHateMoney's
    #[command(after_help = "Example:\n  tidebook import csv harbour-street.csv --book Allotment --dry-run")]
    Csv(Csv),
    /// A book exported with `tidebook export json`
    #[command(after_help = "Example:\n  tidebook import json harbour-street.json --book Allotment")]
    Json(File),
}

#[derive(Debug, Args)]
struct File {
    /// The file
    file: PathBuf,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
struct Splitwise {
    /// Your own name, as it stands in the file
    #[arg(long, value_name = "NAME")]
    me: String,
    #[command(flatten)]
    file: File,
}

#[derive(Debug, Args)]
struct Csv {
    /// Your own name, as it stands in the file; needed where it has bills of several people
    #[arg(long, value_name = "NAME")]
    me: Option<String>,
    #[command(flatten)]
    file: File,
}

pub(crate) async fn run(Arguments { from, kept }: Arguments) -> Result<ExitCode> {
    match from {
        Some(From::Splitwise(Splitwise { me, file })) => {
            let text = file.read()?;
            let sheet = splitwise::read(&text).with_context(|| file.name())?;
            let open = file.open().await?;
            let plan = splitwise::plan(&sheet, &me, open.id).with_context(|| file.name())?;
            bring_in(open, &file, plan).await
        }
        Some(From::Csv(Csv { me, file })) => {
            let text = file.read()?;
            let mut open = file.open().await?;
            let destination = csv::Destination { book: open.id, me: me.as_deref(), currency: open.currency()? };
            let plan = csv::plan(&text, destination).with_context(|| file.name())?;
            bring_in(open, &file, plan).await
        }
        Some(From::Json(file)) => {
            let plan = import::json::plan(&file.read()?).with_context(|| file.name())?;
            bring_in(file.open().await?, &file, plan).await
        }
        None => {
            let open = OpenBook::of(&kept.asked).await?;
            match kept.undo {
                Some(import) => take_back::run(open, &import).await,
                None => kept::list(open),
            }
        }
    }
}

impl File {
    fn name(&self) -> String {
        self.file.display().to_string()
    }

    fn read(&self) -> Result<String> {
        std::fs::read_to_string(&self.file).with_context(|| format!("cannot read {}", self.name()))
    }

    async fn open(&self) -> Result<OpenBook> {
        OpenBook::of(&self.asked).await
    }
}

async fn bring_in(mut open: OpenBook, file: &File, plan: Plan) -> Result<ExitCode> {
    let book = open.id;
    if !plan.checksum_agrees() {
        report::tell(open.form(), book, &plan, None)?;
        note("tidebook: the file's own totals differ from the sum of its rows; nothing was written");
        return Ok(ExitCode::from(CHECKSUM_DIFFERS));
    }
    if file.dry_run {
        report::tell(open.form(), book, &plan, None)?;
        return Ok(ExitCode::SUCCESS);
    }
    if open.copy().role().is_some_and(|role| !role.may_write()) {
        bail!("you may read this book, and not write in it");
    }
    let ops = missing_ops(&plan, open.state());
    let written = ops.len();
    let (id, mutations) = kept::write(&mut open, &file.name(), ops)?;
    send::until_sent(&mut open, written, &mutations).await?;
    report::tell(open.form(), book, &plan, Some((id, written)))?;
    open.finish().await
}
