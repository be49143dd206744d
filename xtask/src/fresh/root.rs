//! A folder that holds a whole, almost empty Debian with Rust, a C compiler and a checkout.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use super::machine;
use crate::children;
use crate::packages::{FRESH_ROOT_CONTENT, WASM_TARGET};
use crate::workspace::Workspace;

const RELEASE: &str = "bookworm";
/// Inside the root.
const HOME: &str = "/home/newcomer";
const CHECKOUT: &str = "/home/newcomer/tidebook";
/// What rustup puts beside itself: other names of the one program.
const RUSTUP_NAMES: &[&str] = &["cargo", "cargo-clippy", "cargo-fmt", "clippy-driver", "rustc", "rustdoc", "rustfmt"];

/// Makes the Debian that every proof starts with a copy of, once.
pub(super) fn base(folder: &Path) -> Result<PathBuf> {
    let base = folder.join("base");
    if base.exists() {
        return Ok(base);
    }
    fs::create_dir_all(folder)?;
    let unfinished = folder.join("base.unfinished");
    remove(&unfinished)?;
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", &format!("--include={}", FRESH_ROOT_CONTENT.join(",")), RELEASE]);
    debootstrap.arg(&unfinished).args(machine::debian_mirror(RELEASE));
    children::run("making an empty Debian", &mut debootstrap)?;
    fs::rename(&unfinished, &base)?;
    Ok(base)
}

pub(super) struct Root {
    path: PathBuf,
}

impl Root {
    pub(super) fn make(workspace: &Workspace, base: &Path, path: &Path, with_uncommitted: bool) -> Result<Self> {
        remove(path)?;
        children::run("copying the empty Debian", Command::new("cp").arg("--archive").args([base, path]))?;
        let root = Self { path: path.to_owned() };
        fs::create_dir_all(root.home())?;
        fs::create_dir_all(root.logs())?;
        machine::copy_settings(&root.path, &root.home())?;
        root.copy_rust()?;
        root.copy_checkout(workspace, with_uncommitted)?;
        Ok(root)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Beside the root, so that they outlive it.
    pub(super) fn logs(&self) -> PathBuf {
        self.path.with_extension("logs")
    }

    /// A command that runs `words` in the checkout inside the root, as one process whose id is the command's. What it
    /// needs to have mounted goes away with it.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let script = format!(
            "mount --rbind /dev \"$0/dev\" && mount --rbind /sys \"$0/sys\" && mount -t proc proc \"$0/proc\" && \
             exec chroot \"$0\" /bin/sh -c 'cd {CHECKOUT} && exec \"$@\"' sh \"$@\""
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", &script]).arg(&self.path).args(words);
        command.env_clear().envs(machine::network_variables());
        command.envs([
            ("HOME", HOME),
            ("LANG", "C.UTF-8"),
            ("PATH", "/home/newcomer/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ]);
        command
    }

    fn home(&self) -> PathBuf {
        self.path.join(HOME.trim_start_matches('/'))
    }

    /// The toolchain that runs us, without its library for WebAssembly, and rustup itself.
    fn copy_rust(&self) -> Result<()> {
        let sysroot = PathBuf::from(children::output_of(Command::new("rustc").args(["--print", "sysroot"]))?.trim());
        let name = sysroot.file_name().context("rustc's sysroot has no name")?.to_string_lossy().into_owned();
        let rustup_home = self.home().join(".rustup");
        let toolchain = rustup_home.join("toolchains").join(&name);
        fs::create_dir_all(&toolchain)?;
        let mut copy = Command::new("cp");
        copy.arg("--archive").args([sysroot.join("."), toolchain.clone()]);
        children::run("copying the Rust toolchain", &mut copy)?;
        remove(&toolchain.join("share/doc"))?;
        let settings = format!("version = \"12\"\nprofile = \"minimal\"\ndefault_toolchain = \"{name}\"\n");
        fs::write(rustup_home.join("settings.toml"), settings)?;

        let bin = self.home().join(".cargo/bin");
        fs::create_dir_all(&bin)?;
        fs::copy(rustup_program()?, bin.join("rustup")).context("copying rustup")?;
        for name in RUSTUP_NAMES {
            symlink("rustup", bin.join(name))?;
        }
        if toolchain.join("lib/rustlib").join(WASM_TARGET).exists() {
            let mut rustup = Command::new(bin.join("rustup"));
            rustup.env("RUSTUP_HOME", &rustup_home).args(["target", "remove", WASM_TARGET, "--toolchain", &name]);
            children::run("taking WebAssembly out of the copy", &mut rustup)?;
        }
        Ok(())
    }

    fn copy_checkout(&self, workspace: &Workspace, with_uncommitted: bool) -> Result<()> {
        let checkout = self.path.join(CHECKOUT.trim_start_matches('/'));
        fs::create_dir_all(&checkout)?;
        let list = if with_uncommitted {
            "git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create --file=-"
        } else {
            "git archive HEAD"
        };
        let script = format!("set -o pipefail; {list} | tar --extract --no-same-owner --directory=\"$0\"");
        let mut copy = workspace.command("bash");
        children::run("copying the checkout", copy.args(["-c", &script]).arg(&checkout))
    }
}

/// The real program: `~/.cargo/bin/cargo` and the like are links to it.
fn rustup_program() -> Result<PathBuf> {
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or(home).context("neither CARGO_HOME nor HOME")?;
    let rustup = cargo_home.join("bin/rustup");
    if !rustup.exists() {
        bail!("no {}: `fresh` copies a toolchain that rustup installed", rustup.display());
    }
    Ok(rustup)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}
