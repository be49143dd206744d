//! Load on a server, measured from outside, beside what else could carry it. Run by `cargo xtask bench`.

mod peers;
mod raw;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::peers::PeersCommand;

#[derive(Parser)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What the disk under this folder does by itself
    Raw { folder: PathBuf },
    #[command(subcommand, hide = true)]
    Peers(PeersCommand),
}

#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Raw { folder } => println!("{}", raw::measure(&folder, Duration::from_secs(2))?),
        Command::Peers(command) => command.run()?,
    }
    Ok(())
}
