//! What happens in a page while nobody asks: when something arrives, and what else moves.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::Browser;

/// Tells when it is on the screen, not merely in the document: after the frame that shows it.
const ARRIVAL: &str = "
    window.arrival = new Promise(tell => {
        const shown = new MessageChannel();
        shown.port1.onmessage = () => tell(Date.now());
        const look = () => {
            if (![...document.querySelectorAll(args[0])].some(it => it.textContent.includes(args[1]))) return;
            observer.disconnect();
            requestAnimationFrame(() => shown.port2.postMessage(null));
        };
        const observer = new MutationObserver(look);
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    });";

/// The list may have the row itself put elsewhere; everything else in it stays as it is.
const ELSEWHERE: &str = "
    const { within, row } = args;
    const holds = node => node.nodeType === 1 && (node.matches(row) || !!node.querySelector(row));
    const is_expected = record => {
        const target = record.target.nodeType === 1 ? record.target : record.target.parentElement;
        if (!target) return false;
        if (target.closest(within) || target.closest(row) || (target.matches('li') && holds(target))) return true;
        return record.type === 'childList' && [...record.addedNodes, ...record.removedNodes].every(holds);
    };
    const words = ({ type, target, attributeName, addedNodes, removedNodes }) => {
        const place = target.nodeType === 1 ? target : target.parentElement;
        const html = nodes => [...nodes].map(it => it.outerHTML ?? it.textContent).join(' ').slice(0, 200);
        return `${type} ${attributeName ?? ''} at ${place?.cloneNode(false).outerHTML.slice(0, 200)}: `
            + `+[${html(addedNodes)}] -[${html(removedNodes)}]`;
    };
    window.elsewhere = [];
    window.noticed = 0;
    const observer = new MutationObserver(records => {
        window.noticed += records.length;
        window.elsewhere.push(...records.filter(it => !is_expected(it)).map(words));
    });
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    window.stopWatching = () => observer.disconnect();";

/// The moves a page made.
#[derive(Debug)]
pub struct Moves {
    /// All of them.
    pub count: u64,
    /// Those where none was expected, in words.
    pub elsewhere: Vec<String>,
}

impl Browser {
    /// From now on, notes when a form is sent, in milliseconds since 1970.
    pub async fn clock_forms(&self) -> Result<()> {
        let clock = "document.addEventListener('submit', () => { window.sentAt = Date.now() }, true)";
        self.run(clock, Value::Null).await.map(drop)
    }

    /// When the last form was sent.
    pub async fn sent_at(&self) -> Result<f64> {
        self.run("return window.sentAt", Value::Null).await?.as_f64().context("no form was sent")
    }

    /// Begins to look out for an element with this text, which is not there yet.
    pub async fn look_out(&self, selector: &str, text: &str) -> Result<()> {
        self.run(ARRIVAL, json!([selector, text])).await.map(drop)
    }

    /// When what is looked out for was on the screen, in milliseconds since 1970.
    pub async fn arrived_at(&self, what: &str) -> Result<f64> {
        let look = "window.arrival.then(at => { window.arrivedAt = at }); return window.arrivedAt";
        self.run("window.arrivedAt = undefined", Value::Null).await?;
        self.wait_for(what, look, Value::Null).await?.as_f64().context("a time is a number")
    }

    /// Begins to note every change of the page but those inside of `within`, and those of the one row.
    pub async fn watch_elsewhere(&self, within: &str, row: &str) -> Result<()> {
        self.run(ELSEWHERE, json!({"within": within, "row": row})).await.map(drop)
    }

    /// What was noted since.
    pub async fn moves(&self) -> Result<Moves> {
        let noted = self.run("stopWatching(); return [window.noticed, window.elsewhere]", Value::Null).await?;
        let (count, elsewhere) = serde_json::from_value(noted)?;
        Ok(Moves { count, elsewhere })
    }
}
