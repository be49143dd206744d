//! A book that is still on its way, one whose server is gone, and what did not go well.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use tidebook_ledger::{ConflictId, LedgerOp};
use uuid::Uuid;

use super::{Screen, State, Stop, Walk, bring_into_view, close_sheet, go};
use crate::{App, Expected, Front, Size, Stage, Traffic, Writer, sample};

const TAXI: &str = "Taxi from the airport";

pub(super) async fn walk<S: Stop>(stage: &Stage, walk: &mut Walk<'_, S>) -> Result<()> {
    let (mira, book) = stage.mira().await?;
    let ops = sample::harbour_street()?;
    let taxi = sample::id_of_line(&ops, TAXI).context("Ana owes for a taxi")?;
    let ana = sample::id_of_person(&ops, sample::ANA).context("Ana is there")?;
    stage.writer(&mira, book).await?.write(ops).await?;
    let front = Front::start(&stage.server).await?;
    let app = App::new(stage.browser("trouble", Size::Desktop).await?, front.origin());
    app.browser.expect(Expected::LostConnection);
    app.arrive().await?;
    front.set(Traffic::BooksHeldBack);
    app.sign_in(&mira.email, &mira.password).await?;
    loading(&app, &front, [format!("contacts/{ana}"), format!("transactions/{taxi}")], walk).await?;

    let before = mira.head(book).await?;
    for amount in [2_150, 2_500] {
        let change = json!({"amount": amount});
        mira.write_late(book, before, Method::PATCH, &format!("/transactions/{taxi}"), &change).await?;
    }
    app.wait_for_card().await?;
    let mut other = stage.writer(&mira, book).await?;
    offline(&app, &front, &mut other, walk).await?;
    failed(&app, &front, walk).await
}

async fn loading<S: Stop>(app: &App, front: &Front, [ana, taxi]: [String; 2], walk: &mut Walk<'_, S>) -> Result<()> {
    app.wait_for_chip("saving", "Catching up").await?;
    walk.look(app, Screen::Contacts, State::Loading).await?;
    for (path, screen) in
        [("transactions", Screen::Transactions), (&*taxi, Screen::Transaction), (&*ana, Screen::Contact)]
    {
        app.browser.goto(&format!("{}/{path}", front.origin())).await?;
        app.wait_for_chip("saving", "Catching up").await?;
        walk.look(app, screen, State::Loading).await?;
    }
    front.set(Traffic::Flows);
    app.wait_to_be_back().await?;
    app.wait_until_kept().await
}

/// Begins on Ana's page with a card on it, and writes four things that wait.
async fn offline<S: Stop>(app: &App, front: &Front, other: &mut Writer, walk: &mut Walk<'_, S>) -> Result<()> {
    let conflict = app.browser.run("return document.querySelector('[data-conflict]').dataset.conflict", Value::Null);
    let conflict: ConflictId = serde_json::from_value(conflict.await?)?;
    front.set(Traffic::Cut);
    app.wait_for_chip("offline", "Offline").await?;
    app.browser.click("[data-apply=true]").await?;
    app.browser.wait_until_gone(".conflict").await?;
    // Meanwhile somebody else has decided, which this one does not know.
    other.write(vec![LedgerOp::ResolveConflict { id: conflict, apply: false }]).await?;
    app.browser.click(".act-wide [data-direction=gave]").await?;
    app.browser.fill("#amount", "8").await?;
    app.browser.fill("#note", "Bread and cheese").await?;
    app.save().await?;
    app.edit_line("Oven cleaner and bulbs", "#note", "Oven cleaner, bulbs and batteries").await?;
    app.add_person("Jun Mori").await?;
    app.wait_for_chip("offline", "Offline, 4 on this device").await?;
    app.browser.wait_to_see(".mark").await?;
    walk.look(app, Screen::Contact, State::Offline).await?;
    app.open_transaction("Bread and cheese").await?;
    walk.look(app, Screen::Transaction, State::Offline).await?;
    go(app, "/transactions", "Transactions").await?;
    app.line("Bread and cheese").await?;
    walk.look(app, Screen::Transactions, State::Offline).await?;
    app.browser.click("#add").await?;
    app.browser.fill("#amount", "12,50").await?;
    walk.look(app, Screen::Entry, State::Offline).await?;
    close_sheet(app).await?;
    app.browser.click(".nav a[href='/']").await?;
    app.wait_for_person("Jun Mori").await?;
    walk.look(app, Screen::Contacts, State::Offline).await?;
    go(app, "/attention", "Needs attention").await?;
    walk.look(app, Screen::Attention, State::Offline).await?;
    go(app, "/settings", "Settings").await?;
    walk.look(app, Screen::Settings, State::Offline).await?;
    let scrolled = async |app: &App| bring_into_view(app, "#make-invite").await;
    walk.look_after(app, Screen::Members, State::Offline, "", scrolled).await?;
    app.browser.click("#sign-out").await?;
    let scrolled = async |app: &App| bring_into_view(app, "#sign-out-anyway").await;
    walk.look_after(app, Screen::Settings, State::Failed, "", scrolled).await
}

async fn failed<S: Stop>(app: &App, front: &Front, walk: &mut Walk<'_, S>) -> Result<()> {
    front.set(Traffic::Flows);
    go(app, "/attention", "Needs attention").await?;
    app.browser.run("window.dispatchEvent(new Event('online'))", Value::Null).await?;
    app.browser.wait_to_read("main", "Not accepted").await?;
    walk.look(app, Screen::Attention, State::Failed).await?;
    app.browser.goto(&format!("{}/contacts/{}", front.origin(), Uuid::now_v7())).await?;
    app.browser.wait_to_read("main h1", "Nobody by this address").await?;
    walk.look(app, Screen::Contact, State::Failed).await?;
    app.browser.goto(&format!("{}/transactions/{}", front.origin(), Uuid::now_v7())).await?;
    app.browser.wait_to_read("main h1", "No transaction by this address").await?;
    walk.look(app, Screen::Transaction, State::Failed).await?;
    let delete = "for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);";
    app.browser.run(&format!("return (async () => {{ {delete} }})()"), Value::Null).await?;
    front.set(Traffic::Cut);
    app.browser.click(".nav a[href='/']").await?;
    app.add_person("Sara Lind").await?;
    app.browser.wait_to_read("#storage", "keeps nothing").await?;
    walk.look(app, Screen::Contacts, State::Failed).await
}
