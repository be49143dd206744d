//! Bun with a script of a few lines.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::installed;

const SCRIPT: &str = include_str!("../../peers/fanout.js");

pub(super) fn command(address: SocketAddr, folder: &Path) -> Result<Command> {
    let script = folder.join("fanout.js");
    fs::write(&script, SCRIPT)?;
    let mut command = Command::new(installed("TIDEBOOK_BENCH_BUN")?);
    command.arg(script).arg(address.port().to_string());
    Ok(command)
}
