//! The app's screens, and what a person does there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{Account, Browser};

/// How long an app that lost its server may take to find it again by itself.
const RECONNECTED_WITHIN: Duration = Duration::from_secs(40);

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// The totals by currency, without those that are even. `value` holds minor units.
const TOTALS: &str = "
    const sums = [...document.querySelectorAll('#totals [data-currency]')].map(it =>
        [it.dataset.currency, Number(it.dataset.amount ?? it.querySelector('data').value)]);
    const totals = Object.fromEntries(sums.filter(([, amount]) => amount !== 0));";

/// The app in a browser.
#[derive(Debug, Clone)]
pub struct App {
    pub browser: Arc<Browser>,
    origin: String,
}

/// Sums by currency, in minor units.
pub type Totals = BTreeMap<String, i64>;

impl App {
    /// The app that a server has, in a browser that is not there yet.
    #[must_use]
    pub fn new(browser: Arc<Browser>, origin: String) -> Self {
        Self { browser, origin }
    }

    /// Opens the app's address and waits until the app has taken the place of the shell.
    pub async fn arrive(&self) -> Result<()> {
        self.browser.goto(&self.origin).await?;
        let is_up = "return !!document.querySelector('#email, #book-name, .sync[data-state]')";
        self.browser.wait_for("the app's first screen", is_up, Value::Null).await.map(drop)
    }

    /// Waits until the app would open without its server as well.
    pub async fn wait_until_kept(&self) -> Result<()> {
        let look = "
            navigator.serviceWorker.ready.then(() => { window.isKept = true });
            return window.isKept";
        self.browser.wait_for("the app to be kept", look, Value::Null).await.map(drop)
    }

    /// Who is not known on this device is offered a book without an account first.
    pub async fn go_to_sign_in(&self) -> Result<()> {
        self.browser.wait_to_see("#email, #to-sign").await?;
        if self.browser.run("return !!document.querySelector('#to-sign')", Value::Null).await? == true {
            self.browser.click("#to-sign").await?;
        }
        Ok(())
    }

    /// Begins a book that is on this device alone.
    pub async fn begin_alone(&self) -> Result<()> {
        self.browser.choose("#book-currency", "EUR").await?;
        self.browser.click("#make-book").await?;
        self.wait_for_chip("alone", "On this device").await
    }

