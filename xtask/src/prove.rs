//! `cargo xtask prove NAME`: proofs that take too long, or bring too much along, for every commit. Each appends what it
//! found to docs/proofs.md.

mod backups;
mod client_kills;
mod fuzz;
mod ihatemoney;
mod openapi;
mod partitions;
mod second_client;
mod seeds;
mod tab_kills;
mod three_clients;
mod websocket;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::gallery::{build_browser_programs, in_a_browser};
use crate::install::Installer;
use crate::note::{self, Commit};
use crate::wasm_toolchain::Choice;
use crate::workspace::Workspace;

/// Where what was found is noted.
const PROOFS: &str = "docs/proofs.md";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proof {
    /// projects kept in a real IHateMoney server: imported from its CSV, everyone's balance is what the server says
    Ihatemoney,
    /// 100 backups of a server that is written to: each restores to a beginning of the log, and is in order
    Backups,
    /// 2,000 of the terminal's processes killed in the middle of anything: nothing they called saved is lost, or there twice
    ClientKills,
    /// every decoder of inbound bytes under libFuzzer: no panic, no hang, no more memory than there may be
    Fuzz,
    /// schemathesis against the served OpenAPI: no server error, no undocumented answer
    Openapi,
    /// 10,000 partitions of native clients and browsers, healed: nobody is stuck, and nobody diverged
    Partitions,
    /// a client in Python, written from the protocol's text alone, against a server: every line of it that shows
    SecondClient,
    /// seeds of the simulator, 100,000 of them: each holds
    Seeds,
    /// 300 tabs killed in the middle of edits: nothing they called saved is lost, or there twice
    TabKills,
    /// a browser, a terminal and a script in one book for ten minutes of random cuts: they end equal
    ThreeClients,
    /// the Autobahn cases against the server's own WebSocket: sections 1 to 10, all that apply
    Websocket,
}

/// How much of it, where a proof leaves that open.
#[derive(Clone, Copy, Args)]
pub(crate) struct Extent {
    /// How long `fuzz` runs each target, of which two run at once [default: 600]
    #[arg(long)]
    seconds: Option<u32>,
    /// The first seed of `seeds` [default: 0]
    #[arg(long)]
    from: Option<u64>,
    /// How many there are [default: 100000]
    #[arg(long)]
    seeds: Option<u64>,
}

impl Extent {
    fn require_sense(self, proof: Proof) -> Result<()> {
        ensure!(self.seconds.is_none() || proof == Proof::Fuzz, "--seconds is for `fuzz` alone");
        let is_of_seeds = self.from.is_some() || self.seeds.is_some();
        ensure!(!is_of_seeds || proof == Proof::Seeds, "--from and --seeds are for `seeds` alone");
        Ok(())
    }
}

/// What a proof found, as a line of docs/proofs.md tells it.
struct Finding {
    /// The command that repeats it.
    command: String,
    amount: String,
    result: String,
}

pub(crate) fn prove(
    workspace: &Workspace,
    installer: &Installer,
    choice: Choice,
    proof: Proof,
    extent: Extent,
) -> Result<()> {
    extent.require_sense(proof)?;
    let commit = Commit::begin(workspace, PROOFS)?;
    let finding = match proof {
        Proof::Ihatemoney => ihatemoney::prove(workspace, installer)?,
        Proof::Backups => backups::prove(workspace)?,
        Proof::ClientKills => client_kills::prove(workspace)?,
        Proof::Fuzz => fuzz::prove(workspace, installer, extent.seconds.unwrap_or(fuzz::SECONDS))?,
        Proof::Openapi => openapi::prove(workspace, installer, choice)?,
        Proof::Partitions => partitions::prove(workspace, installer, choice)?,
        Proof::SecondClient => second_client::prove(workspace, installer, choice)?,
        Proof::Seeds => seeds::prove(workspace, extent.from.unwrap_or(0), extent.seeds.unwrap_or(seeds::SEEDS))?,
        Proof::TabKills => tab_kills::prove(workspace, installer, choice)?,
        Proof::ThreeClients => three_clients::prove(workspace, installer, choice)?,
        Proof::Websocket => websocket::prove(workspace, installer)?,
    };
    println!("{}: {}", finding.amount, finding.result);
    let Finding { command, amount, result } = finding;
    note::append(workspace, PROOFS, &commit.end(workspace)?, &format!("`{command}` | {amount} | {result}"))
}

/// A proof whose program runs browsers, and says in its last line how much it did, and what came of it. Its name is that
/// of its first argument.
fn in_browsers(workspace: &Workspace, installer: &Installer, choice: Choice, arguments: &[&str]) -> Result<Finding> {
    build_browser_programs(workspace, installer, choice)?;
    let output = workspace.command(in_a_browser(workspace)).args(arguments).output().context("starting the browser")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("it does not hold:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    let summary = said.lines().last().unwrap_or_default();
    let Some((amount, result)) = summary.split_once(": ") else { bail!("no summary: {said}") };
    let command = format!("cargo xtask prove {}", arguments[0]);
    Ok(Finding { command, amount: amount.to_owned(), result: result.to_owned() })
}
