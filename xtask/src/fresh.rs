//! `cargo xtask fresh`: the README's two commands in a Debian that has only Rust and a C compiler.
//!
//! A machine in use hides what is missing. `root` makes the empty Debian, `machine` gives it this machine's ways to
//! the package registries, and `session` runs a command in it and measures.

mod machine;
mod root;
mod session;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::health;
use crate::install::Installer;
use crate::packages::FRESH_ROOT;
use crate::workspace::Workspace;

use self::root::Root;
use self::session::{Session, Silence, stop};

/// What a newcomer is promised.
const FIRST_RUN_WITHIN: Duration = Duration::from_secs(20 * 60);
const SECOND_RUN_WITHIN: Duration = Duration::from_secs(15);
const TEST_WITHIN: Duration = Duration::from_secs(45 * 60);
const SILENCE_MAX: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(crate) struct Options {
    /// How the compiler for WebAssembly is to be had
    #[arg(long, value_enum, default_value_t = Way::Both)]
    way: Way,
    /// Take the checkout as it is, not the last commit
    #[arg(long)]
    with_uncommitted: bool,
    /// Leave out `cargo xtask test`
    #[arg(long)]
    only_run: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Way {
    Rustup,
    Debian,
    Both,
}

impl Way {
    /// As `--wasm-toolchain` knows them.
    fn toolchains(self) -> &'static [&'static str] {
        match self {
            Self::Rustup => &["rustup"],
            Self::Debian => &["debian"],
            Self::Both => &["rustup", "debian"],
        }
    }
}

/// One line of the report.
struct Measured {
    what: String,
    took: Duration,
    limit: Duration,
    silence: Silence,
}

impl Measured {
    fn line(&self) -> String {
        let (took, limit, silence) = (self.took.as_secs_f32(), self.limit.as_secs(), &self.silence);
        let seconds = silence.duration.as_secs_f32();
        format!("{:<20} {took:7.1} s of {limit} s, longest silence {seconds:.1} s after: {}", self.what, silence.after)
    }

    fn is_broken(&self) -> bool {
        self.took > self.limit || self.silence.duration > SILENCE_MAX
    }
}

pub(crate) fn fresh(workspace: &Workspace, installer: &Installer, options: &Options) -> Result<()> {
    installer.debian(FRESH_ROOT)?;
    let folder = workspace.target_dir.join("fresh");
    let base = root::base(&folder)?;
    let mut report = Vec::new();
    for toolchain in options.way.toolchains() {
        let root = Root::make(workspace, &base, &folder.join(format!("root-{toolchain}")), options.with_uncommitted)?;
        prove(&root, toolchain, options, &mut report)
            .with_context(|| format!("{toolchain}'s way failed; what it printed is in {}", root.logs().display()))?;
        fs::remove_dir_all(root.path()).with_context(|| format!("removing {}", root.path().display()))?;
    }
    summarize(&report)
}

fn prove(root: &Root, toolchain: &str, options: &Options, report: &mut Vec<Measured>) -> Result<()> {
    for (which, limit) in [("first", FIRST_RUN_WITHIN), ("second", SECOND_RUN_WITHIN)] {
        report.push(prove_run(root, toolchain, which, limit)?);
    }
    if !options.only_run {
        let words = ["cargo", "xtask", "--wasm-toolchain", toolchain, "test"];
        let mut session = Session::start(root, "test", &words)?;
        session.wait_for_end(TEST_WITHIN)?;
        report.push(measured(&session, toolchain, "test", TEST_WITHIN));
    }
    Ok(())
}

fn prove_run(root: &Root, toolchain: &str, which: &str, limit: Duration) -> Result<Measured> {
    let address = free_address()?;
    let listen = address.to_string();
    let words = ["cargo", "xtask", "--wasm-toolchain", toolchain, "run", "--", "--listen", &listen];
    let mut session = Session::start(root, &format!("{which}-run"), &words)?;
    session.wait_until(FIRST_RUN_WITHIN, || health::is_up(address))?;
    let measured = measured(&session, toolchain, &format!("{which} run"), limit);
    stop(session)?;
    Ok(measured)
}

fn measured(session: &Session, toolchain: &str, what: &str, limit: Duration) -> Measured {
    let (took, silence) = (session.elapsed(), session.longest_silence());
    let measured = Measured { what: format!("{toolchain}: {what}"), took, limit, silence };
    println!("{}", measured.line());
    measured
}

/// A port nobody uses. Somebody may take it before the server does; then the proof is repeated.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn summarize(report: &[Measured]) -> Result<()> {
    for measured in report {
        println!("{}", measured.line());
    }
    let broken: Vec<_> =
        report.iter().filter(|measured| measured.is_broken()).map(|measured| measured.what.as_str()).collect();
    if !broken.is_empty() {
        bail!("too slow, or silent for more than {} s: {}", SILENCE_MAX.as_secs(), broken.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowness_and_silence_fail() {
        let line = |took, silence| Measured {
            what: "first run".to_owned(),
            took: Duration::from_secs(took),
            limit: Duration::from_secs(15),
            silence: Silence { duration: Duration::from_secs(silence), after: "a line".to_owned() },
        };
        assert!(summarize(&[line(15, 10)]).is_ok());
        assert!(summarize(&[line(15, 10), line(16, 10)]).is_err());
        assert!(summarize(&[line(15, 11)]).is_err());
    }
}