    pub async fn sign_up(&self, name: &str, email: &str, password: &str) -> Result<()> {
        self.go_to_sign_in().await?;
        self.browser.click("label:has(> #mode-new)").await?;
        self.browser.fill("#name", name).await?;
        self.send_credentials(email, password).await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Result<()> {
        self.go_to_sign_in().await?;
        self.browser.click("label:has(> #mode-back)").await?;
        self.send_credentials(email, password).await
    }

    async fn send_credentials(&self, email: &str, password: &str) -> Result<()> {
        self.browser.fill("#email", email).await?;
        self.browser.fill("#password", password).await?;
        self.browser.click("#submit").await
    }

    /// Names the first book, or one beside those there are.
    pub async fn make_book(&self, name: &str, currency: &str) -> Result<()> {
        self.browser.fill("#book-name", name).await?;
        self.browser.choose("#book-currency", currency).await?;
        self.browser.click("#make-book").await?;
        self.wait_for_book().await
    }

    /// Waits until a book is open and all of it is here.
    pub async fn wait_for_book(&self) -> Result<()> {
        self.wait_for_chip("synced", "Synced").await
    }

    /// Waits for the sync chip's state and words.
    pub async fn wait_for_chip(&self, state: &str, words: &str) -> Result<()> {
        self.wait_for_chip_within(Duration::from_secs(15), state, words).await
    }

    /// Waits until the app has found its server again by itself.
    pub async fn wait_to_be_back(&self) -> Result<()> {
        self.wait_for_chip_within(RECONNECTED_WITHIN, "synced", "Synced").await
    }

    /// The same, where the session may have ended meanwhile.
    pub async fn come_back(&self, account: &Account) -> Result<()> {
        let look = "return !!document.querySelector('#email, .sync[data-state=synced]')";
        self.browser.wait_within(RECONNECTED_WITHIN, "the server to be found", look, Value::Null).await?;
        if self.browser.run("return !!document.querySelector('#email')", Value::Null).await? == true {
            self.sign_in(&account.email, &account.password).await?;
        }
        self.wait_to_be_back().await
    }

    async fn wait_for_chip_within(&self, within: Duration, state: &str, words: &str) -> Result<()> {
        let look = "
            const chip = document.querySelector('.sync');
            return chip?.dataset.state === args[0] && chip.querySelector('[role=status]').textContent === args[1]";
        let what = format!("the sync chip to say {words:?}");
        self.browser.wait_within(within, &what, look, json!([state, words])).await.map(drop)
    }

    /// Brings somebody into the book.
    pub async fn add_person(&self, name: &str) -> Result<()> {
        self.browser.click("#add-person").await?;
        self.browser.fill("#person-name", name).await?;
        self.save().await
    }

    /// "I gave", in the book's own currency.
    pub async fn add_gave(&self, who: &str, amount: &str, note: &str) -> Result<()> {
        self.browser.click("#add").await?;
        self.fill_entry(who, amount, note).await?;
        self.save().await
    }

    /// Fills the sheet of a new transaction.
    pub async fn fill_entry(&self, who: &str, amount: &str, note: &str) -> Result<()> {
        self.browser.fill("#amount", amount).await?;
        // The list of people lies over what is below until the field is left.
        self.browser.fill("#who", &format!("{who}{TAB}")).await?;
        self.browser.fill("#note", note).await
    }

    /// Saves what the sheet holds; it closes.
    pub async fn save(&self) -> Result<()> {
        self.browser.click("#save").await?;
        self.browser.wait_until_gone("#sheet[open]").await
    }

    /// Saves it by the key Enter, from the field that has the focus.
    pub async fn save_by_key(&self) -> Result<()> {
        self.browser.press(&[ENTER]).await?;
        self.browser.wait_until_gone("#sheet[open]").await
    }

    /// The id of somebody in the list, once they are there.
    pub async fn wait_for_person(&self, name: &str) -> Result<String> {
        let look = "
            const rows = [...document.querySelectorAll('[data-contact]')];
            return rows.find(it => it.querySelector('.row-name').textContent === args)?.dataset.contact";
        let id = self.browser.wait_for(&format!("{name} in the list"), look, json!(name)).await?;
        id.as_str().map(str::to_owned).context("an id is a text")
    }

    /// Opens somebody's page.
    pub async fn open_person(&self, name: &str) -> Result<()> {
        let id = self.wait_for_person(name).await?;
        self.browser.click(&format!("[data-contact='{id}']")).await?;
        self.browser.wait_to_read(".detail h1", name).await
    }

    /// Waits for a line on the page of the person who is open.
    pub async fn wait_for_line(&self, note: &str) -> Result<()> {
        self.browser.wait_to_read("[data-transaction]", note).await
    }

    /// The id of a line on the page of the person who is open.
    pub async fn line(&self, note: &str) -> Result<String> {
        let look = "
            const rows = [...document.querySelectorAll('[data-transaction]')];
            return rows.find(it => it.querySelector('.row-name').innerText === args)?.dataset.transaction";
        let id = self.browser.wait_for(&format!("the line {note}"), look, json!(note)).await?;
        id.as_str().map(str::to_owned).context("an id is a text")
    }

    /// Opens its page.
    pub async fn open_transaction(&self, note: &str) -> Result<()> {
        let id = self.line(note).await?;
        self.browser.click(&format!("[data-transaction='{id}'] .row-link")).await?;
        self.browser.wait_to_see("#history").await
    }

    /// Opens its form, on its page.
    pub async fn open_line(&self, note: &str) -> Result<()> {
        self.open_transaction(note).await?;
        self.browser.click("#edit-transaction").await?;
        self.browser.wait_to_see("#delete").await
    }

    /// Goes back from the page of a transaction to where the person came from.
    pub async fn leave_transaction(&self) -> Result<()> {
        self.browser.run("history.back()", Value::Null).await?;
        self.browser.wait_until_gone("#history").await
    }

    /// Writes something else into one field of a line.
    pub async fn edit_line(&self, note: &str, field: &str, text: &str) -> Result<()> {
        self.open_line(note).await?;
        self.browser.fill(field, text).await?;
        self.save().await?;
        self.leave_transaction().await
    }

    /// Deletes a line.
    pub async fn delete_line(&self, note: &str) -> Result<()> {
        self.open_line(note).await?;
        self.browser.click("#delete").await?;
        self.browser.wait_until_gone("#sheet[open]").await?;
        self.leave_transaction().await
    }

    /// Waits for the card of a conflict, also where the app has to find its server first.
    pub async fn wait_for_card(&self) -> Result<()> {
        let look = "return !!document.querySelector('.conflict .btn')?.checkVisibility()";
        self.browser.wait_within(RECONNECTED_WITHIN, "the card of a conflict", look, Value::Null).await.map(drop)
    }

    /// Both values on the card: what stands, and what was set aside.
    pub async fn values_on_the_card(&self) -> Result<[String; 2]> {
        let look = "
            const value = apply => document.querySelector(`.version:has([data-apply=${apply}]) :is(.version-value, .version-text)`);
            return [value(false).innerText, value(true).innerText]";
        Ok(serde_json::from_value(self.browser.run(look, Value::Null).await?)?)
    }

    /// The amounts of the lines on the page of the person who is open, from the top.
    pub async fn amounts(&self) -> Result<Vec<String>> {
        let look =
            "return [...document.querySelectorAll('[data-transaction] .row-end > data')].map(it => it.innerText)";
        Ok(serde_json::from_value(self.browser.run(look, Value::Null).await?)?)
    }

    /// Waits until the lines have these amounts, from the top.
    pub async fn wait_for_amounts(&self, amounts: &[&str]) -> Result<()> {
        let look = "
            const shown = [...document.querySelectorAll('[data-transaction] .row-end > data')].map(it => it.innerText);
            return JSON.stringify(shown) === JSON.stringify(args)";
        self.browser.wait_for(&format!("the amounts {amounts:?}"), look, json!(amounts)).await.map(drop)
    }

    /// The names in the list, from the top.
    pub async fn people(&self) -> Result<Vec<String>> {
        let names = "return [...document.querySelectorAll('[data-contact] .row-name')].map(it => it.textContent)";
        Ok(serde_json::from_value(self.browser.run(names, Value::Null).await?)?)
    }

    /// What the top of the list says.
    pub async fn totals(&self) -> Result<Totals> {
        let totals = self.browser.run(&format!("{TOTALS} return totals"), Value::Null).await?;
        Ok(serde_json::from_value(totals)?)
    }

    /// Waits until the totals are these and the list has so many people.
    pub async fn wait_for_totals(&self, within: Duration, totals: &Totals, people: usize) -> Result<()> {
        let look = format!(
            "{TOTALS}
            const wanted = Object.entries(args.totals);
            const same = Object.keys(totals).length === wanted.length && wanted.every(([it, sum]) => totals[it] === sum);
            const rows = document.querySelectorAll('#people > li');
            // Of a long list not every row is in the page; then each tells of how many it is.
            return same && Number(rows[0]?.ariaSetSize ?? rows.length) === args.people"
        );
        let what = format!("the totals {totals:?} and {people} people");
        let args = json!({"totals": totals, "people": people});
        self.browser.wait_within(within, &what, &look, args).await.map(drop)
    }

    /// From now on, notes each state of the totals that the page goes through.
    pub async fn note_totals(&self) -> Result<()> {
        let note = format!(
            "window.notedTotals = [];
            const note = () => {{
                {TOTALS}
                const now = JSON.stringify(totals);
                if (notedTotals.at(-1) !== now) notedTotals.push(now);
            }};
            note();
            const everything = {{ subtree: true, childList: true, attributes: true, characterData: true }};
            new MutationObserver(note).observe(document, everything);"
        );
        self.browser.run(&note, Value::Null).await.map(drop)
    }

    /// The states of the totals since [`App::note_totals`], in order.
    pub async fn noted_totals(&self) -> Result<Vec<String>> {
        Ok(serde_json::from_value(self.browser.run("return window.notedTotals", Value::Null).await?)?)
    }
}
