//! `cargo xtask build`: the finished program, with the app inside.

use anyhow::Result;

use crate::children;
use crate::install::Installer;
use crate::wasm_toolchain::Choice;
use crate::web_app::{self, Shrinking};
use crate::workspace::Workspace;

pub(crate) fn build(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<()> {
    web_app::build(workspace, installer, choice, Shrinking::Required)?;
    build_program(workspace)?;
    println!("built {}", workspace.target_dir.join("release/tidebook").display());
    Ok(())
}

/// target/release/tidebook, with whatever web app was built before.
pub(crate) fn build_program(workspace: &Workspace) -> Result<()> {
    let mut build = workspace.cargo();
    children::run("building tidebook", build.args(["build", "--release", "--package", "tidebook-cli"]))
}
