//! The servers beside which ours is measured: gets them, and tries each alone.

use std::env::consts::ARCH;
use std::path::PathBuf;

use anyhow::Result;

use crate::install::Installer;
use crate::packages::{BUN, NATS, NODE, POCKETBASE};
use crate::workspace::Workspace;
use crate::{children, tools};

const TRIALS: &[&[&str]] = &[
    &["try", "bare", "--connections=50", "--events=5000"],
    &["try", "naive", "--connections=50", "--events=5000"],
    &["try", "naive-durable", "--connections=50", "--events=1000"],
    &["try", "bun", "--connections=50", "--events=5000"],
    &["try", "nats", "--connections=50", "--events=5000"],
    &["try-pocketbase", "--connections=64", "--records=5000"],
];

/// Installs what is missing. The variables by which the bench's program finds what the shell does not.
pub(super) fn install(workspace: &Workspace, installer: &Installer) -> Result<[(&'static str, PathBuf); 2]> {
    installer.debian(NATS)?;
    installer.debian(NODE)?;
    let architecture = if ARCH == "x86_64" { "x64" } else { ARCH };
    let program = format!("@oven/bun-linux-{architecture}/bin/bun");
    let bun = tools::npm(workspace, installer, BUN, &program, "carries events beside our server")?;
    let (package, version) = POCKETBASE;
    let pocketbase = tools::python(workspace, installer, package, &[&format!("{package}=={version}")])?;
    Ok([("TIDEBOOK_BENCH_BUN", bun), ("TIDEBOOK_BENCH_POCKETBASE", pocketbase.join("pocketbase"))])
}

/// The program that loads servers, and is some of those beside ours.
pub(super) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut build = workspace.cargo();
    children::run("building the bench", build.args(["build", "--release", "--package", "tidebook-bench"]))?;
    Ok(workspace.target_dir.join("release/tidebook-bench"))
}

pub(super) fn try_all(workspace: &Workspace, installer: &Installer) -> Result<()> {
    let found = install(workspace, installer)?;
    let program = build(workspace)?;
    for trial in TRIALS {
        let mut run = workspace.command(&program);
        run.arg("peers").args(*trial).envs(found.clone());
        children::run("trying a server", &mut run)?;
    }
    children::run("measuring the disk", workspace.command(&program).arg("raw").arg(&workspace.target_dir))
}
