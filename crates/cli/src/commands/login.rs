//! `tidebook login` and `tidebook logout`.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;
use tidebook_client::Api;

use crate::arguments::Target;
use crate::credentials::Credentials;
use crate::exit::{Form, answer, note, print};
use crate::{account, say};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook login --server http://localhost:8000 --email mira@example.org")]
pub(crate) struct Arguments {
    /// The server's address
    #[arg(long, env = "TIDEBOOK_SERVER", default_value = "http://localhost:8000", value_name = "URL")]
    server: String,
    /// The account's e-mail address; the password comes from a prompt, standard input or TIDEBOOK_PASSWORD
    #[arg(long)]
    email: String,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook logout")]
pub(crate) struct Logout {
    /// Also delete what this device keeps of your books, with what was never sent
    #[arg(long)]
    forget: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { server, email, json } = arguments;
    let api = Api::new(&server, None)?;
    let password = password()?;
    let signed_in = api.sign_in(&email, &password).await?;
    account::remember(&server, &signed_in.token, signed_in.user.id)?;
    Credentials { server: server.clone(), email: signed_in.user.email.clone(), token: signed_in.token }.store()?;
    print(&if json {
        json!({"server": server, "user": signed_in.user.id, "name": signed_in.user.name}).to_string()
    } else {
        format!("Signed in to {server} as {}.", signed_in.user.name)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What was never sent is kept, and goes out when the same person signs in again: unless they say otherwise.
pub(crate) async fn logout(arguments: Logout) -> Result<ExitCode> {
    let account = account::Account::find(&arguments.target).await?;
    let path = account.store_path()?;
    let unsent = account::unsent(&path)?;
    match account.api.sign_out().await {
        Ok(()) | Err(tidebook_client::ApiError::Problem { status: 401, .. }) => {}
        Err(error) => bail!("the session goes on, and so does its token: {error}"),
    }
    Credentials::forget(account.api.token().unwrap_or_default())?;
    if arguments.forget {
        account::delete(&path)?;
    } else if unsent > 0 {
        let waiting = say::count(unsent, "change waits", "changes wait");
        note(&format!("{waiting} on this device until you sign in again (`--forget` would have dropped them)"));
    }
    let form = if arguments.json { Form::Json } else { Form::Words };
    let result = json!({"signed_out": account.server, "unsent": unsent, "forgotten": arguments.forget});
    answer(form, &result, || vec![format!("Signed out of {}.", account.server)])?;
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
