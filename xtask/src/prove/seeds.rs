//! Seeds of the simulator, 100,000 unless others are asked for: each holds. And every planted bug is found.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use super::Finding;
use crate::workspace::Workspace;

/// A run of the tests has the first 1,000 of them.
pub(super) const SEEDS: u64 = 100_000;

pub(super) fn prove(workspace: &Workspace, from: u64, seeds: u64) -> Result<Finding> {
    let range = format!("--from {from} --seeds {seeds}");
    // Not --brief: of a seed that fails, the simulator then tells the command that shows it with the least of its world.
    let said = simulate(workspace, &range.split(' ').collect::<Vec<_>>())
        .context("some seeds do not hold; each is told above with the command that tells its story")?;
    let (amount, result) = summary(&said).context("no summary")?;
    let said = simulate(workspace, &["--plants"]).context("a planted bug goes unnoticed")?;
    let plants = plants_found(&said).context("no planted bugs")?;
    Ok(Finding { command: format!("cargo xtask prove seeds {range}"), amount, result: format!("{result}; {plants}") })
}

/// What the simulator says, which is shown as it comes.
fn simulate(workspace: &Workspace, arguments: &[&str]) -> Result<Vec<String>> {
    let mut run = workspace.cargo();
    run.args(["run", "--release", "--package", "tidebook-sim", "--"]).args(arguments);
    let mut child = run.stdout(Stdio::piped()).spawn().context("starting the simulator")?;
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().context("its output is piped")?).lines() {
        let line = line?;
        eprintln!("{line}");
        said.push(line);
    }
    ensure!(child.wait()?.success(), "the simulator failed");
    Ok(said)
}

/// From lines such as `dedupe_off    1 seeds  exactly once`: how many bugs were found, and which took longest.
fn plants_found(said: &[String]) -> Option<String> {
    let read = |line: &String| {
        let (plant, rest) = line.split_once(' ')?;
        let (seeds, _) = rest.split_once(" seeds  ")?;
        Some((seeds.trim().parse::<u64>().ok()?, plant.to_owned()))
    };
    let found: Vec<(u64, String)> = said.iter().filter_map(read).collect();
    let (seeds, slowest) = found.iter().max()?;
    Some(format!("{} planted bugs found, the last, {slowest}, after {seeds} seeds", found.len()))
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

    #[test]
    fn what_was_planted_is_told_with_the_slowest() {
        let said =
            ["dedupe_off                    1 seeds  exactly once", "saved_early                 555 seeds  saved"];
        let found = super::plants_found(&said.map(str::to_owned));
        assert_eq!(found.as_deref(), Some("2 planted bugs found, the last, saved_early, after 555 seeds"));
        assert_eq!(super::plants_found(&[]), None);
    }
}
