//! Tabs that are killed in the middle of edits: what they called saved is in the log afterwards, once.

use anyhow::{Context, Result, bail};

use super::Finding;
use crate::gallery::{build_browser_programs, in_a_browser};
use crate::install::Installer;
use crate::wasm_toolchain::Choice;
use crate::workspace::Workspace;

/// Kills; a run of the tests has 20.
const ROUNDS: &str = "300";

pub(super) fn prove(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<Finding> {
    build_browser_programs(workspace, installer, choice)?;
    let mut run = workspace.command(in_a_browser(workspace));
    let output = run.args(["tab-kills", ROUNDS]).output().context("starting the browser")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("a killed tab lost something:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    let summary = said.lines().last().unwrap_or_default();
    let Some((amount, result)) = summary.split_once(": ") else { bail!("no summary: {said}") };
    let command = "cargo xtask prove tab-kills".to_owned();
    Ok(Finding { command, amount: amount.to_owned(), result: result.to_owned() })
}
