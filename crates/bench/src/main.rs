//! Load on a server, measured from outside, beside what else could carry it. Run by `cargo xtask bench`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

mod catchup;
mod fanout;
mod idle;
mod stalls;
mod write;

mod http;
mod requests;
mod scan;
mod swarm;
mod target;
mod tidebook;
mod websocket;

mod cores;
mod medians;
mod peers;
mod plot;
mod process;
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
    /// One writes, many read
    Fanout(fanout::Options),
    /// Some stop reading for a while, and the others go on
    Stalls(stalls::Options),
    /// Durable writes
    Write(write::Options),
    /// What a connection costs that does nothing
    Idle(idle::Options),
    /// One reader that is far behind
    Catchup(catchup::Options),
    /// Very many readers that come back at once, each a little behind
    Storm(catchup::StormOptions),
    /// What the disk under this folder does by itself
    Raw { folder: PathBuf },
    #[command(subcommand, hide = true)]
    Peers(PeersCommand),
}

fn main() -> Result<()> {
    let command = Cli::parse().command;
    if !matches!(command, Command::Peers(_)) {
        cores::keep_to_the_loads()?;
    }
    match command {
        Command::Fanout(options) => println!("{}", fanout::run(&options)?),
        Command::Stalls(options) => println!("{}", stalls::run(&options)?),
        Command::Write(options) => println!("{}", write::run(&options)?),
        Command::Idle(options) => println!("{}", idle::run(&options)?),
        Command::Catchup(options) => println!("{}", catchup::run(&options)?),
        Command::Storm(options) => println!("{}", catchup::storm(&options)?),
        Command::Raw { folder } => println!("{}", raw::measure(&folder, Duration::from_secs(2))?),
        Command::Peers(command) => command.run()?,
    }
    Ok(())
}
