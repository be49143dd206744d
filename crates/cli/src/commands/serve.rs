//! `tidebook serve`.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tidebook_server::{Config, Server, Signup};
use tracing_subscriber::EnvFilter;

use crate::data::Data;
use crate::exit::print;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook serve --listen 127.0.0.1:8000 --data ./data")]
pub(crate) struct Arguments {
    /// Where to listen
    #[arg(long, env = "TIDEBOOK_LISTEN", default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Who may make an account, once the first one exists
    #[arg(long, env = "TIDEBOOK_SIGNUP", default_value_t = Signup::Invite, value_name = "open|invite|closed")]
    signup: Signup,
    /// An address people type to reach this server; required to listen beyond this machine
    #[arg(long = "public-url", env = "TIDEBOOK_PUBLIC_URL", value_delimiter = ',', value_name = "URL")]
    public_urls: Vec<String>,
    #[command(flatten)]
    data: Data,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    log_to_standard_error();
    let Arguments { listen, signup, public_urls, data } = arguments;
    let data = data.folder()?;
    let stop = stop_signal()?;
    let server = Server::bind(Config { listen, data, signup, public_urls }).await?;
    print(&format!("listening on http://{}", server.address()))?;
    server.run(stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// `RUST_LOG` says how much.
fn log_to_standard_error() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours).with_env_filter(filter).init();
}

/// Resolves at SIGTERM or Ctrl-C. Listens from now on, so that none is missed while the server starts.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
