//! One Chromium with a profile of its own, driven as a person would.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::console::{self, Line};
use crate::process::{Process, first_line};
use crate::{Size, places};

const STARTED_WITHIN: Duration = Duration::from_secs(30);

/// Longer than any wait of a journey: each wait ends itself, and tells what it waited for.
const SCRIPT_MS_MAX: u64 = 600_000;

const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--lang=en-GB",
    "--window-size=1280,900",
];

/// A browser; it ends when dropped.
#[derive(Debug)]
pub struct Browser {
    /// What the journey calls it.
    pub name: &'static str,
    client: Client,
    /// What the journey makes happen on purpose, and the console will therefore complain of.
    expected: Mutex<Vec<Expected>>,
    heard: Mutex<Vec<Line>>,
    /// None once it was killed.
    driver: Mutex<Option<Process>>,
    profile: Arc<TempDir>,
    size: Size,
}

/// Complaints of the browser's own that a journey brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The server refuses a form.
    Refusal,
    /// The server is away for a while.
    LostConnection,
}

impl Browser {
    /// Starts Chromium with an empty profile and a window of this size.
    pub async fn open(name: &'static str, size: Size) -> Result<Self> {
        let profile = tempfile::Builder::new().prefix("tidebook-e2e-profile-").tempdir()?;
        Self::start(name, size, Arc::new(profile)).await
    }

    /// Ends it in the middle of whatever it does, as a power cut would.
    pub fn kill(&self) {
        drop(self.driver.lock().expect("no panic holds it").take());
    }

    /// The same, and starts another with what it left behind.
    pub async fn kill_and_open_again(&self) -> Result<Self> {
        self.kill();
        Self::start(self.name, self.size, Arc::clone(&self.profile)).await
    }

    async fn start(name: &'static str, size: Size, profile: Arc<TempDir>) -> Result<Self> {
        let (driver, port) = start_driver().await?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(profile.path())?);
        let address = format!("http://127.0.0.1:{port}");
        let client = tokio::time::timeout(STARTED_WITHIN, builder.connect(&address)).await;
        let client = client.context("Chromium did not start in time")?.context("starting Chromium")?;
        let (expected, heard, driver) = (Mutex::default(), Mutex::default(), Mutex::new(Some(driver)));
        let browser = Self { name, client, expected, heard, driver, profile, size };
        browser.resize(size).await?;
        Ok(browser)
    }

    /// Whether it was ended by [`Browser::kill`].
    pub(crate) fn is_killed(&self) -> bool {
        self.driver.lock().expect("no panic holds it").is_none()
    }

    pub(crate) fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// Opens another tab, and looks at it from now on.
    pub async fn open_tab(&self, url: &str) -> Result<()> {
        let tab = self.client.new_window(true).await?.handle;
        self.client.switch_to_window(tab).await?;
        self.resize(self.size).await?;
        self.goto(url).await
    }

    /// Looks at a tab, by the order they were opened in.
    pub async fn show_tab(&self, index: usize) -> Result<()> {
        let tab = self.client.windows().await?.into_iter().nth(index).context("there is no such tab")?;
        Ok(self.client.switch_to_window(tab).await?)
    }

    pub async fn goto(&self, url: &str) -> Result<()> {
        self.client.goto(url).await.with_context(|| format!("going to {url}"))
    }

    pub async fn reload(&self) -> Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// The path of the page's address.
    pub async fn path(&self) -> Result<String> {
        Ok(self.client.current_url().await?.path().to_owned())
    }

    /// Runs a function's body in the page; `args` is what it is called with.
    pub async fn run(&self, body: &str, args: Value) -> Result<Value> {
        let script = format!("const args = arguments[0];\n{body}");
        self.client.execute(&script, vec![args]).await.with_context(|| format!("running\n{body}"))
    }

    /// The same for a body that ends by calling `done`.
    pub async fn run_until_done(&self, body: &str, args: Value) -> Result<Value> {
        let script = format!("const args = arguments[0], done = arguments[arguments.length - 1];\n{body}");
        Ok(self.client.execute_async(&script, vec![args]).await?)
    }

    /// Clicks the middle of an element, once nothing lies over it.
    pub async fn click(&self, selector: &str) -> Result<()> {
        self.ready(selector).await?.click().await.with_context(|| format!("clicking {selector}"))
    }

    /// Replaces what is in a field, key by key.
    pub async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let field = self.ready(selector).await?;
        field.clear().await.with_context(|| format!("emptying {selector}"))?;
        field.send_keys(text).await.with_context(|| format!("filling {selector}"))
    }

    /// Chooses an option of a select by its value.
    pub async fn choose(&self, selector: &str, value: &str) -> Result<()> {
        let field = self.ready(selector).await?;
        field.select_by_value(value).await.with_context(|| format!("choosing {value} in {selector}"))
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn press(&self, keys: &[char]) -> Result<()> {
        let mut actions = KeyActions::new("keyboard".into());
        for key in keys {
            actions = actions.then(KeyAction::Down { value: *key }).then(KeyAction::Up { value: *key });
        }
        self.client.perform_actions(actions).await.with_context(|| format!("pressing {keys:?}"))
    }

    /// Presses a key while others are held.
    pub async fn press_with(&self, held: &[char], key: char) -> Result<()> {
        let down = |actions: KeyActions, key: &char| actions.then(KeyAction::Down { value: *key });
        let up = |actions: KeyActions, key: &char| actions.then(KeyAction::Up { value: *key });
        let actions = held.iter().chain([&key]).fold(KeyActions::new("keyboard".into()), down);
        let actions = [key].iter().chain(held).fold(actions, up);
        self.client.perform_actions(actions).await.with_context(|| format!("pressing {key:?} with {held:?}"))
    }

    /// What a person reads in an element.
    pub async fn text(&self, selector: &str) -> Result<String> {
        Ok(self.find(selector).await?.text().await?)
    }

    /// Writes what the window shows as a PNG.
    pub async fn screenshot(&self, file: &Path) -> Result<()> {
        let png = self.client.screenshot().await?;
        std::fs::write(file, png).with_context(|| format!("writing {}", file.display()))
    }

    /// Says that the console may complain of this from now on.
    pub fn expect(&self, what: Expected) {
        self.expected.lock().expect("no panic holds it").push(what);
    }

    /// What the console complained of without the journey having brought it about.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        self.listen().await?;
        let expected = self.expected.lock().expect("no panic holds it").clone();
        let heard = self.heard.lock().expect("no panic holds it");
        Ok(heard.iter().filter(|line| line.is_complaint(&expected)).map(ToString::to_string).collect())
    }

    /// Everything the console said.
    pub(crate) async fn console(&self) -> Result<Vec<String>> {
        self.listen().await?;
        Ok(self.heard.lock().expect("no panic holds it").iter().map(ToString::to_string).collect())
    }

    /// What the page's origin keeps on the device: each database with its rows by kind.
    pub(crate) async fn kept(&self) -> Result<String> {
        let kept = self.run_until_done(WHAT_IS_KEPT, Value::Null).await?;
        kept.as_str().map(str::to_owned).context("a text")
    }

    /// The driver tells each line once.
    async fn listen(&self) -> Result<()> {
        let lines = console::parse(&self.post("se/log", json!({"type": "browser"})).await?)?;
        self.heard.lock().expect("no panic holds it").extend(lines);
        Ok(())
    }

    /// Asks Chromium itself, over its own protocol.
    pub(crate) async fn devtools(&self, command: &str, params: Value) -> Result<Value> {
        let asked = self.post("goog/cdp/execute", json!({"cmd": command, "params": params})).await;
        asked.with_context(|| format!("asking Chromium for {command}"))
    }

    async fn post(&self, path: &'static str, body: Value) -> Result<Value> {
        Ok(self.client.issue_cmd(Post { path, body }).await?)
    }

    async fn find(&self, selector: &str) -> Result<Element> {
        self.client.find(Locator::Css(selector)).await.with_context(|| format!("looking for {selector}"))
    }

    /// An element that a person could click now.
    async fn ready(&self, selector: &str) -> Result<Element> {
        self.wait_for(&format!("{selector} to be there to be clicked"), IS_CLICKABLE, json!(selector)).await?;
        self.find(selector).await
    }
}

