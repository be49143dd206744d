//! The Autobahn cases against the server's own WebSocket, which an example echoes with.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Finding;
use crate::children;
use crate::install::Installer;
use crate::packages::AUTOBAHN;
use crate::tools::python;
use crate::workspace::Workspace;

/// Compression, which is not offered.
const NOT_OURS: [&str; 2] = ["12.*", "13.*"];

pub(super) fn prove(workspace: &Workspace, installer: &Installer) -> Result<Finding> {
    let (package, version) = AUTOBAHN;
    let autobahn = python(workspace, installer, package, &[&format!("{package}=={version}")])?.join("python");
    let mut build = workspace.cargo();
    children::run("building", build.args(["build", "--package", "tidebook-server", "--example", "echo"]))?;
    let mut echo = Echo::start(workspace)?;
    let mut run = workspace.command(autobahn);
    // Nothing it leaves behind is the repository's.
    run.arg("-B").arg(workspace.root.join("proofs/websocket/cases.py")).arg(&echo.address).args(NOT_OURS);
    let said = children::output_of(&mut run).context("a case failed");
    echo.child.kill()?;
    echo.child.wait()?;
    let said = said?;
    let summary = said.lines().last().unwrap_or_default();
    let (cases, result) = summary.split_once(": ").with_context(|| format!("no summary: {said}"))?;
    Ok(Finding {
        command: "cargo xtask prove websocket".to_owned(),
        amount: format!("{package} {version}, {cases}"),
        result: result.to_owned(),
    })
}

/// The example, running.
struct Echo {
    child: Child,
    address: String,
}

impl Echo {
    fn start(workspace: &Workspace) -> Result<Self> {
        let mut command = Command::new(workspace.target_dir.join("debug/examples/echo"));
        let mut child = command.stdout(Stdio::piped()).spawn().context("starting the echo")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output is a pipe")?).read_line(&mut line)?;
        ensure!(!line.is_empty(), "the echo did not start");
        Ok(Self { address: line.trim().to_owned(), child })
    }
}
