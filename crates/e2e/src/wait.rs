//! Waiting for a page to be as it should, without looking at it more often than it changes.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::Browser;

/// What a person would have given up waiting for.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much longer than the page itself we wait for it to say that it waited in vain.
const GRACE: Duration = Duration::from_secs(5);

/// How much of a page's text a message holds.
const TEXT_CHARS_MAX: usize = 1_500;

/// Calls `look` at once, at each change of the page, and now and then for what changes without a trace, such as styles.
const WAIT: &str = "
    const look = (args) => { LOOK };
    let observer, every, limit;
    const stop = (answer) => { observer.disconnect(); clearInterval(every); clearTimeout(limit); done(answer); };
    const check = () => {
        let found, error;
        try { found = look(args.args); } catch (thrown) { error = String(thrown); }
        if (found) stop({ found });
        check.error = error;
    };
    observer = new MutationObserver(check);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    every = setInterval(check, 100);
    const page = () => ({ error: check.error, at: location.href, text: document.body.innerText });
    limit = setTimeout(() => stop(page()), args.within);
    check();";

impl Browser {
    /// Waits until `look`, a function's body, returns something true, and returns that.
    pub async fn wait_for(&self, what: &str, look: &str, args: Value) -> Result<Value> {
        self.wait_within(PATIENCE, what, look, args).await
    }

    /// The same, for as long as the journey says.
    pub async fn wait_within(&self, within: Duration, what: &str, look: &str, args: Value) -> Result<Value> {
        let script = script(look);
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            let waiting = self.run_until_done(&script, json!({"args": args, "within": ms}));
            let answer = match timeout(left + GRACE, waiting).await {
                Ok(Ok(answer)) => answer,
                // The page made way for another: the wait goes on there.
                Ok(Err(error)) if is_unloaded(&error) && Instant::now() < deadline => continue,
                Ok(Err(error)) => return Err(error.context(format!("{}: waiting for {what}", self.name))),
                Err(_) => bail!("{}: the page hangs; waited for {what}", self.name),
            };
            if let Some(found) = answer.get("found") {
                return Ok(found.clone());
            }
            bail!("{}: waited {within:?} for {what}; {}", self.name, described(&answer));
        }
    }

    /// Waits until an element is there and can be seen.
    pub async fn wait_to_see(&self, selector: &str) -> Result<()> {
        self.wait_for(&format!("{selector} to be seen"), IS_SEEN, json!(selector)).await.map(drop)
    }

    /// Waits until an element is gone.
    pub async fn wait_until_gone(&self, selector: &str) -> Result<()> {
        let is_gone = "return !document.querySelector(args)?.checkVisibility()";
        self.wait_for(&format!("{selector} to be gone"), is_gone, json!(selector)).await.map(drop)
    }

    /// Waits until an element holds a text.
    pub async fn wait_to_read(&self, selector: &str, text: &str) -> Result<()> {
        let reads = "return [...document.querySelectorAll(args[0])].some(it => it.innerText.includes(args[1]))";
        self.wait_for(&format!("{selector} to say {text:?}"), reads, json!([selector, text])).await.map(drop)
    }
}

const IS_SEEN: &str = "return !!document.querySelector(args)?.checkVisibility({ visibilityProperty: true })";

/// The body of a function of `args` and `done`, which tells when `look` finds something, or that it did not in time.
pub(crate) fn script(look: &str) -> String {
    WAIT.replace("LOOK", look)
}

pub(crate) fn is_unloaded(error: &anyhow::Error) -> bool {
    let words = format!("{error:#}");
    ["unloaded", "aborted by navigation", "context was destroyed", "navigated or closed", "Cannot find default"]
        .iter()
        .any(|word| words.contains(word))
}

pub(crate) fn described(page: &Value) -> String {
    let text: String = page["text"].as_str().unwrap_or_default().chars().take(TEXT_CHARS_MAX).collect();
    let error = page["error"].as_str().map(|error| format!(" (looking there throws {error})")).unwrap_or_default();
    format!("{} says{error}:\n{text}", page["at"].as_str().unwrap_or("the page"))
}
