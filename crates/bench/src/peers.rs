//! Servers that ours is measured beside. All of them do the same: there is one topic, every connection subscribes to it,
//! and what one connection publishes goes to every subscriber, its own publisher included.

mod bare;
mod file;
mod naive;

mod bun;
mod nats;
mod pocketbase;

mod running;
mod trial;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fmt};

use anyhow::{Context as _, Result};
use clap::{Subcommand, ValueEnum};

use crate::websocket;

pub(crate) use pocketbase::start_pocketbase;
pub(crate) use running::{Running, free_address};

/// Carries events to subscribers.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Peer {
    /// A loop that copies bytes from socket to sockets: what the machine can do at all
    Bare,
    /// axum, one broadcast channel, one task per connection
    Naive,
    /// The same, with one SQLite commit per event before it is broadcast
    NaiveDurable,
    /// Bun's WebSocket server with its own publish and subscribe
    Bun,
    /// nats-server
    Nats,
}

impl Peer {
    /// Starts it on a core of its own and waits until it answers. `folder` is for its log and its files.
    pub(crate) fn start(self, core: usize, folder: &Path) -> Result<Running> {
        let address = free_address()?;
        let command = match self {
            Self::Bare => ours("serve-bare", address)?,
            Self::Naive => ours("serve-naive", address)?,
            Self::NaiveDurable => {
                let mut command = ours("serve-naive", address)?;
                command.arg("--database").arg(Self::database(folder));
                command
            }
            Self::Bun => bun::command(address, folder)?,
            Self::Nats => nats::command(address, folder)?,
        };
        Running::start(&self.to_string(), command, core, address, folder)
    }

    /// Where `NaiveDurable` keeps its events.
    fn database(folder: &Path) -> PathBuf {
        folder.join("naive.db")
    }

    /// What a connection sends first.
    pub(crate) fn greeting(self, host: SocketAddr) -> Vec<u8> {
        match self {
            Self::Bare => Vec::new(),
            Self::Naive | Self::NaiveDurable | Self::Bun => websocket::upgrade(host, "/", ""),
            Self::Nats => nats::GREETING.to_vec(),
        }
    }

    /// What the connection receives once it is subscribed: what is published from then on reaches it.
    pub(crate) fn subscribed(self) -> &'static [u8] {
        match self {
            Self::Bare | Self::Naive | Self::NaiveDurable | Self::Bun => b"subscribed",
            Self::Nats => nats::SUBSCRIBED,
        }
    }

    /// Appends the bytes that publish `payload` to `out`.
    pub(crate) fn publish(self, payload: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Bare => bare::publish(payload, out),
            Self::Naive | Self::NaiveDurable | Self::Bun => websocket::text_frame(payload, out),
            Self::Nats => nats::publish(payload, out),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare",
            Self::Naive => "naive",
            Self::NaiveDurable => "naive-durable",
            Self::Bun => "bun",
            Self::Nats => "nats",
        })
    }
}

/// Starts what sends the file at `path` to each who connects.
pub(crate) fn serve_file(core: usize, folder: &Path, path: &Path) -> Result<Running> {
    let address = free_address()?;
    let mut command = ours("serve-file", address)?;
    command.arg(path);
    Running::start("file", command, core, address, folder)
}

/// This program, as one of the servers that are ours.
fn ours(subcommand: &str, address: SocketAddr) -> Result<Command> {
    let mut command = Command::new(env::current_exe().context("finding this program")?);
    command.args(["peers", subcommand, &address.to_string()]);
    Ok(command)
}

/// A program that is not ours: where `cargo xtask bench` says it is.
fn installed(variable: &str) -> Result<OsString> {
    env::var_os(variable).with_context(|| format!("{variable} names no program: `cargo xtask bench` sets it"))
}

/// The servers that are ours, and a trial of all.
#[derive(Subcommand)]
pub(crate) enum PeersCommand {
    ServeBare {
        address: SocketAddr,
    },
    ServeNaive {
        address: SocketAddr,
        #[arg(long)]
        database: Option<PathBuf>,
    },
    ServeFile {
        address: SocketAddr,
        path: PathBuf,
    },
    /// Shows that a peer does what all of them do: everybody receives everything
    Try {
        #[arg(value_enum)]
        peer: Peer,
        #[arg(long, default_value_t = 3)]
        connections: usize,
        #[arg(long, default_value_t = 10)]
        events: u64,
    },
    /// Shows that PocketBase keeps what it is sent
    TryPocketbase {
        #[arg(long, default_value_t = 3)]
        connections: usize,
        #[arg(long, default_value_t = 10)]
        records: usize,
    },
}

impl PeersCommand {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::ServeBare { address } => bare::serve(address),
            Self::ServeNaive { address, database } => naive::serve(address, database.as_deref()),
            Self::ServeFile { address, path } => file::serve(address, &path),
            Self::Try { peer, connections, events } => trial::try_peer(peer, connections, events),
            Self::TryPocketbase { connections, records } => trial::try_pocketbase(connections, records),
        }
    }
}