/// Scrolled to, at rest, and on top.
const IS_CLICKABLE: &str = "
    const element = document.querySelector(args);
    if (!element || element.disabled) return false;
    element.scrollIntoView({ block: 'nearest', behavior: 'instant' });
    for (let up = element; up; up = up.parentElement)
        if (up.getAnimations().some(it => it.playState === 'running' && it.effect.getComputedTiming().endTime < 2000))
            return false;
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) return false;
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return !!top && (element.contains(top) || top.contains(element) || [...element.labels ?? []].some(it => it.contains(top)));";

async fn start_driver() -> Result<(Process, u16)> {
    // Both are looked for first: the driver's own words for a missing browser lead nowhere.
    places::installed("chromium")?;
    let mut command = Command::new(places::installed("chromedriver")?);
    command.arg("--port=0").stderr(Stdio::null());
    let (driver, mut lines) = Process::start("chromedriver", &mut command)?;
    let port = |line: &str| line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok();
    let port = first_line(&mut lines, "port", STARTED_WITHIN, port).await.context("starting chromedriver")?;
    Ok((driver, port))
}

fn capabilities(profile: &Path) -> Result<Capabilities> {
    let binary: PathBuf = places::installed("chromium")?;
    let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let preferences = json!({
        "credentials_enable_service": false,
        "profile.password_manager_leak_detection": false,
        "intl.accept_languages": "en-GB,en",
    });
    let capabilities = json!({
        "browserName": "chrome",
        "timeouts": {"script": SCRIPT_MS_MAX},
        "unhandledPromptBehavior": "accept",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"binary": binary, "args": arguments, "prefs": preferences},
    });
    match capabilities {
        Value::Object(capabilities) => Ok(capabilities),
        _ => bail!("capabilities are an object"),
    }
}

const WHAT_IS_KEPT: &str = "
    const ended = request => new Promise((go, fail) => {
        request.onsuccess = () => go(request.result);
        request.onerror = () => fail(request.error);
    });
    const rows = async ({ name }) => {
        const database = await ended(indexedDB.open(name));
        const kinds = [...database.objectStoreNames];
        const reading = database.transaction(kinds);
        const counts = kinds.map(async kind => `${await ended(reading.objectStore(kind).count())} ${kind}`);
        const told = (await Promise.all(counts)).join(', ');
        database.close();
        return `${name}: ${told}`;
    };
    const all = async () => {
        const told = (await indexedDB.databases()).map(it => rows(it).catch(error => `${it.name}: ${error}`));
        return (await Promise.all(told)).join('\\n') || 'nothing';
    };
    all().catch(String).then(done)";

/// A command beyond the standard's, of this session.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base_url: &url::Url, session_id: Option<&str>) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
