//! `cargo xtask run`: builds what is not built and becomes the server.

use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

use crate::build::build_program;
use crate::install::Installer;
use crate::wasm_toolchain::Choice;
use crate::web_app::{self, Shrinking};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, installer: &Installer, choice: Choice, serve_args: &[String]) -> Result<()> {
    web_app::build(workspace, installer, choice, Shrinking::WhereNodeIs)?;
    build_program(workspace)?;
    let program = workspace.target_dir.join("release/tidebook");
    let mut serve = workspace.command(&program);
    serve.arg("serve").args(serve_args);
    eprintln!("starting tidebook serve {}", serve_args.join(" "));
    // The server takes our place, so that whoever started us can stop it by our pid.
    Err(serve.exec()).with_context(|| format!("starting {}", program.display()))
}
