//! Edits typed into a tab faster than anybody types, and what the tab says of them.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::Tab;
use crate::tab::FOUND_WITHIN;

/// Brings people into the book, and lines of Ana's, one after the other. Between the steps the page goes on with what
/// else it has to do; frames are no measure, since a hidden page has none.
const BURST: &str = "
    const turn = () => new Promise(go => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = go;
        port2.postMessage(null);
    });
    const type = (id, text) => {
        const field = document.querySelector(id);
        field.value = text;
        field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    const until = async look => {
        for (let turns = 0; !look(); turns++) {
            if (turns > 5000) throw new Error(`waited in vain until ${look}; ${document.body.innerText}`);
            await turn();
        }
    };
    for (const { text, isLine } of args) {
        document.querySelector(isLine ? '#add' : '#add-person').click();
        await until(() => document.querySelector(isLine ? '#note' : '#person-name'));
        if (isLine) {
            type('#amount', '1');
            type('#who', 'Ana Kovač');
            type('#note', text);
        } else {
            type('#person-name', text);
        }
        document.querySelector('#save').click();
        await until(() => !document.querySelector('#sheet[open]'));
    }";

/// What the sync chip shows.
const CHIP: &str = "
    const chip = document.querySelector('.sync[data-state]');
    if (!chip) throw new Error(`there is no chip in ${document.body.innerText}`);
    return [chip.dataset.state, chip.querySelector('[role=status]').textContent]";

/// One thing to type: a name of somebody new, or the note of a new line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    pub text: String,
    pub is_line: bool,
}

/// What a tab says of everything that was typed into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// It is in the book.
    Synced,
    /// It is on this device: so many changes, those of other tabs among them.
    Saved(usize),
    /// Neither.
    NotYet,
}

impl Tab {
    /// Waits until the book is shown, and with it whatever the device has of it: before that nobody can write in it.
    pub async fn wait_for_book(&mut self) -> Result<()> {
        let look = "
            const words = document.querySelector('.sync [role=status]')?.textContent;
            return !!words && words !== 'Catching up' && !!document.querySelector('#add-person')";
        self.wait_for("the book in a tab", look).await.map(drop)
    }

    /// Types all of it, and waits until the page has taken it in, kept or not.
    pub async fn type_all(&mut self, burst: &[Typed]) -> Result<()> {
        self.run(BURST, &args(burst)).await.map(drop)
    }

    /// The same without waiting.
    pub async fn begin_to_type(&mut self, burst: &[Typed]) -> Result<()> {
        self.begin(BURST, &args(burst)).await
    }

    /// What the tab says now.
    pub async fn says(&mut self) -> Result<Says> {
        read(&self.run(CHIP, &Value::Null).await?)
    }

    /// What it says once it does not have everything in its own memory only.
    pub async fn wait_until_saved(&mut self) -> Result<Says> {
        let look =
            format!("const said = (() => {{ {CHIP} }})(); return ['offline', 'synced'].includes(said[0]) && said");
        read(&self.wait_for("the tab to have kept everything", &look).await?)
    }

    /// Waits until everything that any tab kept is in the book. Nobody waits for a tab to try again by itself.
    pub async fn wait_until_synced(&mut self) -> Result<()> {
        self.run("window.dispatchEvent(new Event('online'))", &Value::Null).await?;
        self.wait_for_chip(FOUND_WITHIN, &["synced"]).await
    }

    /// The same for a tab that has to come back by itself, in a book where conflicts may be open: of those the chip tells
    /// once all else is done.
    pub async fn wait_until_it_synced_by_itself(&mut self, within: Duration) -> Result<()> {
        self.wait_for_chip(within, &["synced", "attention"]).await
    }

    async fn wait_for_chip(&mut self, within: Duration, states: &[&str]) -> Result<()> {
        let states = json!(states);
        let look = format!("return {states}.includes(document.querySelector('.sync[data-state]')?.dataset.state)");
        self.wait_within(within, "the tab to be synced", &look).await.map(drop)
    }
}

fn args(burst: &[Typed]) -> Value {
    burst.iter().map(|Typed { text, is_line }| json!({"text": text, "isLine": is_line})).collect()
}

fn read(chip: &Value) -> Result<Says> {
    let [Some(state), Some(words)] = [chip[0].as_str(), chip[1].as_str()] else { bail!("the chip says {chip}") };
    let number = || words.split(|c: char| !c.is_ascii_digit()).find_map(|part| part.parse().ok());
    match state {
        "synced" => Ok(Says::Synced),
        "offline" if words.contains("in this window") => bail!("a tab lost its store"),
        "offline" => Ok(Says::Saved(number().unwrap_or(0))),
        "saving" => Ok(Says::NotYet),
        _ => bail!("the chip says {words}"),
    }
}
