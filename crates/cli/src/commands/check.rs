//! `tidebook check`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use tidebook_server::data_folder::{Checked, Checking, check, store_in};

use crate::data::Data;
use crate::exit::{note, print};

/// Often enough to see that it goes on.
const TOLD_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook check --data ./data\n\nExit codes: 0 all in order; 1 faults were found, \
        or it could not be checked; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// A backup, instead of the data folder's store
    file: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: Data,
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { file, json, data } = arguments;
    let path = match file {
        Some(file) => file,
        None => store_in(&data.folder()?),
    };
    let checked = check(&path, &mut telling())?;
    if json {
        print(&serde_json::to_string(&checked)?)?;
    } else {
        checked.faults.iter().try_for_each(|fault| print(&fault.to_string()))?;
        print(&format!("{}: {}", path.display(), summary(&checked)))?;
    }
    Ok(if checked.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says from time to time how far it has got.
pub(crate) fn telling() -> impl FnMut(Checking) {
    let mut told = Instant::now();
    move |Checking { entries, of }| {
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            note(&format!("{entries} of {of} entries checked"));
        }
    }
}

fn summary(checked: &Checked) -> String {
    let Checked { books, entries, snapshots, faults } = checked;
    let verdict = match faults.len() {
        0 => "all in order".to_owned(),
        count => format!("{count} faults"),
    };
    format!("{books} books with {entries} entries and {snapshots} snapshots checked, {verdict}")
}
