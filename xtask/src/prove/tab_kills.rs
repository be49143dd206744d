//! Tabs that are killed in the middle of edits: what they called saved is in the log afterwards, once.

use anyhow::Result;

use super::{Finding, in_browsers};
use crate::install::Installer;
use crate::wasm_toolchain::Choice;
use crate::workspace::Workspace;

/// Kills; a run of the tests has 20.
const ROUNDS: &str = "300";

pub(super) fn prove(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<Finding> {
    in_browsers(workspace, installer, choice, &["tab-kills", ROUNDS])
}
