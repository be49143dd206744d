//! A book at once, without an account; and an account that takes it over later, with everything in it.

use anyhow::{Result, ensure};
use serde_json::Value;
use tidebook_e2e::{Account, Alone, App, Size, journey};

/// From nothing to the first debt, beside typing.
const TAPS_MAX: u64 = 6;

const COUNT_TAPS: &str = "
    window.taps = 0;
    addEventListener('click', event => { if (event.isTrusted && event.detail > 0) taps += 1 }, true)";

const PASSWORD: &str = "quiet harbour at low water";

#[test]
fn a_debt_in_six_taps_goes_along_into_an_account() {
    journey("before_any_account", Alone::No, async |stage| {
        let app = stage.app("mira", Size::Phone).await?;
        app.browser.run(COUNT_TAPS, Value::Null).await?;
        app.begin_alone().await?;
        app.add_gave("Ana Kovač", "12+8.50", "Lunch").await?;
        let taps = app.browser.run("return window.taps", Value::Null).await?;
        ensure!(taps.as_u64().is_some_and(|taps| taps <= TAPS_MAX), "{taps} taps to the first debt");
        app.wait_for_person("Ana Kovač").await?;

        app.browser.reload().await?;
        app.wait_for_chip("alone", "On this device").await?;
        app.add_gave("Ana Kovač", "5", "Coffee").await?;
        ensure!(app.totals().await?.values().copied().collect::<Vec<_>>() == [2_550]);
        let marks = app.browser.run("return document.querySelectorAll('.mark').length", Value::Null).await?;
        ensure!(marks == 0, "nothing waits where there is nothing to wait for");

        app.browser.open_tab(&stage.server.origin()).await?;
        app.wait_for_person("Ana Kovač").await?;
        app.browser.show_tab(0).await?;
        ask_for_an_account(&app).await?;
        app.sign_up("Mira", "mira@example.org", PASSWORD).await?;
        app.wait_for_book().await?;
        app.browser.show_tab(1).await?;
        app.wait_for_book().await?;
        app.wait_for_person("Ana Kovač").await?;
        app.browser.show_tab(0).await?;
        let mira = Account::signed_in(&stage.server, "mira@example.org", PASSWORD).await?;
        let book = mira.only_book().await?;
        ensure!(mira.head(book).await? == 3, "the book's own entry, and one for each time something was written");
        app.open_person("Ana Kovač").await?;
        app.wait_for_amounts(&["+€5.00", "+€20.50"]).await?;
        wait_until_one_store_is_left(&app).await?;

        // Another account in the same browser sees nothing of it.
        let ben = Account::make(&stage.server, "Ben").await?;
        app.browser.click(".bar-back").await?;
        app.browser.click(".nav a[href='/settings']").await?;
        app.browser.click("#sign-out").await?;
        app.sign_in(&ben.email, &ben.password).await?;
        app.browser.wait_to_see("#book-name").await?;
        ensure!(!app.browser.text("body").await?.contains("My book"));
        wait_until_one_store_is_left(&app).await
    });
}

async fn ask_for_an_account(app: &App) -> Result<()> {
    app.browser.click(".nav a[href='/settings']").await?;
    app.browser.click("#get-account").await
}

async fn wait_until_one_store_is_left(app: &App) -> Result<()> {
    let look = "
        indexedDB.databases().then(all => { window.stores = all.map(it => it.name).filter(it => it !== 'tidebook') });
        return window.stores?.length === 1";
    app.browser.wait_for("the old store to be gone", look, Value::Null).await.map(drop)
}

/// Signs up with the book of this device, which is made there and handed over; and then nothing comes any more.
async fn sign_up_and_get_stuck(app: &App) -> Result<()> {
    ask_for_an_account(app).await?;
    let stuck = "
        const ask = window.fetch;
        window.fetch = (request, ...rest) => {
            const isList = request.endsWith('/api/v1/books') && rest[0].method === 'GET';
            if (!isList) return ask.call(window, request, ...rest);
            window.isStuck = true;
            return new Promise(() => {});
        }";
    app.browser.run(stuck, Value::Null).await?;
    app.sign_up("Mira", "mira@example.org", PASSWORD).await?;
    app.browser.wait_for("the list of books to be asked for", "return window.isStuck", Value::Null).await.map(drop)
}

async fn begin_with_three(app: &App) -> Result<()> {
    app.begin_alone().await?;
    for name in ["Ana", "Ben", "Cem"] {
        app.add_gave(name, "10", "Tickets").await?;
    }
    Ok(())
}

async fn wait_for_three(app: &App) -> Result<()> {
    for name in ["Ana", "Ben", "Cem"] {
        app.wait_for_person(name).await?;
    }
    Ok(())
}

#[test]
fn whoever_dies_while_it_is_taken_over_goes_on_at_the_next_start() {
    journey("taken_over_in_two_goes", Alone::No, async |stage| {
        let app = stage.app("mira", Size::Desktop).await?;
        begin_with_three(&app).await?;
        sign_up_and_get_stuck(&app).await?;

        let app = stage.kill_and_open_again(&app).await?;
        let mira = Account::signed_in(&stage.server, "mira@example.org", PASSWORD).await?;
        app.come_back(&mira).await?;
        wait_for_three(&app).await?;
        wait_until_one_store_is_left(&app).await?;
        ensure!(mira.head(mira.only_book().await?).await? == 4, "each is one entry");
        Ok(())
    });
}

#[test]
fn what_was_being_taken_over_can_be_written_in_again_without_the_account() {
    journey("not_taken_over_after_all", Alone::No, async |stage| {
        let app = stage.app("mira", Size::Desktop).await?;
        begin_with_three(&app).await?;
        sign_up_and_get_stuck(&app).await?;
        // The session is lost before anything of the book arrived.
        let end = "fetch('/api/v1/sessions/current', { method: 'DELETE' }).then(() => done(true))";
        app.browser.run_until_done(end, Value::Null).await?;
        app.browser.reload().await?;
        app.browser.click("#without").await?;
        app.browser.click("#open-alone").await?;
        wait_for_three(&app).await?;
        app.add_person("Dora").await?;

        ask_for_an_account(&app).await?;
        app.sign_in("mira@example.org", PASSWORD).await?;
        app.wait_for_book().await?;
        wait_for_three(&app).await?;
        app.wait_for_person("Dora").await?;
        wait_until_one_store_is_left(&app).await?;
        let mira = Account::signed_in(&stage.server, "mira@example.org", PASSWORD).await?;
        ensure!(mira.head(mira.only_book().await?).await? == 5, "each is one entry");
        Ok(())
    });
}

#[test]
fn what_is_not_brought_along_stays_for_whoever_has_no_account() {
    journey("left_on_the_device", Alone::No, async |stage| {
        let app = stage.app("mira", Size::Desktop).await?;
        app.begin_alone().await?;
        app.add_person("Ana").await?;
        ask_for_an_account(&app).await?;
        app.browser.click("#bring").await?;
        app.sign_up("Mira", "mira@example.org", PASSWORD).await?;
        app.make_book("Harbour Street 12", "EUR").await?;
        ensure!(app.people().await?.is_empty(), "it was not asked for");

        // The window that comes up again knows of the account alone.
        app.browser.reload().await?;
        app.wait_for_book().await?;
        app.browser.click(".nav a[href='/settings']").await?;
        app.browser.click("#sign-out").await?;
        app.browser.click("#without").await?;
        app.begin_alone().await?;
        app.wait_for_person("Ana").await?;
        app.wait_for_chip("alone", "On this device").await
    });
}
