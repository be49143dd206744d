//! Makes the module smaller, with Binaryen's wasm-opt.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};

/// What today's rustc emits for WebAssembly, and no more: every browser of the last years knows these.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

const SHRINKING: &[&str] = &[
    "-Oz",
    "--converge",
    // A larger function that is called once stays where it is: moved into its caller, it is away from what it resembles, and
    // the packed module grows by 6 KB.
    "--one-caller-inline-max-function-size=20",
    // No value is kept in the first kilobyte: it is the last that the stack would come to, and it has a thousand.
    "--low-memory-unused",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// Rewrites `module` in place.
pub(crate) fn shrink(wasm_opt: &Path, module: &Path) -> Result<()> {
    let before = fs::metadata(module)?.len();
    let shrunk = module.with_extension("shrunk");
    let node = env::var_os("NODE").unwrap_or_else(|| "node".into());
    let mut command = Command::new(node);
    command.arg(wasm_opt).args(SHRINKING).args(FEATURES).arg(module).arg("--output").arg(&shrunk);
    eprintln!("shrinking the module");
    let status = command.status().context("starting wasm-opt (is Node there?)")?;
    if !status.success() {
        bail!("wasm-opt failed ({status})");
    }
    let after = fs::metadata(&shrunk).context("wasm-opt wrote nothing")?.len();
    fs::rename(&shrunk, module)?;
    eprintln!("shrunk the module from {} KB to {} KB", before / 1000, after / 1000);
    Ok(())
}
