//! PocketBase, for writes alone: a collection with one text field that anybody may add to.
//!
//! It opens its SQLite with `synchronous = NORMAL`, and no setting changes that: what it has confirmed survives its own
//! end, and the machine's only from the next checkpoint on.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{Running, free_address, installed};
use crate::http::{self, Client};

/// The server and its account live as long as one run.
const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "as long as one run";

#[derive(Debug)]
pub(crate) struct PocketBase {
    pub(crate) running: Running,
}

/// Starts it on a core of its own, with its data in `folder`.
pub(crate) fn start_pocketbase(core: usize, folder: &Path) -> Result<PocketBase> {
    let mut superuser = program(folder)?;
    let output = superuser.args(["superuser", "upsert", EMAIL, PASSWORD]).output().context("starting PocketBase")?;
    ensure!(output.status.success(), "making its account: {}", String::from_utf8_lossy(&output.stderr));

    let address = free_address()?;
    let mut serve = program(folder)?;
    serve.arg("serve").arg(format!("--http={address}"));
    let running = Running::start("pocketbase", serve, core, address, folder)?;
    make_collection(address)?;
    Ok(PocketBase { running })
}

impl PocketBase {
    /// The whole request that adds a record. Any number of connections may send it any number of times.
    pub(crate) fn create(&self, text: &str) -> Vec<u8> {
        http::post(self.running.address, "/api/collections/events/records", None, &json!({ "event": text }))
    }
}

fn program(folder: &Path) -> Result<Command> {
    let mut command = Command::new(installed("TIDEBOOK_BENCH_POCKETBASE")?);
    // Its other folders are looked for beside this one.
    command.arg(format!("--dir={}", folder.join("pb_data").display()));
    Ok(command)
}

fn make_collection(address: SocketAddr) -> Result<()> {
    let mut client = Client::connect(address)?;
    let account = json!({ "identity": EMAIL, "password": PASSWORD });
    client.send(&http::post(address, "/api/collections/_superusers/auth-with-password", None, &account))?;
    let answer = client.receive().context("signing in")?;
    let token = answer["token"].as_str().context("no token")?;
    // An empty rule lets everybody.
    let collection = json!({
        "name": "events",
        "type": "base",
        "createRule": "",
        "fields": [{ "name": "event", "type": "text" }],
    });
    client.send(&http::post(address, "/api/collections", Some(token), &collection))?;
    client.receive().context("making a collection")?;
    Ok(())
}
