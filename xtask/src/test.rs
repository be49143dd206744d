//! `cargo xtask test`: everything that must hold at each commit, ending with the test runner's own words.

use std::fs;

use anyhow::{Context, Result};

use crate::install::Installer;
use crate::packages::{BROWSER, SECOND_OPINIONS};
use crate::wasm_toolchain::{Choice, WasmToolchain};
use crate::web_app::{self, Shrinking};
use crate::workspace::Workspace;
use crate::{children, tidy};

pub(crate) fn test(workspace: &Workspace, installer: &Installer, choice: Choice, filter: &[String]) -> Result<()> {
    installer.debian(BROWSER)?;
    installer.debian(SECOND_OPINIONS)?;
    if filter.is_empty() {
        check_layout(workspace, installer)?;
    } else {
        eprintln!("with a filter, only the tests run: no formatting, tidy, clippy or doc tests");
    }
    let toolchain = web_app::build(workspace, installer, choice, Shrinking::Required)?;
    build_simulator_for_node(workspace, toolchain)?;
    if filter.is_empty() {
        check_code(workspace, installer, toolchain)?;
    }
    // The browser's journeys start target/debug/tidebook. It is built along with the tests, and all of the workspace with
    // it: by itself, or without the web app, other features of the same libraries would have all of them built twice.
    let mut build = workspace.cargo();
    children::run("building the tests", build.args(["build", "--workspace", "--bins", "--tests"]))?;
    if has_nextest(workspace) {
        run_with_nextest(workspace, filter)
    } else {
        children::run_to_stdout("testing", workspace.cargo().args(["test", "--workspace"]).args(filter))
    }
}

fn check_layout(workspace: &Workspace, installer: &Installer) -> Result<()> {
    installer.rust_component(workspace, "rustfmt", "fmt")?;
    children::run("checking the formatting", workspace.cargo().args(["fmt", "--all", "--check"]))?;
    tidy::tidy(workspace)
}

fn check_code(workspace: &Workspace, installer: &Installer, toolchain: WasmToolchain) -> Result<()> {
    installer.rust_component(workspace, "clippy", "clippy")?;
    let mut clippy = workspace.cargo();
    children::run("linting", clippy.args(["clippy", "--all-targets", "--", "--deny", "warnings"]))?;
    match toolchain {
        WasmToolchain::Rustup => {
            let mut clippy = toolchain.cargo(workspace, "clippy");
            children::run("linting the web app", clippy.args(["--", "--deny", "warnings"]))
        }
        WasmToolchain::Debian => {
            eprintln!("Debian's compiler for WebAssembly has no clippy: the web app is not linted");
            Ok(())
        }
    }
}

/// For the test that compares its stories in Node with those here. Node itself came with what shrinks the web app.
fn build_simulator_for_node(workspace: &Workspace, toolchain: WasmToolchain) -> Result<()> {
    let mut build = toolchain.cargo(workspace, "build");
    children::run("building the simulator for Node", build.args(["--package", "tidebook-sim-wasm"]))?;
    let module = toolchain.modules_dir(workspace).join("tidebook-sim-wasm.wasm");
    // One place, whichever compiler made it: the test is not told of the choice.
    let place = workspace.target_dir.join("web-build/sim.wasm");
    fs::copy(&module, &place).with_context(|| format!("copying {} to {}", module.display(), place.display()))?;
    Ok(())
}

fn has_nextest(workspace: &Workspace) -> bool {
    children::output_of(workspace.cargo().args(["nextest", "--version"])).is_ok()
}

/// nextest does not run the docs' examples; they go first, so that its summary comes last.
fn run_with_nextest(workspace: &Workspace, filter: &[String]) -> Result<()> {
    if filter.is_empty() {
        children::run_to_stdout(
            "testing the docs' examples",
            workspace.cargo().args(["test", "--workspace", "--doc"]),
        )?;
    }
    children::run_to_stdout("testing", workspace.cargo().args(["nextest", "run", "--workspace"]).args(filter))
}
