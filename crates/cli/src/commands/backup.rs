//! `tidebook backup`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tidebook_server::data_folder::{BackedUp, back_up};

use crate::data::Data;
use crate::exit::print;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook backup --data ./data backup.db")]
pub(crate) struct Arguments {
    /// The file to make; one that is there is never replaced
    file: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { file, json, data } = arguments;
    let BackedUp { books, entries, bytes } = back_up(&data.folder()?, &file)?;
    print(&if json {
        serde_json::json!({"file": file, "books": books, "entries": entries, "bytes": bytes}).to_string()
    } else {
        format!("{}: {books} books with {entries} entries, {bytes} bytes", file.display())
    })?;
    Ok(ExitCode::SUCCESS)
}
