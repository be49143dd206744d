//! The `tidebook` program on the command line.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use tidebook_book::BookId;
use tokio::process::Command;
use tokio::time::timeout;

use crate::{Account, Server, places};

const DONE_WITHIN: Duration = Duration::from_secs(120);

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// What it printed, the result first.
    pub said: String,
}

/// `tidebook import splitwise FILE --me Mira --book BOOK`, as this account.
pub async fn import_splitwise(server: &Server, account: &Account, book: BookId, file: &Path) -> Result<Ended> {
    let mut command = Command::new(places::tidebook()?);
    command.args(["import", "splitwise"]).arg(file).args(["--me", "Mira", "--book", &book.to_string()]);
    command.env("TIDEBOOK_SERVER", server.origin()).env("TIDEBOOK_TOKEN", &account.token);
    let output = timeout(DONE_WITHIN, command.kill_on_drop(true).output()).await;
    let output = output.context("the import takes too long")?.context("starting the import")?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok(Ended { status: output.status, said })
}
