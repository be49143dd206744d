//! A walk past every screen of the app, each looked at on a phone and a desktop, light and dark.

use std::path::PathBuf;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use tidebook_book::BookId;
use tidebook_ledger::TransactionId;

use crate::{Account, App, Server, Size, Theme, Writer};
use crate::{places, sample};

/// The line on Ana's page that is edited.
const TAXI: &str = "Taxi from the airport";

/// One screen as it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub screen: &'static str,
    pub size: Size,
    pub theme: Theme,
}

impl Look {
    /// For a picture of it.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-{}-{}.png", self.screen, self.size.word(), self.theme.word())
    }
}

/// Signs somebody up, makes a book, fills it, and stops at each screen on the way, in each of its looks.
pub async fn walk(app: &App, server: &Server, stop: impl AsyncFn(&App, Look) -> Result<()>) -> Result<()> {
    look_at(app, "first-run", &stop).await?;
    app.browser.click("#to-sign").await?;
    look_at(app, "sign-up", &stop).await?;
    app.browser.click("label:has(> #mode-back)").await?;
    app.browser.wait_until_gone("#name").await?;
    look_at(app, "sign-in", &stop).await?;

    let (email, password) = ("mira@example.org", "quiet harbour at low water");
    app.sign_up("Mira", email, password).await?;
    app.browser.wait_to_see("#book-name").await?;
    look_at(app, "new-book", &stop).await?;
    app.make_book("Harbour Street 12", "EUR").await?;
    app.browser.wait_to_read(".list", "Nobody here yet").await?;
    look_at(app, "contacts-empty", &stop).await?;

    let mira = Account::signed_in(server, email, password).await?;
    let book = mira.only_book().await?;
    let mut writer = Writer::open(server, &mira, book).await?;
    let ops = sample::harbour_street()?;
    let taxi = sample::id_of_line(&ops, TAXI).context("Ana owes for a taxi")?;
    writer.write(ops).await?;
    app.wait_for_person(sample::ANA).await?;
    app.wait_for_book().await?;
    look_at(app, "contacts", &stop).await?;

    app.browser.resize(Size::Desktop).await?;
    app.open_person(sample::ANA).await?;
    look_at(app, "contact", &stop).await?;
    app.browser.resize(Size::Desktop).await?;
    app.browser.click(".act-wide [data-direction=gave]").await?;
    app.browser.fill("#amount", "12+8.50").await?;
    app.browser.fill("#note", "Lunch and the ferry").await?;
    look_at(app, "add", &stop).await?;
    close_sheet(app).await?;
    look_at_changes(app, &mira, book, taxi, &stop).await?;
    look_at_people(app, server, &mira, book, &stop).await
}

/// Editing, deleting, and what two people wrote in the same place. Begins and ends on Ana's page and Needs attention.
async fn look_at_changes(
    app: &App,
    mira: &Account,
    book: BookId,
    taxi: TransactionId,
    stop: &impl AsyncFn(&App, Look) -> Result<()>,
) -> Result<()> {
    app.browser.resize(Size::Desktop).await?;
    app.edit_line(TAXI, "#amount", "20.75").await?;
    app.open_line(TAXI).await?;
    look_at(app, "edit", stop).await?;
    close_sheet(app).await?;
    app.browser.wait_to_see(".undo-line").await?;
    look_at(app, "transaction", stop).await?;
    app.leave_transaction().await?;
    app.browser.click("#edit-person").await?;
    look_at(app, "edit-person", stop).await?;
    close_sheet(app).await?;

    app.delete_line("Museum and lunch").await?;
    app.browser.click(".detail .deleted summary").await?;
    app.browser.wait_to_read(".detail .deleted", "Deleted by").await?;
    app.browser.wait_until_gone("#undo").await?;
    look_at(app, "deleted", stop).await?;
    app.browser.click(".detail .deleted summary").await?;

    let before = mira.head(book).await?;
    let path = format!("/transactions/{taxi}");
    mira.write_late(book, before, Method::PATCH, &path, &json!({"amount": 2_150})).await?;
    mira.write_late(book, before, Method::PATCH, &path, &json!({"amount": 2_500})).await?;
    app.wait_for_card().await?;
    app.browser.run("document.querySelector('.conflict').scrollIntoView({ block: 'center' })", Value::Null).await?;
    look_at(app, "conflict", stop).await?;
    app.browser.click(".nav a[href='/transactions']").await?;
    app.browser.wait_to_see("#transactions [data-transaction]").await?;
    look_at(app, "transactions", stop).await?;
    app.browser.click(".nav a[href='/attention']").await?;
    app.browser.wait_to_read("main h1", "Needs attention").await?;
    look_at(app, "attention", stop).await
}

/// Settings with two members, the question before one of them is removed, and the notice to one who was.
async fn look_at_people(
    app: &App,
    server: &Server,
    mira: &Account,
    book: BookId,
    stop: &impl AsyncFn(&App, Look) -> Result<()>,
) -> Result<()> {
    let ben = Account::make(server, "Ben").await?;
    mira.let_in(book, &ben, "owner").await?;
    app.browser.click(".nav a[href='/settings']").await?;
    app.browser.wait_to_read("main h1", "Settings").await?;
    app.browser.wait_to_read("[data-member]", "Ben").await?;
    look_at(app, "settings", stop).await?;
    app.browser.click("[aria-label='Remove Ben']").await?;
    app.browser.wait_to_see("#remove-anyway").await?;
    look_at(app, "settings-remove", stop).await?;
    ben.remove(book, mira.user).await?;
    app.browser.wait_to_read("h1", "You are no longer in").await?;
    look_at(app, "removed", stop).await
}

async fn close_sheet(app: &App) -> Result<()> {
    app.browser.click("#sheet [aria-label=Close]").await?;
    app.browser.wait_until_gone("#sheet[open]").await
}

async fn look_at(app: &App, screen: &'static str, stop: &impl AsyncFn(&App, Look) -> Result<()>) -> Result<()> {
    for size in Size::ALL {
        for theme in Theme::ALL {
            app.browser.show_still(theme).await?;
            app.browser.resize(size).await?;
            settle(app).await?;
            stop(app, Look { screen, size, theme }).await?;
        }
    }
    Ok(())
}

/// Until nothing moves any more and a flash of rows has gone.
async fn settle(app: &App) -> Result<()> {
    let is_still = "
        const moving = document.getAnimations().some(it => it.playState === 'running');
        return !moving && !document.querySelector('.row-flash')";
    app.browser.wait_for("the page to stand still", is_still, json!(null)).await?;
    let two_frames = "requestAnimationFrame(() => requestAnimationFrame(() => done(true)))";
    app.browser.run_until_done(two_frames, Value::Null).await.map(drop)
}

/// Where journeys leave their pictures.
pub fn folder() -> Result<PathBuf> {
    places::shots()
}
