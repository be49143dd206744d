//! The `tidebook` program: the server, and a client of it.

mod arguments;
mod backup;
mod book_name;
mod check;
mod connect;
mod credentials;
mod data;
mod exit;
mod export;
mod feed;
mod import;
mod login;
mod restore;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command, Export, Import};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&error.into()),
    };
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Serve(arguments) => serve::run(arguments).await,
            Command::Backup(arguments) => backup::run(arguments),
            Command::Restore(arguments) => restore::run(arguments).await,
            Command::Check(arguments) => check::run(arguments),
            Command::Login(arguments) => login::run(arguments).await,
            Command::Feed(arguments) => feed::run(arguments).await,
            Command::Export { to: Export::Csv(arguments) } => export::csv(arguments).await,
            Command::Import { from: Import::Splitwise(arguments) } => import::splitwise::run(arguments).await,
        }
    });
    match outcome {
        Ok(code) => code,
        Err(error) => exit::failed(&error),
    }
}
