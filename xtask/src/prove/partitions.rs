//! Lines of native clients and browsers, all of them processes of their own, that part and heal at random: nobody is stuck
//! afterwards, and nobody diverged.
//! `target/debug/tidebook-e2e partitions ROUNDS` tries it with fewer.

use anyhow::Result;

use super::{Finding, in_browsers};
use crate::install::Installer;
use crate::wasm_toolchain::Choice;
use crate::workspace::Workspace;

const ROUNDS: &str = "10000";

pub(super) fn prove(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<Finding> {
    in_browsers(workspace, installer, choice, &["partitions", ROUNDS])
}
