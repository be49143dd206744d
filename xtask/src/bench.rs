//! `cargo xtask bench NAME`: what something costs, measured on the finished program. Each appends a line to
//! docs/benchmarks.md.

mod peers;

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::install::Installer;
use crate::packages::BROWSER;
use crate::wasm_toolchain::Choice;
use crate::workspace::Workspace;
use crate::{build, children, note};

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Bench {
    /// a book of 10,000 contacts and 100,000 transactions in a browser: start, scrolling, search, memory
    LargeBook,
    /// the servers beside which ours is measured, and the disk, each alone and for a moment: notes nothing
    Peers,
}

pub(crate) fn bench(workspace: &Workspace, installer: &Installer, choice: Choice, bench: Bench) -> Result<()> {
    match bench {
        Bench::LargeBook => in_a_browser(workspace, installer, choice, "large-book"),
        Bench::Peers => peers::try_all(workspace, installer),
    }
}

fn in_a_browser(workspace: &Workspace, installer: &Installer, choice: Choice, name: &str) -> Result<()> {
    installer.debian(BROWSER)?;
    build::build(workspace, installer, choice)?;
    children::run("building the bench", workspace.cargo().args(["build", "--package", "tidebook-e2e"]))?;
    let mut run = workspace.command(workspace.target_dir.join("debug/tidebook-e2e"));
    run.arg(name).env("TIDEBOOK_BIN", workspace.target_dir.join("release/tidebook"));
    // It tells on the way what it does, and in its last line what it found.
    let output = run.stderr(Stdio::inherit()).output().context("starting the bench")?;
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    if !output.status.success() {
        bail!("the bench did not come to its end");
    }
    let found = said.trim_end().lines().last().context("the bench said nothing")?;
    note::append(workspace, "docs/benchmarks.md", &format!("`cargo xtask bench {name}` | {} | {found}", machine()))
}

/// "2 × AMD EPYC": enough to know which lines can be compared.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map(|(_, it)| it.trim());
    format!("{cores} × {}", model.unwrap_or("unknown processor"))
}
