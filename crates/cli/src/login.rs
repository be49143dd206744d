//! `tidebook login`.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use tidebook_client::Api;

use crate::arguments::Login;
use crate::credentials::Credentials;
use crate::exit::print;

pub(crate) async fn run(arguments: Login) -> Result<ExitCode> {
    let Login { server, email, json } = arguments;
    let api = Api::new(&server, None)?;
    let password = password()?;
    let signed_in = api.sign_in(&email, &password).await?;
    Credentials { server: server.clone(), email: signed_in.user.email.clone(), token: signed_in.token }.store()?;
    print(&if json {
        serde_json::json!({"server": server, "user": signed_in.user.id, "name": signed_in.user.name}).to_string()
    } else {
        format!("Signed in to {server} as {}.", signed_in.user.name)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// From the environment, from a prompt that doesn't show it, or from a line of standard input.
fn password() -> Result<String> {
    if let Ok(password) = std::env::var("TIDEBOOK_PASSWORD") {
        return Ok(password);
    }
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password("Password: ").context("no password was typed");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("no password on standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
