//! `tidebook serve`.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Result;
use tidebook_server::{Config, Server};
use tracing_subscriber::EnvFilter;

use crate::arguments::Serve;
use crate::credentials::xdg_folder;
use crate::exit::print;

pub(crate) async fn run(arguments: Serve) -> Result<ExitCode> {
    log_to_standard_error();
    let data = match arguments.data {
        Some(data) => data,
        None => xdg_folder("XDG_DATA_HOME", ".local/share")?.join("tidebook"),
    };
    let Serve { listen, signup, public_urls, .. } = arguments;
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
