//! A real IHateMoney server and its members' balances, against what its CSV export comes to once it is imported here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Finding;
use crate::children;
use crate::install::Installer;
use crate::packages::IHATEMONEY;
use crate::tools::python;
use crate::workspace::Workspace;

/// What the projects follow from.
const SEED: &str = "11";

/// Bills a project.
const BILLS: usize = 150;

/// Projects that `projects.py` makes, and how many decimals their currency has. Where bills name none they are imported
/// in euros.
const PROJECTS: [(&str, i32); 3] = [("euros", 2), ("yen", 0), ("nothing", 2)];

/// The server adds floats up and rounds nothing: rounding to whole minor units may take or give half of one.
const DIFFERENCE_MAX: f64 = 0.5 + 1e-6;

pub(super) fn prove(workspace: &Workspace, installer: &Installer) -> Result<Finding> {
    let (package, version) = IHATEMONEY;
    let python = python(workspace, installer, package, &[&format!("{package}=={version}")])?.join("python");
    let mut build = workspace.cargo();
    children::run("building", build.args(["build", "--package", "tidebook-ledger", "--example", "plan_csv"]))?;
    let folder = workspace.target_dir.join("prove-ihatemoney");
    let _absent_at_first = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;

    let mut run = workspace.command(python);
    // Nothing it leaves behind is the repository's.
    run.arg("-B").arg(workspace.root.join("proofs/ihatemoney/projects.py"));
    run.arg(&folder).args([SEED, &BILLS.to_string()]);
    children::run("keeping bills in IHateMoney", &mut run)?;

    let mut balances = 0;
    for (name, digits) in PROJECTS {
        balances += compare(workspace, &folder, name, digits)?;
    }
    let bills = PROJECTS.len() * BILLS;
    Ok(Finding {
        command: "cargo xtask prove ihatemoney".to_owned(),
        amount: format!(
            "{package} {version}, {} projects of {BILLS} bills ({bills}), {balances} balances",
            PROJECTS.len()
        ),
        result: "each is what the server says, to the minor unit".to_owned(),
    })
}

/// Compares the balance of each member with what the file comes to for them; how many there were.
fn compare(workspace: &Workspace, folder: &Path, name: &str, digits: i32) -> Result<usize> {
    let reported = fs::read_to_string(folder.join(format!("{name}-balances.json")))?;
    let reported: BTreeMap<String, f64> = serde_json::from_str(&reported).context("reading the server's balances")?;
    for (me, reported) in &reported {
        let imported = imported(workspace, &folder.join(format!("{name}.csv")), me)?;
        let expected = reported * 10_f64.powi(digits);
        ensure!(
            (imported - expected).abs() <= DIFFERENCE_MAX,
            "{me} in {name}: the server says {reported}, imported came {imported}"
        );
    }
    Ok(reported.len())
}

/// What all contacts together owe this person once the file is imported, in minor units of the one currency it has.
fn imported(workspace: &Workspace, file: &Path, me: &str) -> Result<f64> {
    let mut plan = workspace.command(workspace.target_dir.join("debug/examples/plan_csv"));
    let report: Value = serde_json::from_str(&children::output_of(plan.arg(file).args([me, "EUR"]))?)?;
    let totals = report["totals"].as_array().context("totals")?;
    ensure!(totals.len() <= 1, "a project has one currency: {report}");
    totals.iter().map(|total| total["planned"].as_f64().context("a total")).sum()
}
