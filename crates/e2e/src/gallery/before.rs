//! Before a book is open: the first screen, signing in, and a server that is not there.

use anyhow::Result;
use serde_json::Value;

use super::{Screen, State, Stop, Walk, go};
use crate::{Account, App, Expected, Front, Size, Stage, Traffic};

/// One more than a name may have.
const NAME_CHARS: usize = 201;

pub(super) async fn walk<S: Stop>(stage: &Stage, walk: &mut Walk<'_, S>) -> Result<()> {
    let mira = Account::make(&stage.server, "Mira").await?;
    let front = Front::start(&stage.server).await?;
    let app = App::new(stage.browser("before", Size::Desktop).await?, front.origin());
    app.browser.expect(Expected::LostConnection);
    app.browser.expect(Expected::Refusal);
    first_run(&app, &front, walk).await?;
    sign_in(&app, &front, &mira, walk).await?;
    a_book_alone(&app, walk).await?;
    no_answer(&app, &front, &mira, walk).await
}

async fn first_run<S: Stop>(app: &App, front: &Front, walk: &mut Walk<'_, S>) -> Result<()> {
    front.set(Traffic::HeldBack);
    app.browser.goto(&front.origin()).await?;
    app.browser.wait_to_see(".shell-welcome").await?;
    walk.look(app, Screen::FirstRun, State::Loading).await?;
    front.set(Traffic::Flows);
    app.browser.wait_to_see("#make-book").await?;
    walk.look(app, Screen::FirstRun, State::Ordinary).await?;
    app.browser.fill("#book-name", &"Harbour ".repeat(NAME_CHARS.div_ceil(8))).await?;
    app.browser.click("#make-book").await?;
    app.browser.wait_to_see("#book-name[aria-invalid]").await?;
    walk.look(app, Screen::FirstRun, State::Failed).await?;
    app.wait_until_kept().await?;
    front.set(Traffic::Cut);
    app.browser.reload().await?;
    app.browser.wait_to_see("#make-book").await?;
    walk.look(app, Screen::FirstRun, State::Offline).await
}

async fn sign_in<S: Stop>(app: &App, front: &Front, mira: &Account, walk: &mut Walk<'_, S>) -> Result<()> {
    app.sign_in(&mira.email, &mira.password).await?;
    app.browser.wait_to_see("#sign-error .error").await?;
    walk.look(app, Screen::SignIn, State::Offline).await?;
    front.set(Traffic::Flows);
    app.sign_in(&mira.email, "not my password at all").await?;
    app.browser.wait_to_read("#sign-error", "No account has this address").await?;
    walk.look(app, Screen::SignIn, State::Failed).await?;
    app.browser.reload().await?;
    app.go_to_sign_in().await?;
    walk.look_at(app, Screen::SignIn, State::Ordinary, "new").await?;
    app.browser.click("label:has(> #mode-back)").await?;
    app.browser.wait_until_gone("#name").await?;
    walk.look(app, Screen::SignIn, State::Ordinary).await
}

/// A book without an account, and the way into one.
async fn a_book_alone<S: Stop>(app: &App, walk: &mut Walk<'_, S>) -> Result<()> {
    app.browser.click("#without").await?;
    app.begin_alone().await?;
    app.add_gave("Ana Kovač", "20.50", "Lunch and the ferry").await?;
    go(app, "/settings", "Settings").await?;
    app.browser.click("#get-account").await?;
    app.browser.wait_to_see("#bring").await?;
    walk.look_at(app, Screen::SignIn, State::Ordinary, "brings a book").await
}

/// Somebody is known here, of whom the device has nothing, and the server is away.
async fn no_answer<S: Stop>(app: &App, front: &Front, mira: &Account, walk: &mut Walk<'_, S>) -> Result<()> {
    app.sign_in(&mira.email, &mira.password).await?;
    app.wait_for_book().await?;
    front.set(Traffic::Cut);
    let forget = "
        return (async () => {
            for (const { name } of await indexedDB.databases())
                if (name !== 'tidebook') indexedDB.deleteDatabase(name);
        })()";
    app.browser.run(forget, Value::Null).await?;
    app.browser.reload().await?;
    app.browser.wait_to_read("main", "The server does not answer").await?;
    walk.look_at(app, Screen::SignIn, State::Failed, "no answer").await
}
