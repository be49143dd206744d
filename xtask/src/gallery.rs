//! `cargo xtask gallery`: a picture of every screen in every state, and the page in the docs that lists them.

use std::path::PathBuf;

use anyhow::Result;

use crate::children;
use crate::install::Installer;
use crate::packages::BROWSER;
use crate::wasm_toolchain::Choice;
use crate::web_app::{self, Shrinking};
use crate::workspace::Workspace;

pub(crate) fn gallery(
    workspace: &Workspace,
    installer: &Installer,
    choice: Choice,
    folder: Option<PathBuf>,
) -> Result<()> {
    let folder = folder.unwrap_or_else(|| workspace.target_dir.join("gallery"));
    build_browser_programs(workspace, installer, choice)?;
    let mut walk = workspace.command(in_a_browser(workspace));
    walk.arg("gallery").arg(&folder).arg("--table").arg(workspace.root.join("docs/gallery.md"));
    children::run_to_stdout("making the pictures", &mut walk)?;
    println!("the pictures are in {}", folder.display());
    Ok(())
}

/// The program that drives browsers, and the one it drives them against.
pub(crate) fn build_browser_programs(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<()> {
    installer.debian(BROWSER)?;
    web_app::build(workspace, installer, choice, Shrinking::WhereNodeIs)?;
    let mut build = workspace.cargo();
    build.args(["build", "--package", "tidebook-cli", "--package", "tidebook-e2e", "--bins"]);
    children::run("building tidebook and what drives browsers", &mut build)
}

pub(crate) fn in_a_browser(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("debug/tidebook-e2e")
}
