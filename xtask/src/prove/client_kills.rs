//! The terminal's processes killed in the middle of anything: what they said was saved is in the log afterwards, once.

use anyhow::{Context, Result, bail};

use super::Finding;
use crate::workspace::Workspace;

/// Kills; a run of the tests has 200.
const KILLS: &str = "2000";

pub(super) fn prove(workspace: &Workspace) -> Result<Finding> {
    let mut run = workspace.cargo();
    run.args(["test", "--package", "tidebook-cli", "--test", "it", "--"]);
    run.args(["--exact", "client_kill::what_a_killed_program_said_is_saved_is_saved", "--nocapture"]);
    let output = run.env("PROVE_CLIENT_KILLS", KILLS).output().context("starting the test")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("a killed program lost something:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    let summary = said.lines().find(|line| line.contains(" programs killed, "));
    let Some((amount, result)) = summary.and_then(|line| line.split_once(": ")) else { bail!("no summary: {said}") };
    let command = "cargo xtask prove client-kills".to_owned();
    Ok(Finding { command, amount: amount.to_owned(), result: result.to_owned() })
}
