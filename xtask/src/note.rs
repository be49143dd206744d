//! Lines that commands add to tables in the docs, each with the day and the commit.

use std::fs::OpenOptions;
use std::io::Write as _;

use anyhow::{Context, Result};

use crate::children;
use crate::workspace::Workspace;

/// Appends a line with these cells after the date and the commit.
pub(crate) fn append(workspace: &Workspace, doc: &str, cells: &str) -> Result<()> {
    let mut git = workspace.command("git");
    let commit = children::output_of(git.args(["rev-parse", "--short=12", "HEAD"]))?;
    let mut date = workspace.command("date");
    let date = children::output_of(date.args(["--utc", "+%Y-%m-%d"]))?;
    let line = format!("| {} | {} | {cells} |\n", date.trim(), commit.trim());
    let path = workspace.root.join(doc);
    let mut file =
        OpenOptions::new().append(true).open(&path).with_context(|| format!("opening {}", path.display()))?;
    Ok(file.write_all(line.as_bytes())?)
}
