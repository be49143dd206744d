//! `tidebook export`.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::value::RawValue;
use tidebook_book::Seq;
use tidebook_ledger::export::{self, Origin};

use crate::arguments::Asked;
use crate::device::OpenBook;
use crate::exit::note;

#[derive(Debug, Subcommand)]
pub(crate) enum Arguments {
    /// The whole book, deleted records too, as JSON that imports again without loss
    #[command(
        after_help = "Examples:\n  tidebook export json \"Harbour Street 12\" > harbour-street.json\n  tidebook export json --history > with-history.json"
    )]
    Json(Json),
    /// The transactions that stand, as a table
    #[command(after_help = "Example:\n  tidebook export csv \"Harbour Street 12\" > harbour-street.csv")]
    Csv(Export),
    /// The transactions that stand, as a journal for hledger
    #[command(after_help = "Example:\n  tidebook export hledger \"Harbour Street 12\" > harbour-street.journal")]
    Hledger(Export),
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The book's id, or a name that only one of your books has [default: as for --book]
    name: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct Json {
    /// Also every entry of the log: with it, `restore --book` brings the book to another server as it is
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    export: Export,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let text = match arguments {
        Arguments::Csv(export) => export::csv(export.open().await?.state()),
        Arguments::Hledger(export) => export::hledger(export.open().await?.state()),
        Arguments::Json(Json { history, export }) => json(export.open().await?, history).await?,
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

impl Export {
    async fn open(&self) -> Result<OpenBook> {
        OpenBook::named(&self.asked, self.name.as_deref().or(self.asked.book.as_deref())).await
    }
}

async fn json(mut open: OpenBook, history: bool) -> Result<String> {
    let pending = open.copy().pending().count();
    if pending > 0 && history {
        bail!("{pending} changes are not in the log yet; `tidebook sync` first, or export without --history");
    }
    if pending > 0 {
        note(&format!("with {pending} changes that only this device has yet"));
    }
    let entries = if history { Some(log(&mut open).await?) } else { None };
    let entries: Option<Vec<&RawValue>> = entries.as_ref().map(|log| log.iter().map(AsRef::as_ref).collect());
    let copy = open.copy();
    let origin = Origin { book: open.id, epoch: copy.epoch(), seq: copy.seq(), hash: copy.hash(), pending };
    Ok(export::json(origin, copy.people(), copy.view(), entries.as_deref()))
}

/// Every entry of the log, up to where this device is.
async fn log(open: &mut OpenBook) -> Result<Vec<Box<RawValue>>> {
    let (book, head) = (open.id, open.copy().seq());
    let kept = open.device.driver.store().read(|rows| rows.entries_after(book, Seq::ZERO))?;
    if u64::try_from(kept.len()) == Ok(head.0) {
        return Ok(kept.into_iter().map(RawValue::from_string).collect::<Result<_, _>>()?);
    }
    open.device.require_network("the older part of the history")?;
    let mut log: Vec<Box<RawValue>> = Vec::new();
    while (log.len() as u64) < head.0 {
        let page = open.device.driver.api().entries(book, Seq(log.len() as u64)).await?;
        if page.entries.is_empty() {
            bail!("the server's log ends at {}, this device was at {head}", log.len());
        }
        log.extend(page.entries);
        note(&format!("{} of {head} entries", log.len().min(usize::try_from(head.0).unwrap_or(usize::MAX))));
    }
    log.truncate(usize::try_from(head.0).unwrap_or(usize::MAX));
    Ok(log)
}
