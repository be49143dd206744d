//! A browser, a terminal and a script in one book, while the line is cut at random: they end equal.

use anyhow::Result;

use super::{Finding, in_browsers};
use crate::install::Installer;
use crate::wasm_toolchain::Choice;
use crate::workspace::Workspace;

const SECONDS: &str = "600";

pub(super) fn prove(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<Finding> {
    in_browsers(workspace, installer, choice, &["three-clients", SECONDS])
}
