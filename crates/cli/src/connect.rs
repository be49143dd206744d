//! Which server the client commands speak to, and as whom.

use anyhow::{Context as _, Result, bail};
use tidebook_client::Api;

use crate::arguments::Target;
use crate::credentials::Credentials;

/// The server and token given, or those stored by `tidebook login`.
pub(crate) fn api(target: &Target) -> Result<Api> {
    let stored = Credentials::load()?;
    let server = target.server.clone().or_else(|| Some(stored.as_ref()?.server.clone()));
    let server = server.context("which server? Give --server URL, or sign in once with `tidebook login`")?;
    // A stored token is for the server it came from and no other.
    let stored_token = || stored.filter(|stored| same_server(&stored.server, &server)).map(|stored| stored.token);
    let Some(token) = target.token.clone().or_else(stored_token) else {
        bail!("nobody is signed in at {server}; run `tidebook login --server {server} --email …`");
    };
    Ok(Api::new(&server, Some(token))?)
}

fn same_server(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}
