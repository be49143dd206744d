//! What the kernel knows of a process: its memory and its time.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Of the kernel's clock that counts processes' time (`USER_HZ`, proc(5)); it is this everywhere.
const TICKS_PER_SECOND: u64 = 100;

/// Bytes of memory that the process has in use (`VmRSS`).
pub(crate) fn memory(pid: u32) -> Result<u64> {
    let kib: u64 = status(pid, "VmRSS")?.trim_end_matches(" kB").parse().context("VmRSS is a number")?;
    Ok(kib * 1024)
}

/// What the kernel says of a process in the line that begins with `name`.
pub(crate) fn status(pid: u32, name: &str) -> Result<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    Ok(value.with_context(|| format!("no {name}"))?.trim().to_owned())
}

/// The time it has spent on a processor.
pub(crate) fn time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
    // The name may have spaces in it; what follows it has none. User and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}
