//! Sends back whatever it is sent over the server's own WebSocket, for `cargo xtask prove websocket`. Prints its address.

use std::error::Error;
use std::io::Write as _;

use axum::Router;
use axum::routing::any;
use tidebook_server::websocket::{Incoming, Upgrade, Wire};
use tokio::net::TcpListener;

/// The largest message of the Autobahn cases, 16 MiB.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let answer = async |upgrade: Upgrade| upgrade.answer(None, MESSAGE_BYTES_MAX, echo);
    axum::serve(listener, Router::new().fallback(any(answer))).await?;
    Ok(())
}

async fn echo(mut wire: Wire) {
    const NORMAL: u16 = 1000;
    const TOO_LARGE: u16 = 1009;
    let code = loop {
        let sent = match wire.receive().await {
            Incoming::Text(text) => wire.send_text(text.into_bytes()).await,
            Incoming::Binary(bytes) => wire.send_binary(bytes).await,
            Incoming::TooLarge => break TOO_LARGE,
            Incoming::Silent => true,
            Incoming::Gone => break NORMAL,
        };
        if !sent {
            break NORMAL;
        }
    };
    wire.close(code, "").await;
}
