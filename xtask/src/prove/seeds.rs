//! Seeds of the simulator, 100,000 unless others are asked for: each holds.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};

use super::Finding;
use crate::workspace::Workspace;

/// A run of the tests has the first 1,000 of them.
pub(super) const SEEDS: u64 = 100_000;

pub(super) fn prove(workspace: &Workspace, from: u64, seeds: u64) -> Result<Finding> {
    let range = format!("--from {from} --seeds {seeds}");
    let mut run = workspace.cargo();
    // Not --brief: of a seed that fails, the simulator then tells the command that shows it with the least of its world.
    run.args(["run", "--release", "--package", "tidebook-sim", "--"]).args(range.split(' '));
    let mut child = run.stdout(Stdio::piped()).spawn().context("starting the simulator")?;
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().context("its output is piped")?).lines() {
        let line = line?;
        eprintln!("{line}");
        said.push(line);
    }
    if !child.wait()?.success() {
        bail!("some seeds do not hold; each is told above with the command that tells its story");
    }
    let Some((amount, result)) = summary(&said) else { bail!("no summary") };
    Ok(Finding { command: format!("cargo xtask prove seeds {range}"), amount, result })
}

/// From `100000 seeds in 1 s: 2 client-hours of virtual time`, a line of counts, and the share of seeds with each fault.
fn summary(said: &[String]) -> Option<(String, String)> {
    let at = said.iter().position(|line| line.contains(" seeds in "))?;
    let (amount, hours) = said[at].split_once(": ")?;
    let shares = said[at + 1..].iter().filter_map(|line| line.trim().split_once(" % with "));
    let shares: Vec<String> = shares.map(|(share, fault)| format!("{fault} {share}")).collect();
    let counts = said.get(at + 1)?;
    Some((amount.to_owned(), format!("all hold: {hours}; {counts}; per cent of seeds with {}", shares.join(", "))))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_found_is_one_line() {
        let said = [
            "10 of 20 seeds, 0 failed",
            "20 seeds in 1.5 s: 7 client-hours of virtual time",
            "3 entries, 2 conflicts raised, 1 rejections",
            "of all seeds there were:",
            "  51.5 % with slow frames",
            "   5.0 % with lost frames",
        ];
        let (amount, result) = super::summary(&said.map(str::to_owned)).expect("a summary");
        assert_eq!(amount, "20 seeds in 1.5 s");
        let expected = "all hold: 7 client-hours of virtual time; 3 entries, 2 conflicts raised, 1 rejections; \
            per cent of seeds with slow frames 51.5, lost frames 5.0";
        assert_eq!(result, expected);
        assert_eq!(super::summary(&[]), None);
    }
}
