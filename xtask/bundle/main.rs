//! Makes the folder that the server embeds out of the compiled web app and the static files.
//!
//! `bindings` adds the JavaScript that the module needs, `shrink` makes the module smaller, `naming` gives every
//! script, style and module a name that changes with its content, `precache` tells the service worker those names,
//! `compress` adds what is sent compressed, `budget` says when it got too big, and `publish` puts it in place.
#![expect(clippy::print_stderr, reason = "a tool for the terminal")]

mod assets;
mod bindings;
mod budget;
mod compress;
mod naming;
mod precache;
mod publish;
mod shrink;
mod styles;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// The module as the compiler left it
    #[arg(long)]
    module: PathBuf,
    /// The folder with index.html, styles, scripts and icons
    #[arg(long)]
    static_files: PathBuf,
    /// A folder for what the next run can use again
    #[arg(long)]
    work: PathBuf,
    /// The folder to make
    #[arg(long)]
    dist: PathBuf,
    /// Binaryen's wasm-opt, a Node program. Without it the module stays big and is not held to its budget.
    #[arg(long)]
    wasm_opt: Option<PathBuf>,
}

fn main() -> ExitCode {
    match bundle(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn bundle(arguments: &Arguments) -> Result<()> {
    let app = bindings::shrunk(&arguments.module, arguments.wasm_opt.as_deref(), &arguments.work)?;
    let mut files = assets::collect(&arguments.static_files, app)?;
    styles::strip_comments(&mut files);
    let files = naming::name_by_content(files)?;
    let files = precache::fill_in(files)?;
    let files = compress::add_compressed(files)?;
    let verdict = budget::check(&files, arguments.wasm_opt.is_some());
    eprintln!("{}", verdict.report);
    publish::replace(&arguments.dist, &files)?;
    verdict.into_result()
}
