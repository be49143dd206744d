//! Server and load each have a core of their own.

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_setaffinity};

pub(crate) const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;

/// From here on this program runs on the load's core.
pub(crate) fn keep_to_the_loads() -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(LOAD_CORE);
    sched_setaffinity(None, &cores).context("the load has a core of its own: this machine needs two")
}
