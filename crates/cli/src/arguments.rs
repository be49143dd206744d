//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tidebook_server::Signup;

/// A shared ledger of who owes whom, live on every screen.
#[derive(Debug, Parser)]
#[command(name = "tidebook", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server and the app
    #[command(after_help = "Example:\n  tidebook serve --listen 127.0.0.1:8000 --data ./data")]
    Serve(Serve),
    /// Copy everything a server keeps into a file, while it runs
    #[command(after_help = "Example:\n  tidebook backup --data ./data backup.db")]
    Backup(crate::backup::Backup),
    /// Put a backup into a data folder without a store, or one exported book into one with a store
    #[command(
        after_help = "Examples:\n  tidebook restore --data ./restored backup.db\n  tidebook restore --data ./data \
        --book harbour-street.json --owner mira@example.org"
    )]
    Restore(crate::restore::Restore),
    /// Check all that a server keeps, or a backup of it: hashes, logs, snapshots, indexes
    #[command(
        after_help = "Example:\n  tidebook check --data ./data\n\nExit codes: 0 all in order; 1 faults were found, \
        or it could not be checked; 2 wrong usage."
    )]
    Check(crate::check::Check),
    /// Sign in to a server and remember it for the other commands
    #[command(after_help = "Example:\n  tidebook login --server http://localhost:8000 --email mira@example.org")]
    Login(Login),
    /// Print a book's changes as JSON lines, as they happen
    #[command(after_help = "Example:\n  tidebook feed \"Harbour Street 12\" --after 0")]
    Feed(Feed),
    /// Take debts out, for other programs
    Export {
        #[command(subcommand)]
        to: Export,
    },
    /// Bring debts in from elsewhere
    Import {
        #[command(subcommand)]
        from: Import,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// The transactions that stand, as a table
    #[command(after_help = "Example:\n  tidebook export csv \"Harbour Street 12\" > harbour-street.csv")]
    Csv(ExportCsv),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// From a CSV file that Splitwise exported
    #[command(
        after_help = "Example:\n  tidebook import splitwise export.csv --me Mira --book \"Harbour Street 12\"\n\n\
        Running it again adds only what is new in the file. Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the file's \
        own totals differ from what would be written, and nothing was."
    )]
    Splitwise(ImportSplitwise),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen
    #[arg(long, env = "TIDEBOOK_LISTEN", default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// The folder that holds everything the server keeps [default: the XDG data folder]
    #[arg(long, env = "TIDEBOOK_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Who may make an account, once the first one exists
    #[arg(long, env = "TIDEBOOK_SIGNUP", default_value_t = Signup::Invite, value_name = "open|invite|closed")]
    pub(crate) signup: Signup,
    /// An address people type to reach this server; required to listen beyond this machine
    #[arg(long = "public-url", env = "TIDEBOOK_PUBLIC_URL", value_delimiter = ',', value_name = "URL")]
    pub(crate) public_urls: Vec<String>,
}

/// Which server, and who is asking.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The server's address [default: the one last signed in to]
    #[arg(long, env = "TIDEBOOK_SERVER", value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A session's token [default: the one `tidebook login` stored]
    #[arg(long, env = "TIDEBOOK_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The server's address
    #[arg(long, env = "TIDEBOOK_SERVER", default_value = "http://localhost:8000", value_name = "URL")]
    pub(crate) server: String,
    /// The account's e-mail address; the password comes from a prompt, standard input or TIDEBOOK_PASSWORD
    #[arg(long)]
    pub(crate) email: String,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Feed {
    /// The book's id, or a name that only one of your books has
    pub(crate) book: String,
    /// Begin with everything after this seq; without it, only what comes from now on
    #[arg(long, value_name = "SEQ")]
    pub(crate) after: Option<u64>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct ExportCsv {
    /// The book's id, or a name that only one of your books has
    pub(crate) book: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct ImportSplitwise {
    /// The CSV file
    pub(crate) file: PathBuf,
    /// Your own name, as it stands in the file
    #[arg(long, value_name = "NAME")]
    pub(crate) me: String,
    /// The book's id, or a name that only one of your books has
    #[arg(long)]
    pub(crate) book: String,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
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
