//! Installs what is missing, saying what and why, or refuses and names the command.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Result, bail};

use crate::children;
use crate::packages::{DebianPackage, WASM_COMPILER_CONFLICTS};
use crate::workspace::Workspace;

pub(crate) struct Installer {
    policy: Policy,
}

#[derive(Clone, Copy, PartialEq)]
enum Policy {
    Install,
    Refuse,
}

impl Installer {
    pub(crate) fn new(no_install: bool) -> Self {
        Self { policy: if no_install { Policy::Refuse } else { Policy::Install } }
    }

    /// Makes sure that Debian's `packages` are installed.
    pub(crate) fn debian(&self, packages: &[DebianPackage]) -> Result<()> {
        let missing: Vec<_> = packages.iter().filter(|package| !is_installed(package)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        for package in &missing {
            eprintln!("missing: {} ({})", package.name, package.why);
        }
        let names: Vec<_> = missing.iter().map(|package| package.name).collect();
        let by_hand = format!("apt-get update && apt-get install --no-install-recommends {}", names.join(" "));
        if find_program("apt-get").is_none() {
            bail!("this is not Debian: install what provides {} by your system's own means", programs(&missing));
        }
        self.allow(&by_hand)?;
        if !is_root() {
            bail!("installing needs root. Run this as root, then this command again:\n  {by_hand}");
        }
        eprintln!("installing: {by_hand}");
        children::run("updating the list of packages", apt_get().arg("update"))?;
        let mut install = apt_get();
        install.args(["install", "--yes", "--no-install-recommends"]).args(&names);
        children::run(&format!("installing {}", names.join(", ")), &mut install)
    }

    /// Makes sure that rustup's `component` is there: `cargo SUBCOMMAND` answers.
    pub(crate) fn rust_component(&self, workspace: &Workspace, component: &str, subcommand: &str) -> Result<()> {
        let mut probe = workspace.cargo();
        if children::output_of(probe.args([subcommand, "--version"])).is_ok() {
            return Ok(());
        }
        let by_hand = format!("rustup component add {component}");
        eprintln!("missing: {component} (the tests use `cargo {subcommand}`)");
        self.allow(&by_hand)?;
        let mut add = workspace.command("rustup");
        children::run(&format!("adding {component}"), add.args(["component", "add", component]))
    }

    /// Fails when nothing may be installed.
    pub(crate) fn allow(&self, by_hand: &str) -> Result<()> {
        if self.policy == Policy::Refuse {
            bail!("--no-install was given. To install it yourself:\n  {by_hand}");
        }
        Ok(())
    }
}

/// Whether all of `packages` are there.
pub(crate) fn are_installed(packages: &[DebianPackage]) -> bool {
    packages.iter().all(is_installed)
}

/// Debian's packages that stand in the way of its compiler for WebAssembly.
pub(crate) fn installed_conflicts() -> Vec<String> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Abbrev} ${Package}\n"]).args(WASM_COMPILER_CONFLICTS);
    // It fails when one of the names is unknown, and still lists the others.
    let listing = query.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    installed_names(&listing.unwrap_or_default())
}

fn installed_names(dpkg_listing: &str) -> Vec<String> {
    dpkg_listing.lines().filter_map(|line| line.strip_prefix("ii ")).map(|name| name.trim().to_owned()).collect()
}

/// The full path of a program that the shell would find.
pub(crate) fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn is_installed(package: &DebianPackage) -> bool {
    if package.provides.starts_with('/') {
        Path::new(package.provides).exists()
    } else {
        find_program(package.provides).is_some()
    }
}

fn programs(packages: &[&DebianPackage]) -> String {
    packages.iter().map(|package| package.provides).collect::<Vec<_>>().join(", ")
}

/// The owner of our own entry in /proc is the user we run as.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_command() {
        let missing = [DebianPackage { name: "sundial", provides: "no-such-sundial", why: "tells the time" }];
        let error = Installer::new(true).debian(&missing).unwrap_err().to_string();
        if find_program("apt-get").is_some() {
            assert!(error.contains("apt-get install --no-install-recommends sundial"), "{error}");
        } else {
            assert!(error.contains("no-such-sundial"), "{error}");
        }
    }

    #[test]
    fn what_is_there_is_not_asked_for() {
        let present = [DebianPackage { name: "dash", provides: "sh", why: "a shell" }];
        Installer::new(true).debian(&present).unwrap();
        let by_path = [DebianPackage { name: "base-files", provides: "/etc", why: "a folder" }];
        assert!(are_installed(&by_path));
    }

    #[test]
    fn only_installed_packages_conflict() {
        assert_eq!(installed_names("ii  rustc\nrc  cargo\nun  rustup\n"), ["rustc"]);
    }
}
