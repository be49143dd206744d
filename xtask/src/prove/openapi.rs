//! schemathesis reads the document that a server serves and attacks every call in it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::Finding;
use crate::children;
use crate::install::Installer;
use crate::packages::SCHEMATHESIS;
use crate::tools::python;
use crate::wasm_toolchain::Choice;
use crate::web_app::{self, Shrinking};
use crate::workspace::Workspace;

/// Examples a call, beside those that cover each rule of its schema.
const EXAMPLES: &str = "100";

/// The feed never ends by itself.
const ENDLESS: &str = "/feed$";

/// Calls that take away what the others are tried on: the session, the book.
const DESTRUCTIVE: [&str; 3] = ["delete_sessions_current", "delete_sessions_id", "delete_books_book"];

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

pub(super) fn prove(workspace: &Workspace, installer: &Installer, choice: Choice) -> Result<Finding> {
    let (package, version) = SCHEMATHESIS;
    let schemathesis = python(workspace, installer, package, &[&format!("{package}=={version}")])?.join(package);
    web_app::build(workspace, installer, choice, Shrinking::WhereNodeIs)?;
    children::run("building tidebook", workspace.cargo().args(["build", "--package", "tidebook-cli"]))?;
    let folder = workspace.target_dir.join("prove-openapi");
    let _absent_at_first = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let mut server = Server::start(workspace, &folder)?;
    let outcome = attack(&schemathesis, &server.url, &folder);
    server.stop()?;
    outcome
}

fn attack(schemathesis: &Path, url: &str, folder: &Path) -> Result<Finding> {
    let api = Api { url };
    let token =
        api.post("/accounts", None, r#"{"email":"mira@tide.example","password":"low tide at noon","name":"Mira"}"#)?;
    let token = text_of(&token, "token")?;
    let book = text_of(&api.post("/books", Some(&token), r#"{"name":"Harbour Street"}"#)?, "id")?;
    let records = format!("/books/{book}/contacts");
    let contact = text_of(&api.post(&records, Some(&token), r#"{"name":"Ana"}"#)?, "id")?;
    let body =
        format!(r#"{{"contact":"{contact}","direction":"gave","amount":2050,"currency":"EUR","date":"2026-11-22"}}"#);
    let transaction = text_of(&api.post(&format!("/books/{book}/transactions"), Some(&token), &body)?, "id")?;
    let config = folder.join("schemathesis.toml");
    std::fs::write(&config, config_of(&book, &contact, &transaction))?;

    let mut run = Command::new(schemathesis);
    // It leaves notes on its run in the folder that it is run in.
    run.current_dir(folder).arg("--config-file").arg(&config);
    run.args(["run", &format!("{url}/api/v1/openapi.json"), "--url", url]);
    run.args(["--header", &format!("Authorization: Bearer {token}"), "--checks", CHECKS]);
    run.args(["--exclude-path-regex", ENDLESS, "--max-examples", EXAMPLES]);
    for operation in DESTRUCTIVE {
        run.args(["--exclude-operation-id", operation]);
    }
    run.args(["--phases", "examples,coverage,fuzzing", "--request-timeout", "10", "--no-color"]);
    children::run("attacking", &mut run).context("schemathesis found something")?;
    let amount = format!("every call but 4, up to {EXAMPLES} random examples each beside those of each rule");
    let result = "no server error, no undocumented status, content type or shape".to_owned();
    Ok(Finding { command: "cargo xtask prove openapi".to_owned(), amount, result })
}

/// Ids that exist, so that calls get past their 404.
fn config_of(book: &str, contact: &str, transaction: &str) -> String {
    let operation = |kind: &str, id: &str| {
        format!(
            "[[operations]]\ninclude-path-regex = \"/{kind}/\"\nparameters = {{ id = \"{id}\", book = \"{book}\" }}\n\n"
        )
    };
    let all = format!("[parameters]\nbook = \"{book}\"\n\n");
    [all, operation("contacts", contact), operation("transactions", transaction)].concat()
}

/// As much of a client as it takes to have something to attack, through curl.
struct Api<'a> {
    url: &'a str,
}

impl Api<'_> {
    fn post(&self, path: &str, token: Option<&str>, body: &str) -> Result<String> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--header", "Content-Type: application/json", "--data", body]);
        if let Some(token) = token {
            curl.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        children::output_of(curl.arg(format!("{}/api/v1{path}", self.url)))
    }
}

/// The text of a field, of an answer that has it once.
fn text_of(answer: &str, field: &str) -> Result<String> {
    let (_, rest) = answer.split_once(&format!("\"{field}\":\"")).with_context(|| format!("no {field} in {answer}"))?;
    let (text, _) = rest.split_once('"').context("a text ends")?;
    Ok(text.to_owned())
}

struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(workspace: &Workspace, folder: &Path) -> Result<Self> {
        let mut command = Command::new(workspace.target_dir.join("debug/tidebook"));
        // A folder of each run's own: the server keeps what it is given.
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        command.args(["serve", "--signup", "open", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(folder.join(now.to_string())).stdout(Stdio::piped());
        let mut child = command.spawn().context("starting tidebook")?;
        let mut line = String::new();
        let out = child.stdout.take().context("its output is a pipe")?;
        BufReader::new(out).read_line(&mut line)?;
        match line.trim().strip_prefix("listening on ") {
            Some(url) => Ok(Self { url: url.to_owned(), child }),
            None => bail!("tidebook did not start"),
        }
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended under attack: {status}");
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}
