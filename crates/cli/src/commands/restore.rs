//! `tidebook restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use tidebook_server::data_folder::{Sessions, bring_book, restore};

use crate::commands::check::telling;
use crate::data::Data;
use crate::exit::print;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tidebook restore --data ./restored backup.db\n  tidebook restore --data ./restored \
        --book boat.json --owner mira@example.org"
)]
pub(crate) struct Arguments {
    /// The backup
    #[arg(required_unless_present = "book", conflicts_with = "book")]
    file: Option<PathBuf>,
    /// Have everybody sign in again: sessions that were ended after the backup would stand again
    #[arg(long, conflicts_with = "book")]
    end_sessions: bool,
    /// Bring in the one book of this file, which `tidebook export json --history` wrote
    #[arg(long, value_name = "EXPORT", requires = "owner")]
    book: Option<PathBuf>,
    /// The e-mail address of an account here, who becomes an owner of that book
    #[arg(long, value_name = "EMAIL", requires = "book")]
    owner: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { file, end_sessions, book, owner, json, data } = arguments;
    let data = data.folder()?;
    let said = match (file, book, owner) {
        (Some(file), ..) => {
            let sessions = if end_sessions { Sessions::Ended } else { Sessions::Kept };
            let checked = restore(&file, &data, sessions, &mut telling())?;
            if json {
                serde_json::json!({"data": data, "books": checked.books, "entries": checked.entries}).to_string()
            } else {
                let (books, entries) = (checked.books, checked.entries);
                format!("{}: {books} books with {entries} entries restored, under new epochs", data.display())
            }
        }
        (None, Some(export), Some(owner)) => {
            let brought = bring_book(&data, &export, &owner).await?;
            if json {
                serde_json::json!({"book": brought.book, "name": brought.name, "entries": brought.entries}).to_string()
            } else {
                format!("{:?} ({}): {} entries restored", brought.name, brought.book, brought.entries)
            }
        }
        _ => bail!("--book needs --owner"),
    };
    print(&said)?;
    Ok(ExitCode::SUCCESS)
}
