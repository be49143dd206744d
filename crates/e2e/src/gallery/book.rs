//! A book that goes well, from its first page to one that two people wrote in at the same time.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;
use tidebook_book::BookId;

use super::{Screen, State, Stop, Walk, bring_into_view, close_sheet, go};
use crate::{Account, App, Expected, Size, Stage, person, sample};

/// The line on Ana's page that is edited.
const TAXI: &str = "Taxi from the airport";

/// The list of people lies over what is below until the field is left.
const TAB: char = '\u{e004}';

/// With whom there is nothing yet.
const NOOR: &str = "Noor Haddad";

pub(super) async fn walk<S: Stop>(stage: &Stage, walk: &mut Walk<'_, S>) -> Result<()> {
    let (mira, book) = stage.mira().await?;
    let app = stage.app_of("book", Size::Desktop, &mira).await?;
    app.browser.expect(Expected::Refusal);
    empty(&app, walk).await?;

    let mut ops = sample::harbour_street()?;
    ops.push(person(NOOR).1);
    let taxi = sample::id_of_line(&ops, TAXI).context("Ana owes for a taxi")?;
    stage.writer(&mira, book).await?.write(ops).await?;
    ordinary(&app, walk).await?;
    changes(&app, walk).await?;

    let before = mira.head(book).await?;
    let path = format!("/transactions/{taxi}");
    for amount in [2_150, 2_500] {
        mira.write_late(book, before, Method::PATCH, &path, &json!({"amount": amount})).await?;
    }
    conflict(&app, walk).await?;
    people(&app, stage, &mira, book, walk).await
}

async fn empty<S: Stop>(app: &App, walk: &mut Walk<'_, S>) -> Result<()> {
    app.browser.wait_to_read(".list", "Nobody here yet").await?;
    walk.look(app, Screen::Contacts, State::Empty).await?;
    go(app, "/transactions", "Transactions").await?;
    walk.look(app, Screen::Transactions, State::Empty).await?;
    go(app, "/attention", "Needs attention").await?;
    walk.look(app, Screen::Attention, State::Empty).await?;
    go(app, "/settings", "Settings").await?;
    let scrolled = async |app: &App| bring_into_view(app, "#make-invite").await;
    walk.look_after(app, Screen::Members, State::Empty, "", scrolled).await?;
    app.browser.click(".nav a[href='/']").await
}

async fn ordinary<S: Stop>(app: &App, walk: &mut Walk<'_, S>) -> Result<()> {
    app.wait_for_person(sample::ANA).await?;
    app.wait_for_book().await?;
    walk.look(app, Screen::Contacts, State::Ordinary).await?;
    app.open_person(sample::ANA).await?;
    walk.look(app, Screen::Contact, State::Ordinary).await?;
    app.open_person(NOOR).await?;
    walk.look(app, Screen::Contact, State::Empty).await?;
    go(app, "/transactions", "Transactions").await?;
    app.line(TAXI).await?;
    walk.look(app, Screen::Transactions, State::Ordinary).await?;
    app.browser.click(".nav a[href='/']").await?;
    app.open_person(sample::ANA).await
}

/// The form, new and not, and what was deleted.
async fn changes<S: Stop>(app: &App, walk: &mut Walk<'_, S>) -> Result<()> {
    app.browser.click(".act-wide [data-direction=gave]").await?;
    walk.look(app, Screen::Entry, State::Empty).await?;
    app.browser.fill("#amount", "12+8.50").await?;
    app.browser.fill("#note", "Lunch and the ferry").await?;
    walk.look(app, Screen::Entry, State::Ordinary).await?;
    app.browser.fill("#amount", "12+").await?;
    app.browser.fill("#who", &format!(" {TAB}")).await?;
    app.browser.click("#save").await?;
    app.browser.wait_to_see("#amount[aria-invalid]").await?;
    walk.look(app, Screen::Entry, State::Failed).await?;
    close_sheet(app).await?;
    app.edit_line(TAXI, "#amount", "20.75").await?;
    app.open_line(TAXI).await?;
    walk.look_at(app, Screen::Entry, State::Ordinary, "edit").await?;
    close_sheet(app).await?;
    app.browser.wait_to_see(".undo-line").await?;
    walk.look(app, Screen::Transaction, State::Ordinary).await?;
    app.leave_transaction().await?;
    app.browser.click("#edit-person").await?;
    walk.look_at(app, Screen::Entry, State::Ordinary, "person").await?;
    close_sheet(app).await?;

    app.delete_line("Museum and lunch").await?;
    app.browser.click(".detail .deleted summary").await?;
    app.browser.wait_to_read(".detail .deleted", "Deleted by").await?;
    app.browser.wait_until_gone("#undo").await?;
    walk.look_at(app, Screen::Contact, State::Ordinary, "deleted").await?;
    app.browser.click(".detail .deleted summary").await
}

async fn conflict<S: Stop>(app: &App, walk: &mut Walk<'_, S>) -> Result<()> {
    app.wait_for_card().await?;
    let scrolled = async |app: &App| bring_into_view(app, ".conflict").await;
    walk.look_after(app, Screen::Contact, State::Conflict, "", scrolled).await?;
    go(app, "/attention", "Needs attention").await?;
    walk.look(app, Screen::Attention, State::Conflict).await?;
    go(app, "/transactions", "Transactions").await?;
    app.line(TAXI).await?;
    walk.look(app, Screen::Transactions, State::Conflict).await?;
    app.open_transaction(TAXI).await?;
    walk.look(app, Screen::Transaction, State::Conflict).await?;
    app.browser.click(".nav a[href='/']").await?;
    app.wait_for_person(sample::ANA).await?;
    walk.look(app, Screen::Contacts, State::Conflict).await
}

/// Settings and members, from an owner who cannot go to one who was taken out.
async fn people<S: Stop>(app: &App, stage: &Stage, mira: &Account, book: BookId, walk: &mut Walk<'_, S>) -> Result<()> {
    let ben = Account::make(&stage.server, "Ben").await?;
    mira.let_in(book, &ben, "editor").await?;
    go(app, "/settings", "Settings").await?;
    app.browser.wait_to_read("[data-member]", "Ben").await?;
    walk.look(app, Screen::Settings, State::Ordinary).await?;
    app.browser.click("#make-invite").await?;
    let scrolled = async |app: &App| bring_into_view(app, "#invite-link").await;
    walk.look_after(app, Screen::Members, State::Ordinary, "", scrolled).await?;
    app.browser.click("[aria-label='Remove Ben']").await?;
    app.browser.wait_to_see("#remove-anyway").await?;
    walk.look_at(app, Screen::Members, State::Ordinary, "remove").await?;
    app.browser.click("#leave-book").await?;
    app.browser.click("#remove-anyway").await?;
    app.browser.wait_to_see("main [role=alert] .error").await?;
    walk.look(app, Screen::Members, State::Failed).await?;

    let cara = Account::make(&stage.server, "Cara").await?;
    mira.let_in(book, &cara, "owner").await?;
    cara.remove(book, mira.user).await?;
    app.browser.wait_to_read("h1", "You are no longer in").await?;
    walk.look_at(app, Screen::Members, State::Ordinary, "taken out").await
}
