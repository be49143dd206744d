//! A tab that is spoken to over Chromium's own protocol, past the driver: many at once, in the middle of what they do,
//! and to their death, which a driver does not outlive.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::{Browser, wait};

/// What a page may take for something on a busy machine; a hidden one looks at itself once a second only.
pub(crate) const FOUND_WITHIN: Duration = Duration::from_secs(30);

/// How long Chromium may take to answer, with a page that waits for something in between: longer than any such wait.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// A tab of a browser. It stays open when dropped: the browser ends it.
#[derive(Debug)]
pub struct Tab {
    id: String,
    devtools: u16,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    asked: u64,
    is_crashed: bool,
    complaints: Vec<String>,
}

#[derive(Deserialize)]
struct Opened {
    id: String,
    #[serde(rename = "webSocketDebuggerUrl")]
    socket: String,
}

impl Browser {
    /// Opens a tab on an address, behind the one that the driver looks at, and does not wait for what comes there.
    pub async fn tab(&self, url: &str) -> Result<Tab> {
        let devtools = self.devtools_port()?;
        let opening = reqwest::Client::new().put(format!("http://127.0.0.1:{devtools}/json/new?{url}"));
        let opened = opening.send().await?.error_for_status()?.text().await?;
        let Opened { id, socket } = serde_json::from_str(&opened).context("Chromium tells of the tab it opened")?;
        let (socket, _) = connect_async(&socket).await.context("Chromium lets itself be asked about a tab")?;
        let mut tab = Tab { id, devtools, socket, asked: 0, is_crashed: false, complaints: Vec::new() };
        for domain in ["Inspector.enable", "Page.enable", "Runtime.enable"] {
            tab.ask(domain, json!({})).await?;
        }
        Ok(tab)
    }

    fn devtools_port(&self) -> Result<u16> {
        let file = self.profile().join("DevToolsActivePort");
        let text = std::fs::read_to_string(&file).context("Chromium says where it can be asked")?;
        text.lines().next().unwrap_or_default().parse().context("a port is a number")
    }
}

impl Tab {
    /// Runs the body of an asynchronous function in the page, and waits until it has ended.
    pub async fn run(&mut self, body: &str, args: &Value) -> Result<Value> {
        let answer = self.ask("Runtime.evaluate", running(body, args)).await?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            bail!("the page throws {thrown} at\n{body}");
        }
        Ok(answer["result"]["value"].clone())
    }

    /// The same without waiting: the page may be ended in the middle of it.
    pub async fn begin(&mut self, body: &str, args: &Value) -> Result<()> {
        self.send("Runtime.evaluate", running(body, args)).await.map(drop)
    }

    /// Waits until `look`, a function's body, returns something true, and returns that.
    pub async fn wait_for(&mut self, what: &str, look: &str) -> Result<Value> {
        self.wait_within(FOUND_WITHIN, what, look).await
    }

    /// The same, for as long as the journey says.
    pub async fn wait_within(&mut self, within: Duration, what: &str, look: &str) -> Result<Value> {
        let within_ms = u64::try_from(within.as_millis())?;
        let script = wait::script(look);
        let body = format!("return new Promise(done => {{ {script} }})");
        loop {
            let args = json!({"args": null, "within": within_ms});
            let answer = match self.run(&body, &args).await {
                // The page made way for another: the wait goes on there.
                Err(error) if !self.is_crashed && wait::is_unloaded(&error) => continue,
                answer => answer.with_context(|| format!("waiting for {what}"))?,
            };
            if let Some(found) = answer.get("found") {
                return Ok(found.clone());
            }
            bail!("waited {within:?} for {what}; {}", wait::described(&answer));
        }
    }

    /// Brings it before the others of its browser. A page that nobody sees has its timers held back, up to a minute.
    pub async fn show(&mut self) -> Result<()> {
        self.ask("Page.bringToFront", json!({})).await.map(drop)
    }

    /// Holds the page still, as browsers do with pages that nobody looked at for long.
    pub async fn freeze(&mut self) -> Result<()> {
        self.ask("Page.setWebLifecycleState", json!({"state": "frozen"})).await.map(drop)
    }

    pub async fn thaw(&mut self) -> Result<()> {
        self.ask("Page.setWebLifecycleState", json!({"state": "active"})).await.map(drop)
    }

    /// Returns once another page has taken the place of the one that is there.
    pub async fn reload(&mut self) -> Result<()> {
        self.run("window.isOld = true", &Value::Null).await?;
        self.ask("Page.reload", json!({})).await?;
        self.wait_for("another page", "return !window.isOld").await.map(drop)
    }

    /// Ends the page's process at once, in the middle of whatever it does. Others that share the process end as well.
    pub async fn crash(&mut self) -> Result<()> {
        match self.ask("Page.crash", json!({})).await {
            Err(_) if self.is_crashed => Ok(()),
            outcome => bail!("the page lives on: {outcome:?}"),
        }
    }

    /// Whether its process has ended; known once it was asked for something.
    #[must_use]
    pub fn is_crashed(&self) -> bool {
        self.is_crashed
    }

    /// Closes it, crashed or not.
    pub async fn close(self) -> Result<()> {
        let closing = reqwest::get(format!("http://127.0.0.1:{}/json/close/{}", self.devtools, self.id)).await?;
        closing.error_for_status()?;
        ensure!(self.complaints.is_empty(), "a tab's console: {}", self.complaints.join("\n"));
        Ok(())
    }

    async fn ask(&mut self, method: &str, params: Value) -> Result<Value> {
        let id = self.send(method, params).await?;
        let answering = timeout(ANSWERED_WITHIN, self.answer_to(id));
        answering.await.with_context(|| format!("a tab does not answer to {method}"))?
    }

    async fn send(&mut self, method: &str, params: Value) -> Result<u64> {
        self.asked += 1;
        let question = json!({"id": self.asked, "method": method, "params": params}).to_string();
        self.socket.send(Message::text(question)).await.with_context(|| format!("asking for {method}"))?;
        Ok(self.asked)
    }

    /// Hears all that is said before the answer.
    async fn answer_to(&mut self, id: u64) -> Result<Value> {
        loop {
            let said = self.socket.next().await.context("the tab is gone")??;
            let Message::Text(said) = said else { continue };
            let mut said: Value = serde_json::from_str(&said)?;
            self.hear(&said);
            ensure!(!self.is_crashed, "the tab has crashed");
            if said["id"] == id {
                ensure!(said.get("error").is_none(), "Chromium answers {said}");
                return Ok(said["result"].take());
            }
        }
    }

    fn hear(&mut self, said: &Value) {
        let is_error = said["params"]["type"] == "error";
        match said["method"].as_str() {
            Some("Inspector.targetCrashed") => self.is_crashed = true,
            Some("Runtime.exceptionThrown") => self.complaints.push(said["params"].to_string()),
            Some("Runtime.consoleAPICalled") if is_error => self.complaints.push(said["params"].to_string()),
            _ => {}
        }
    }
}

fn running(body: &str, args: &Value) -> Value {
    let expression = format!("(async args => {{ {body} }})({args})");
    json!({"expression": expression, "awaitPromise": true, "returnByValue": true})
}
