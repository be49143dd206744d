//! What can be said on the command line. What each command takes stands with the command.

use clap::{Args, Parser, Subcommand};
use tidebook_ledger::Direction;

use crate::commands::{
    add, backup, balance, books, check, completions, conflicts, contact, contacts, export, feed, history, import, list,
    login, members, restore, serve, status, sync, transaction, undo, unsent, watch,
};

/// A shared ledger of who owes whom, live on every screen.
///
/// Commands work with no network: what is written waits on this device and goes out when there is one.
#[derive(Debug, Parser)]
#[command(name = "tidebook", version, arg_required_else_help = true, subcommand_required = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server and the app
    Serve(serve::Arguments),
    /// Copy everything a server keeps into a file, while it runs
    Backup(backup::Arguments),
    /// Put a backup into a data folder without a store, or one exported book into one with a store
    Restore(restore::Arguments),
    /// Check all that a server keeps, or a backup of it: hashes, logs, snapshots, indexes
    Check(check::Arguments),
    /// Sign in to a server and remember it for the other commands
    Login(login::Arguments),
    /// End the session and forget it
    Logout(login::Logout),
    /// List your books, make one, or choose the one that commands are about
    Books(books::Arguments),
    /// List the people of a book and what they owe
    Contacts(contacts::Arguments),
    /// Add a person, or change, delete or restore one
    #[command(subcommand)]
    Contact(contact::Arguments),
    /// Write down what somebody got from you, or you from them
    Add(add::Arguments),
    /// Change a transaction
    Edit(transaction::Edit),
    /// Delete a transaction
    Delete(transaction::Delete),
    /// Bring a deleted transaction back
    Undelete(transaction::Undelete),
    /// List transactions
    List(list::Arguments),
    /// What everybody owes, today or as of a day
    Balance(balance::Arguments),
    /// Who did what in a book, or to one person or transaction
    History(history::Arguments),
    /// Take back what was done
    Undo(undo::Arguments),
    /// List what two people changed at once, for you to decide
    Conflicts(conflicts::Arguments),
    /// Decide a conflict
    Resolve(conflicts::Resolve),
    /// What waits on this device, and when it was last up to date
    Status(status::Arguments),
    /// Offer once more what a book did not take
    Retry(unsent::Retry),
    /// Drop something that is only on this device
    Discard(unsent::Discard),
    /// Send and fetch whatever is new, in all books
    Sync(sync::Arguments),
    /// Show a book live, over the whole screen
    Watch(watch::Arguments),
    /// Make an invite to a book
    Invite(members::Invite),
    /// Join a book with an invite
    Join(members::Join),
    /// Who is in a book; change a role, remove somebody, or leave
    Members(members::Arguments),
    /// Print a book's changes as JSON lines, as they happen
    Feed(feed::Arguments),
    /// Take debts out, for other programs
    #[command(subcommand)]
    Export(export::Arguments),
    /// Bring debts in from elsewhere
    Import(import::Arguments),
    /// Print completions for a shell
    Completions(completions::Arguments),
    /// Print the manual page
    Man(completions::Man),
}

/// Which server, and who is asking.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who and where")]
pub(crate) struct Target {
    /// The server's address [default: the one last signed in to]
    #[arg(long, env = "TIDEBOOK_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A session's token [default: the one `tidebook login` stored]
    #[arg(long, env = "TIDEBOOK_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
}

/// Which way money went.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Way {
    /// I gave it: they owe me more
    #[arg(long)]
    gave: bool,
    /// I got it: they owe me less
    #[arg(long)]
    got: bool,
}

impl Way {
    /// The one that was named.
    pub(crate) fn direction(&self) -> Option<Direction> {
        match (self.gave, self.got) {
            (true, _) => Some(Direction::Gave),
            (_, true) => Some(Direction::Got),
            _ => None,
        }
    }
}

/// What all commands about books take.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who and where")]
pub(crate) struct Asked {
    /// The book's id, or a name that only one of your books has [default: the chosen one, or the only one]
    #[arg(long, short, env = "TIDEBOOK_BOOK", value_name = "BOOK")]
    pub(crate) book: Option<String>,
    /// Use what is on this device, and no network
    #[arg(long, env = "TIDEBOOK_OFFLINE")]
    pub(crate) offline: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
