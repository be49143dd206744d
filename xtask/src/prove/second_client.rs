//! A second client, in another language and written from the protocol's text alone, tries every line of that text.

use anyhow::{Context, Result, bail};

use super::Finding;
use crate::children;
use crate::install::Installer;
use crate::packages::SECOND_CLIENT;
use crate::tools::python;
use crate::wasm_toolchain::Choice;
use crate::web_app::{self, Shrinking};
use crate::workspace::Workspace;

pub(super) fn prove(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<Finding> {
    let python = python(workspace, installer, "second-client", SECOND_CLIENT)?.join("python");
    web_app::build(workspace, installer, choice, Shrinking::WhereNodeIs)?;
    children::run("building tidebook", workspace.cargo().args(["build", "--package", "tidebook-cli"]))?;
    let mut run = workspace.command(python);
    // Nothing it leaves behind is the repository's.
    run.arg("-B").arg(workspace.root.join("proofs/second-client/run.py"));
    run.arg(workspace.target_dir.join("debug/tidebook"));
    let output = run.output().context("starting the second client")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the second client found something:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    let summary = said.lines().last().unwrap_or_default();
    let Some((checks, "0 failed")) = summary.split_once(", ") else { bail!("no summary: {said}") };
    let command = "cargo xtask prove second-client".to_owned();
    Ok(Finding { command, amount: checks.to_owned(), result: "all as the protocol says".to_owned() })
}
