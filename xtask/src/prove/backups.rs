//! Backups of a server that is written to all the while: each of them restores to a beginning of the log.

use anyhow::{Context, Result, bail};

use super::Finding;
use crate::workspace::Workspace;

/// Backups; a run of the tests makes 10.
const BACKUPS: &str = "100";

pub(super) fn prove(workspace: &Workspace) -> Result<Finding> {
    let mut run = workspace.cargo();
    run.args(["test", "--package", "tidebook-cli", "--test", "it", "--"]);
    run.args(["--exact", "backup::backups_under_load_are_beginnings_of_the_log", "--nocapture"]);
    let output = run.env("PROVE_BACKUPS", BACKUPS).output().context("starting the test")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("a backup was not what it should be:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    let summary = said.lines().find_map(|line| line.split_once(" backups while ").map(|_| line));
    let Some((amount, result)) = summary.and_then(|line| line.split_once(": ")) else { bail!("no summary: {said}") };
    let command = "cargo xtask prove backups".to_owned();
    Ok(Finding { command, amount: amount.to_owned(), result: result.to_owned() })
}
