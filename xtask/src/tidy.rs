//! `cargo xtask tidy`: how the code is laid out, and whether the docs name what exists.
//!
//! Each check is a function from what it looks at to a list of findings, one line each.

mod code;
mod docs;
mod files;
mod functions;
mod graph;
mod layout;
mod machine_paths;
mod purity;
mod walk;

use anyhow::{Result, bail};

use crate::command_names;
use crate::workspace::Workspace;

pub(crate) fn tidy(workspace: &Workspace) -> Result<()> {
    let files = files::tracked(&workspace.root)?;
    let findings: Vec<String> = [
        graph::check(&workspace.metadata),
        purity::check(&files),
        layout::check(&files),
        functions::check(&files),
        docs::check(&files, &command_names(), docs::tidebook_commands(&files).as_deref()),
        walk::check(&files),
        machine_paths::check(&files),
    ]
    .concat();
    if findings.is_empty() {
        eprintln!("tidy: {} files are in order", files.len());
        return Ok(());
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    bail!("tidy: {} findings", findings.len())
}
