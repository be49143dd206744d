//! The project's own commands: `cargo xtask run`, `build`, `test`, `tidy`, `gallery`, `prove`, `bench` and `fresh`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]
#![expect(clippy::disallowed_methods, reason = "nothing here is asynchronous: it may sleep")]

mod build;
mod run;
mod test;

mod bench;
mod fresh;
mod gallery;
mod prove;
mod tidy;
mod wasm_toolchain;
mod web_app;

mod children;
mod health;
mod install;
mod note;
mod packages;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::install::Installer;
use crate::wasm_toolchain::Choice;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs and checks Tidebook", disable_help_subcommand = true)]
struct Cli {
    /// Say which command would install what is missing, and stop
    #[arg(long, global = true)]
    no_install: bool,
    /// Where the compiler for WebAssembly comes from
    #[arg(long, global = true, value_enum, default_value_t = Choice::Auto)]
    wasm_toolchain: Choice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything and serve the app at http://localhost:8000
    Run {
        /// Arguments for `tidebook serve`
        #[arg(last = true, value_name = "SERVE ARGS")]
        serve_args: Vec<String>,
    },
    /// Build target/release/tidebook with the app inside
    Build,
    /// Check everything that must hold at each commit
    Test {
        /// Run only these tests: arguments for the test runner
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        filter: Vec<String>,
    },
    /// Check how the code is laid out, and that the docs name what exists
    Tidy,
    /// Make a picture of every screen in every state, at 390 and 1280 px, light and dark
    Gallery {
        /// The folder they go to, instead of target/gallery
        folder: Option<std::path::PathBuf>,
    },
    /// Run one of the long proofs, and note what it found in docs/proofs.md
    Prove {
        #[arg(value_enum)]
        proof: prove::Proof,
        #[command(flatten)]
        extent: prove::Extent,
    },
    /// Measure what something costs, and note it in docs/benchmarks.md
    Bench {
        #[arg(value_enum)]
        bench: bench::Bench,
        /// Print all that was found, as JSON
        #[arg(long)]
        json: bool,
    },
    /// Prove the install steps in a Debian that has only Rust and a C compiler
    Fresh(fresh::Options),
}

fn main() -> ExitCode {
    match obey(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that anyhow adds: what failed is a command or a file, and the text names it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey(cli: Cli) -> Result<()> {
    let workspace = Workspace::load()?;
    let installer = Installer::new(cli.no_install);
    match cli.command {
        Command::Run { serve_args } => run::run(&workspace, &installer, cli.wasm_toolchain, &serve_args),
        Command::Build => build::build(&workspace, &installer, cli.wasm_toolchain),
        Command::Test { filter } => test::test(&workspace, &installer, cli.wasm_toolchain, &filter),
        Command::Tidy => tidy::tidy(&workspace),
        Command::Gallery { folder } => gallery::gallery(&workspace, &installer, cli.wasm_toolchain, folder),
        Command::Prove { proof, extent } => prove::prove(&workspace, &installer, cli.wasm_toolchain, proof, extent),
        Command::Bench { bench, json } => bench::bench(&workspace, &installer, cli.wasm_toolchain, bench, json),
        Command::Fresh(options) => fresh::fresh(&workspace, &installer, &options),
    }
}

/// The names `cargo xtask` answers to, for the check that the docs name no other.
fn command_names() -> Vec<String> {
    use clap::CommandFactory;
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}
