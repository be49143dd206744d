//! Where things are: the workspace as `cargo metadata` describes it, and the commands that work on it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target_dir: PathBuf,
    /// The answer of `cargo metadata --no-deps`, for the dependency graph.
    pub(crate) metadata: Value,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let output = Command::new(cargo_program())
            .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
            .output()
            .context("running `cargo metadata`")?;
        if !output.status.success() {
            bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let metadata: Value = serde_json::from_slice(&output.stdout).context("reading `cargo metadata`")?;
        let path = |field: &str| {
            metadata[field].as_str().map(PathBuf::from).with_context(|| format!("`cargo metadata` gave no {field}"))
        };
        Ok(Self { root: path("workspace_root")?, target_dir: path("target_directory")?, metadata })
    }

    /// A cargo command at the workspace's root, whose build finds the web app to embed.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.command(cargo_program());
        // Where the server looks anyway it is not said: with a variable set or not, cargo builds the server anew.
        if self.target_dir != self.root.join("target") {
            command.env("TIDEBOOK_WEB_DIST", self.web_dist());
        }
        command
    }

    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        command
    }

    /// What the server embeds: every file the browser may ask for.
    pub(crate) fn web_dist(&self) -> PathBuf {
        self.target_dir.join("web-build/dist")
    }

    /// npm packages that the build uses.
    pub(crate) fn tools_dir(&self) -> PathBuf {
        self.target_dir.join("tools")
    }
}

/// The cargo that runs us, so that one toolchain does everything.
fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
