//! Each decoder of inbound bytes under libFuzzer, for as long as is asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use super::Finding;
use crate::children;
use crate::install::Installer;
use crate::packages::FUZZER;
use crate::workspace::Workspace;

/// How long each target runs where nothing else is asked for: 16 of them, two at once, take 80 minutes.
pub(super) const SECONDS: u32 = 600;

/// How many run at once.
const AT_ONCE: usize = 2;

/// Larger inputs find little more and take long.
const INPUT_BYTES_MAX: u32 = 64 << 10;

/// What an input may take. A decoder that is shipped has a second; here it runs several times as slowly, and beside others.
const INPUT_SECONDS_MAX: u32 = 5;

/// Of the whole program, which keeps its corpus in memory. What one input may have of it each target checks by itself.
const MEMORY_MB_MAX: u32 = 1024;

/// What has the compiler count the edges and compare the values that libFuzzer goes by. All of it is stable.
const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// What a run of a target did.
struct Ran {
    executions: u64,
    seconds: u64,
}

pub(super) fn prove(workspace: &Workspace, installer: &Installer, seconds: u32) -> Result<Finding> {
    installer.debian(FUZZER)?;
    build(workspace)?;
    let ran = side_by_side(target_names(workspace)?, |name| {
        println!("{name}: {seconds} s");
        run(workspace, name, seconds).inspect_err(|why| println!("{name} does not hold: {why:#}"))
    });
    let broken: Vec<&str> = ran.iter().filter(|(_, one)| one.is_err()).map(|(name, _)| name.as_str()).collect();
    ensure!(broken.is_empty(), "what does not hold: {}; the inputs are in target/fuzz/broken", broken.join(", "));
    let ran = ran.into_iter().filter_map(|(name, one)| Some((name, one.ok()?))).collect();
    Ok(Finding {
        command: format!("cargo xtask prove fuzz --seconds {seconds}"),
        amount: amount(&ran),
        result: "no panic, no input over 5 s, none with more than 10 MiB of memory".to_owned(),
    })
}

/// What became of each item, [`AT_ONCE`] of them at a time. What fails keeps none of the others from being done.
fn side_by_side<T: Send>(items: Vec<String>, one: impl Fn(&str) -> T + Sync) -> BTreeMap<String, T> {
    let (waiting, done) = (Mutex::new(items), Mutex::new(BTreeMap::new()));
    // The lock is let go of before the item is worked on.
    let next = || lock(&waiting).pop();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(item) = next() {
                    let became = one(&item);
                    lock(&done).insert(item, became);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn amount(ran: &BTreeMap<String, Ran>) -> String {
    let targets = ran.iter().map(|(name, Ran { executions, seconds })| format!("{name} {executions} in {seconds} s"));
    format!("{} targets, inputs: {}", ran.len(), targets.collect::<Vec<_>>().join(", "))
}

/// With a target named, what is built on the way, such as macros, is not instrumented.
fn build(workspace: &Workspace) -> Result<()> {
    let mut build = workspace.cargo();
    build.env("RUSTFLAGS", INSTRUMENTATION);
    build.args(["build", "--package", "tidebook-fuzz", "--profile", "fuzz", "--target", &host(workspace)?]);
    children::run("building the fuzzer", build.arg("--target-dir").arg(workspace.target_dir.join("fuzz")))
}

fn host(workspace: &Workspace) -> Result<String> {
    let said = children::output_of(workspace.command("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc says what it compiles for")?.to_owned())
}

/// Each has a folder of inputs to start from.
fn target_names(workspace: &Workspace) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for item in fs::read_dir(workspace.root.join("crates/fuzz/inputs"))? {
        names.push(item?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable_by(|one, other| other.cmp(one));
    ensure!(!names.is_empty(), "there is nothing to start from");
    Ok(names)
}

/// What it finds on the way stays in target/fuzz, for the next run to start from; what breaks something, too.
fn run(workspace: &Workspace, name: &str, seconds: u32) -> Result<Ran> {
    let (inputs, fuzz) = (workspace.root.join("crates/fuzz/inputs"), workspace.target_dir.join("fuzz"));
    let (corpus, broken) = (fuzz.join("corpus").join(name), fuzz.join("broken").join(name));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&broken)?;
    let program = fuzz.join(host(workspace)?).join("fuzz/tidebook-fuzz");
    let mut command = workspace.command(program);
    command.env("TIDEBOOK_FUZZ_TARGET", name).stdin(Stdio::null());
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={INPUT_SECONDS_MAX}"));
    command.arg(format!("-rss_limit_mb={MEMORY_MB_MAX}")).arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.arg(format!("-dict={}", workspace.root.join("crates/fuzz/words.dict").display()));
    command.arg(format!("-artifact_prefix={}/", broken.display()));
    command.args(["-print_final_stats=1", "-verbosity=1"]).arg(corpus).arg(inputs.join(name));
    finish(&mut command, &broken)
}

fn finish(command: &mut Command, broken: &Path) -> Result<Ran> {
    let output = command.output().context("starting the fuzzer")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last: Vec<&str> = said.lines().rev().take(40).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
        bail!("{last}\nThe input is in {}: it belongs into crates/fuzz/inputs.", broken.display());
    }
    ran(&said).context("the fuzzer says how much it did")
}

/// From `Done 1234 runs in 61 second(s)`.
fn ran(said: &str) -> Option<Ran> {
    let mut words = said.lines().find_map(|line| line.strip_prefix("Done "))?.split(' ');
    let executions = words.next()?.parse().ok()?;
    let seconds = words.nth(2)?.parse().ok()?;
    Some(Ran { executions, seconds })
}

#[cfg(test)]
mod tests {
    use std::sync::Condvar;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_fuzzers_last_words_are_understood() {
        let Ran { executions, seconds } = ran("#9\tDONE\nDone 1234 runs in 61 second(s)\n").unwrap();
        assert_eq!((executions, seconds), (1234, 61));
        assert!(ran("Done\n").is_none());
    }

    #[test]
    fn as_many_as_may_run_at_once() {
        let (at_it, another) = (Mutex::new(0), Condvar::new());
        let items: Vec<String> = (0..3 * AT_ONCE).map(|item| item.to_string()).collect();
        let ran = side_by_side(items.clone(), |item| {
            let mut here = lock(&at_it);
            *here += 1;
            another.notify_all();
            let (_here, waited) =
                another.wait_timeout_while(here, Duration::from_secs(10), |here| *here < AT_ONCE).unwrap();
            assert!(!waited.timed_out(), "{item} is alone");
            item.len()
        });
        assert!(ran.into_iter().eq(items.into_iter().map(|item| (item, 1))));
    }
}
