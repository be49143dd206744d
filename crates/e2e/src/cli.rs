//! The `tidebook` program on the command line, with a home of its own.

use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tidebook_book::BookId;
use tokio::process::Command;
use tokio::time::timeout;

use crate::{Account, places};

const DONE_WITHIN: Duration = Duration::from_secs(120);

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// Its result.
    pub out: String,
    /// Its progress and errors.
    pub err: String,
}

/// A terminal of somebody who is signed in: a device like a browser.
#[derive(Debug)]
pub struct Terminal {
    home: TempDir,
    origin: String,
    token: String,
    book: BookId,
}

impl Terminal {
    /// `origin`: where the server is for this device.
    pub fn new(origin: &str, account: &Account, book: BookId) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("tidebook-terminal-").tempdir()?;
        Ok(Self { home, origin: origin.to_owned(), token: account.token.clone(), book })
    }

    /// Runs a command about the book.
    pub async fn run(&self, arguments: &[&str]) -> Result<Ended> {
        let mut command = Command::new(places::tidebook()?);
        command.args(arguments).env("TIDEBOOK_BOOK", self.book.to_string());
        command.env("TIDEBOOK_SERVER", &self.origin).env("TIDEBOOK_TOKEN", &self.token);
        let home = self.home.path();
        command.env("HOME", home).env("XDG_DATA_HOME", home.join("data")).env("XDG_CONFIG_HOME", home.join("config"));
        let output = timeout(DONE_WITHIN, command.kill_on_drop(true).output()).await;
        let output =
            output.with_context(|| format!("{arguments:?} takes too long"))?.context("starting the program")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ended { status: output.status, out: text(&output.stdout), err: text(&output.stderr) })
    }

    /// Runs a command that must do what it is asked, and returns its JSON.
    pub async fn must(&self, arguments: &[&str]) -> Result<Value> {
        let ended = self.run(&[arguments, &["--json"]].concat()).await?;
        ensure!(ended.status.success(), "{arguments:?}: {}{}", ended.out, ended.err);
        Ok(serde_json::from_str(&ended.out)?)
    }

    /// `tidebook import splitwise FILE --me Mira`.
    pub async fn import_splitwise(&self, file: &Path) -> Result<Ended> {
        let file = file.to_str().context("the file's name is text")?;
        self.run(&["import", "splitwise", file, "--me", "Mira"]).await
    }
}
