//! The `tidebook` program: the server, and a client of it that is a full replica.

mod account;
mod arguments;
mod commands;
mod credentials;
mod data;
mod describe;
mod device;
mod exit;
mod pick;
mod say;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::commands::{
    add, backup, balance, books, check, completions, conflicts, contact, contacts, export, feed, history, import, list,
    login, members, restore, serve, status, sync, transaction, undo, unsent, watch,
};

/// A server makes and drops a few small things for each entry and each reader, on threads that hand them to each other.
/// SQLite's memory comes from it, too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&error.into()),
    };
    let outcome = runtime.block_on(run(arguments.command));
    // What is still on its way, such as a line that is being opened, is not waited for.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) if exit::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => exit::failed(&error),
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Backup(arguments) => backup::run(arguments),
        Command::Restore(arguments) => restore::run(arguments).await,
        Command::Check(arguments) => check::run(arguments),
        Command::Login(arguments) => login::run(arguments).await,
        Command::Logout(arguments) => login::logout(arguments).await,
        Command::Books(arguments) => books::run(arguments).await,
        Command::Contacts(arguments) => contacts::run(arguments).await,
        Command::Contact(arguments) => contact::run(arguments).await,
        Command::Add(arguments) => add::run(arguments).await,
        Command::Edit(arguments) => transaction::edit(arguments).await,
        Command::Delete(arguments) => transaction::delete(arguments).await,
        Command::Undelete(arguments) => transaction::undelete(arguments).await,
        Command::List(arguments) => list::run(arguments).await,
        Command::Balance(arguments) => balance::run(arguments).await,
        Command::History(arguments) => history::run(arguments).await,
        Command::Undo(arguments) => undo::run(arguments).await,
        Command::Conflicts(arguments) => conflicts::run(arguments).await,
        Command::Resolve(arguments) => conflicts::resolve(arguments).await,
        Command::Status(arguments) => status::run(arguments).await,
        Command::Retry(arguments) => unsent::retry(arguments).await,
        Command::Discard(arguments) => unsent::discard(arguments).await,
        Command::Sync(arguments) => sync::run(arguments).await,
        Command::Watch(arguments) => watch::run(arguments).await,
        Command::Invite(arguments) => members::invite(arguments).await,
        Command::Join(arguments) => members::join(arguments).await,
        Command::Members(arguments) => members::run(arguments).await,
        Command::Feed(arguments) => feed::run(arguments).await,
        Command::Export(arguments) => export::run(arguments).await,
        Command::Import(arguments) => import::run(arguments).await,
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => completions::man(&arguments),
    }
}
