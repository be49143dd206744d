//! Whose commands these are: a server, a token for it, and the person it speaks for.
//!
//! Who that is has to be asked once, with a network. It is remembered beside the stores, for days without one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tidebook_book::UserId;
use tidebook_client::{Api, Store, new_replica};

use crate::arguments::Target;
use crate::credentials::{Credentials, write_private, xdg_folder};

/// How many tokens are remembered; the oldest goes first.
const KNOWN_MAX: usize = 64;

/// A person at a server.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) api: Api,
    pub(crate) server: String,
    pub(crate) user: UserId,
}

/// Whom a token speaks for. The token itself is not kept here.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    server: String,
    token_hash: String,
    user: UserId,
}

impl Account {
    /// The server and token given, or those stored by `tidebook login`.
    pub(crate) async fn find(target: &Target) -> Result<Self> {
        let (server, api) = api(target)?;
        let token = api.token().unwrap_or_default();
        let token_hash = hash_of(token);
        let is_it = |known: &&Known| known.token_hash == token_hash && same_server(&known.server, &server);
        if let Some(found) = load()?.iter().find(is_it) {
            return Ok(Self { api, user: found.user, server });
        }
        let user = api.me().await.context("asking the server who this is, which the first command needs")?.id;
        remember(&server, token, user)?;
        Ok(Self { api, server, user })
    }

    /// The file of this account's store on this device.
    pub(crate) fn store_path(&self) -> Result<PathBuf> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' };
        let server: String = self.server.trim_end_matches('/').chars().map(plain).collect();
        Ok(folder()?.join(server).join(format!("{}.db", self.user)))
    }
}

/// The server and token given, or those stored by `tidebook login`.
pub(crate) fn api(target: &Target) -> Result<(String, Api)> {
    let stored = Credentials::load()?;
    let server = target.server.clone().or_else(|| Some(stored.as_ref()?.server.clone()));
    let server = server.context("which server? Give --server URL, or sign in once with `tidebook login`")?;
    // A stored token is for the server it came from and no other.
    let stored_token = || stored.filter(|stored| same_server(&stored.server, &server)).map(|stored| stored.token);
    let Some(token) = target.token.clone().or_else(stored_token) else {
        bail!("nobody is signed in at {server}; run `tidebook login --server {server} --email …`");
    };
    let api = Api::new(&server, Some(token))?;
    Ok((server, api))
}

/// How many changes a store holds that are in no log.
pub(crate) fn unsent(path: &Path) -> Result<usize> {
    if !path.exists() {
        return Ok(0);
    }
    let mut store = Store::open(path, new_replica())?;
    Ok(store.read(|rows| rows.books()?.into_iter().map(|book| Ok(rows.unsent(book)?.len())).sum())?)
}

/// Deletes a store with everything in it.
pub(crate) fn delete(path: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot delete {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn same_server(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// Remembers whom a token speaks for.
pub(crate) fn remember(server: &str, token: &str, user: UserId) -> Result<()> {
    let mut known = load()?;
    known.push(Known { server: server.to_owned(), token_hash: hash_of(token), user });
    write_private(&path()?, &serde_json::to_vec(&known[known.len().saturating_sub(KNOWN_MAX)..])?)
}

fn hash_of(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}

/// Where this program keeps copies of books, for each account one store.
fn folder() -> Result<PathBuf> {
    Ok(xdg_folder("XDG_DATA_HOME", ".local/share")?.join("tidebook").join("client"))
}

fn path() -> Result<PathBuf> {
    Ok(folder()?.join("accounts.json"))
}

fn load() -> Result<Vec<Known>> {
    let path = path()?;
    match std::fs::read(&path) {
        // One that does not read is made anew: the server is asked again.
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
