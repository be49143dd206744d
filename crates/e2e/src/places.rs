//! Where the programs are that a journey needs, and where it leaves what it finds.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The program under test: `TIDEBOOK_BIN`, or `tidebook` as built beside this program.
pub(crate) fn tidebook() -> Result<PathBuf> {
    if let Some(program) = env::var_os("TIDEBOOK_BIN") {
        return Ok(PathBuf::from(program));
    }
    let program = profile_dir()?.join("tidebook");
    if !program.exists() {
        bail!("there is no {}: `cargo xtask test` builds it, with the app inside", program.display());
    }
    Ok(program)
}

/// `tidebook-e2e` itself, for what it starts as processes of their own.
pub(crate) fn tidebook_e2e() -> Result<PathBuf> {
    Ok(profile_dir()?.join("tidebook-e2e"))
}

/// A program on PATH that `cargo xtask test` installs.
pub(crate) fn installed(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("there is no {name} on PATH: `cargo xtask test` installs it"))
}

/// Screenshots, of failures and of screens.
pub(crate) fn shots() -> Result<PathBuf> {
    made(target_dir()?.join("e2e-shots"))
}

/// npm packages, each in a folder of its own with its version.
pub(crate) fn tools() -> Result<PathBuf> {
    made(target_dir()?.join("tools"))
}

/// What journeys that run at the same time share.
pub(crate) fn shared() -> Result<PathBuf> {
    made(target_dir()?.join("tmp"))
}

fn made(folder: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

fn target_dir() -> Result<PathBuf> {
    let profile = profile_dir()?;
    profile.parent().map(Path::to_owned).context("this program is not in a target folder")
}

/// `target/debug`, from a program there or a test in its `deps`.
fn profile_dir() -> Result<PathBuf> {
    let program = env::current_exe()?;
    let folder = program.parent().context("this program is in no folder")?;
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
    profile.map(Path::to_owned).context("this program is not in a target folder")
}
