//! Finds a compiler for WebAssembly, rustup's or Debian's, and gets one where there is none.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::children;
use crate::install::{Installer, are_installed, installed_conflicts};
use crate::packages::{WASM_COMPILER, WASM_TARGET};
use crate::workspace::Workspace;

/// rustup fetches from a server of its own, which not every network reaches.
const RUSTUP_WITHIN: Duration = Duration::from_secs(60);

/// What the person asks for.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum Choice {
    /// What is installed already, else rustup's, else Debian's
    Auto,
    /// rustup's target wasm32-unknown-unknown
    Rustup,
    /// Debian's packages rustc-web, cargo-web, rust-web-src and lld-19
    Debian,
}

/// A compiler that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WasmToolchain {
    Rustup,
    Debian,
}

pub(crate) fn ensure(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<WasmToolchain> {
    match choice {
        Choice::Rustup => ensure_rustup(workspace, installer),
        Choice::Debian => ensure_debian(installer),
        Choice::Auto if rustup_has_target(workspace) => Ok(WasmToolchain::Rustup),
        Choice::Auto if are_installed(WASM_COMPILER) => Ok(WasmToolchain::Debian),
        Choice::Auto => ensure_rustup(workspace, installer).or_else(|error| {
            eprintln!("{error:#}\nrustup's way failed: trying Debian's");
            ensure_debian(installer)
        }),
    }
}

impl WasmToolchain {
    /// `cargo SUBCOMMAND` for the web app with this compiler, at the workspace's root. Every subcommand gets the same
    /// profile and flags, so that they share what they build. Another package is named beside the web app, not in its
    /// place: by itself it would have the libraries built once more, with fewer features.
    pub(crate) fn cargo(self, workspace: &Workspace, subcommand: &str) -> Command {
        let mut command = match self {
            Self::Rustup => workspace.cargo(),
            Self::Debian => debian_cargo(workspace),
        };
        command.args([subcommand, "--package", "tidebook-web", "--profile", "web", "--target", WASM_TARGET]);
        command.arg("--target-dir").arg(self.target_dir(workspace));
        command.arg("--config").arg(format!("target.{WASM_TARGET}.rustflags = {:?}", without_paths(workspace)));
        if self == Self::Debian {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command
    }

    /// Two compilers must not undo each other's work.
    pub(crate) fn target_dir(self, workspace: &Workspace) -> PathBuf {
        workspace.target_dir.join(match self {
            Self::Rustup => "web-build",
            Self::Debian => "web-build-debian",
        })
    }

    /// Where [`WasmToolchain::cargo`] leaves what it built.
    pub(crate) fn modules_dir(self, workspace: &Workspace) -> PathBuf {
        self.target_dir(workspace).join(WASM_TARGET).join("web")
    }
}

/// What a panic says of where it happened is downloaded by everybody: where on the machine that built it the libraries
/// are is nobody's business.
fn without_paths(workspace: &Workspace) -> Vec<String> {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let registries = cargo_home.map(|home| home.join("registry/src"));
    let folders = registries.into_iter().chain([workspace.root.clone()]);
    folders.map(|folder| format!("--remap-path-prefix={}/=", folder.display())).collect()
}

/// Debian's compiler comes without a library for WebAssembly but with the library's source, which a stable compiler
/// builds only when told that it may.
fn debian_cargo(workspace: &Workspace) -> Command {
    let mut command = workspace.command("/usr/bin/cargo");
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", "/usr/bin/rustc")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19")
        // What rustup's cargo set for us would lead to rustup's libraries.
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn ensure_rustup(workspace: &Workspace, installer: &Installer) -> Result<WasmToolchain> {
    if rustup_has_target(workspace) {
        return Ok(WasmToolchain::Rustup);
    }
    eprintln!("missing: {WASM_TARGET} (compiles the web app)");
    let mut add = workspace.command("rustup");
    add.args(["target", "add", WASM_TARGET]);
    installer.allow(&children::line_of(&add))?;
    eprintln!("installing: {}", children::line_of(&add));
    children::run_within("fetching Rust's library for WebAssembly", &mut add, RUSTUP_WITHIN)?;
    if !rustup_has_target(workspace) {
        bail!("rustup added {WASM_TARGET} to another toolchain than the one in use: see `rustup show`");
    }
    Ok(WasmToolchain::Rustup)
}

fn ensure_debian(installer: &Installer) -> Result<WasmToolchain> {
    if are_installed(WASM_COMPILER) {
        return Ok(WasmToolchain::Debian);
    }
    let conflicts = installed_conflicts();
    if !conflicts.is_empty() {
        bail!(
            "Debian's compiler for WebAssembly (rustc-web, cargo-web) cannot be installed beside Debian's {}. Remove \
             that yourself, or use --wasm-toolchain rustup.",
            conflicts.join(", ")
        );
    }
    installer.debian(WASM_COMPILER)?;
    Ok(WasmToolchain::Debian)
}

fn rustup_has_target(workspace: &Workspace) -> bool {
    let mut rustc = workspace.command("rustc");
    let folder = children::output_of(rustc.args(["--print", "target-libdir", "--target", WASM_TARGET]));
    folder.is_ok_and(|folder| holds_library(Path::new(folder.trim())))
}

fn holds_library(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}
