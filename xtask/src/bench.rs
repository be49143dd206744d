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

/// The file that keeps every run.
const DOC: &str = "docs/benchmarks.md";

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Bench {
    /// a book of 10,000 contacts and 100,000 transactions in a browser: start, scrolling, search, memory
    LargeBook,
    /// one writes, 1,000 and 5,000 read; beside Bun, nats-server and others
    Fanout,
    /// some of 1,000 readers stop for 5 and 20 seconds
    Stalls,
    /// durable writes: batches, one mutation a request, one alone; beside PocketBase and the disk
    Write,
    /// one reader that is 100,000 entries behind, beside a bare socket
    Catchup,
    /// 10,000 readers that come back at once
    Storm,
    /// what 10,000 connections cost that do nothing
    Idle,
    /// the pure crates: deciding, rebasing, opening, encoding, hashing
    Core,
    /// all of the server's, and the core's
    All,
    /// the servers beside which ours is measured, and the disk, each alone and for a moment: notes nothing
    Peers,
}

/// What loads a server from outside: the name of its bench, and the heading of its table.
const LOADS: &[(Bench, &str, &str)] = &[
    (Bench::Fanout, "fanout", "## Fan-out"),
    (Bench::Stalls, "stalls", "## Readers that stop"),
    (Bench::Write, "write", "## Durable writes"),
    (Bench::Catchup, "catchup", "## Catching up"),
    (Bench::Storm, "storm", "## All come back at once"),
    (Bench::Idle, "idle", "## Idle connections"),
];

pub(crate) fn bench(
    workspace: &Workspace,
    installer: &Installer,
    choice: Choice,
    bench: Bench,
    json: bool,
) -> Result<()> {
    match bench {
        Bench::LargeBook => in_a_browser(workspace, installer, choice, "large-book"),
        Bench::Core => core(workspace),
        Bench::Peers => peers::try_all(workspace, installer),
        one_or_all => {
            let chosen = LOADS.iter().filter(|(load, ..)| *load == one_or_all || one_or_all == Bench::All);
            loads(workspace, installer, choice, chosen, json)?;
            if one_or_all == Bench::All { core(workspace) } else { Ok(()) }
        }
    }
}

/// Criterion keeps its own history, in target/criterion, and says what has changed.
fn core(workspace: &Workspace) -> Result<()> {
    children::run("measuring the core", workspace.cargo().args(["bench", "--package", "tidebook-bench"]))
}

fn loads<'a>(
    workspace: &Workspace,
    installer: &Installer,
    choice: Choice,
    chosen: impl Iterator<Item = &'a (Bench, &'a str, &'a str)>,
    json: bool,
) -> Result<()> {
    let found = peers::install(workspace, installer)?;
    build::build(workspace, installer, choice)?;
    let program = peers::build(workspace)?;
    for (_, name, heading) in chosen {
        let mut run = workspace.command(&program);
        run.arg(name).envs(found.clone()).env("TIDEBOOK_BIN", workspace.target_dir.join("release/tidebook"));
        let output = run.stderr(Stdio::inherit()).output().context("starting the bench")?;
        if !output.status.success() {
            bail!("the bench {name} did not come to its end");
        }
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).context("reading what the bench said")?;
        if json {
            println!("{said}");
        }
        for cells in said["cells"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str) {
            let line = format!("`cargo xtask bench {name}` | {} | {cells}", machine());
            if !json {
                println!("{line}");
            }
            note::append_under(workspace, DOC, heading, &line)?;
        }
        let plots: Vec<String> = said["plots"].as_array().into_iter().flatten().map(plot).collect();
        if !plots.is_empty() {
            note::plot_under(workspace, DOC, heading, &plots)?;
        }
    }
    Ok(())
}

/// In Mermaid's words, which is what GitHub draws.
fn plot(said: &serde_json::Value) -> String {
    let bars = said["bars"].as_array().map_or(&[][..], Vec::as_slice);
    let of_bars = |what: &str| bars.iter().map(|bar| bar[what].to_string()).collect::<Vec<_>>().join(", ");
    let (names, values) = (of_bars("name"), of_bars("value"));
    format!(
        "xychart-beta\n    title {}\n    x-axis [{names}]\n    y-axis {}\n    bar [{values}]\n",
        said["title"], said["unit"]
    )
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
    let line = format!("`cargo xtask bench {name}` | {} | {found}", machine());
    note::append_under(workspace, DOC, "## A large book", &line)
}

/// "2 × AMD EPYC": enough to know which lines can be compared.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).map(|(_, it)| it.trim());
    format!("{cores} × {}", model.unwrap_or("unknown processor"))
}
