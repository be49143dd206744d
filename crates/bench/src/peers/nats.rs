//! nats-server, found by the shell, and what its clients say.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

/// A server echoes to the publisher unless told not to. PING is answered after what came before it.
pub(super) const GREETING: &[u8] = b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB events 1\r\nPING\r\n";
pub(super) const SUBSCRIBED: &[u8] = b"PONG\r\n";

pub(super) fn command(address: SocketAddr, folder: &Path) -> Result<Command> {
    let config = folder.join("nats.conf");
    fs::write(&config, configuration(address))?;
    let mut command = Command::new("nats-server");
    command.arg("--config").arg(config);
    Ok(command)
}

/// The rest is its default: 65,536 connections, 64 MiB and 10 s for one that does not read.
fn configuration(address: SocketAddr) -> String {
    // The readers of the load answer no pings, and it would close them after two.
    format!("listen: \"{address}\"\nping_interval: \"1h\"\n")
}

pub(super) fn publish(payload: &[u8], out: &mut Vec<u8>) {
    write!(out, "PUB events {}\r\n", payload.len()).expect("a Vec takes everything");
    out.extend(payload);
    out.extend(b"\r\n");
}
