//! axe-core: what a screen lacks for people who cannot see or use it as others do.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use crate::{Browser, places};

const AXE: (&str, &str) = ("axe-core", "4.14.1");

/// A page of 30,000 elements takes a second.
const CHECKED_WITHIN: Duration = Duration::from_secs(60);

/// How many elements of a violation are told.
const PLACES_SHOWN: usize = 5;

#[derive(Deserialize)]
struct Violation {
    id: String,
    help: String,
    nodes: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    html: String,
    #[serde(rename = "failureSummary", default)]
    summary: String,
}

/// The checker's script; fetched where it is not there yet.
pub fn script() -> Result<String> {
    let (name, version) = AXE;
    let folder = places::tools()?.join(format!("{name}-{version}"));
    let script = folder.join(format!("node_modules/{name}/axe.min.js"));
    // One journey fetches it, the others wait.
    let turn = File::create(places::shared()?.join("axe-turn"))?;
    turn.lock()?;
    if !script.exists() {
        fs::create_dir_all(&folder)?;
        let mut npm = Command::new(places::installed("npm")?);
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefix"]).arg(&folder);
        npm.arg(format!("{name}@{version}")).stdin(Stdio::null());
        let output = npm.output().context("starting npm")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "npm did not fetch {name} {version}: {said}");
    }
    fs::read_to_string(&script).with_context(|| format!("{name} {version} came without {}", script.display()))
}

impl Browser {
    /// What axe finds on the page as it is now, one text a rule. `script`: see [`script`].
    pub async fn violations(&self, script: &str) -> Result<Vec<String>> {
        if self.run("return typeof window.axe", Value::Null).await? != "object" {
            self.run(script, Value::Null).await.map_err(|_| anyhow::anyhow!("axe does not start"))?;
        }
        let run = "axe.run(document, { resultTypes: ['violations'] })
            .then(result => done(result.violations), error => done(String(error)))";
        let found =
            timeout(CHECKED_WITHIN, self.run_until_done(run, Value::Null)).await.context("axe does not end")??;
        let violations: Vec<Violation> =
            serde_json::from_value(found.clone()).with_context(|| format!("axe says {found}"))?;
        Ok(violations.iter().map(described).collect())
    }
}

fn described(violation: &Violation) -> String {
    let places = violation.nodes.iter().take(PLACES_SHOWN);
    let places: Vec<String> = places.map(|place| format!("  {}\n    {}", place.html, place.summary)).collect();
    let Violation { id, help, nodes } = violation;
    format!("{id} at {} places: {help}\n{}", nodes.len(), places.join("\n"))
}
