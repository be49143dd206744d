//! People come into a book by a link, and out of it at once.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tidebook_e2e::{Account, Alone, App, Expected, Size, journey};

use crate::signing_out::saved_in;

const STOPPED_WITHIN_MS: f64 = 1_000.0;

#[test]
fn a_removed_members_page_stops_and_keeps_what_was_not_sent() {
    journey("a_removed_members_page_stops", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        there.browser.lose_what_is_written().await?;
        there.edit_line("Taxi", "#amount", "45.10").await?;
        there.wait_for_chip("saving", "Saving 1").await?;

        here.browser.click(".nav a[href='/settings']").await?;
        here.browser.click("[aria-label='Remove Ben']").await?;
        here.browser.run("remove = document.querySelector('#remove-anyway'); remove.addEventListener('click', () => { window.removedAt = Date.now() })", Value::Null).await?;
        there.browser.look_out("h1", "You are no longer in").await?;
        here.browser.click("#remove-anyway").await?;
        let stopped_at = there.browser.arrived_at("the notice").await?;
        let removed_at = here.browser.run("return window.removedAt", Value::Null).await?.as_f64().context("clicked")?;
        let took = stopped_at - removed_at;
        ensure!(took < STOPPED_WITHIN_MS, "the page went on for {took} ms");

        there.browser.wait_to_read("h1", "Harbour Street 12").await?;
        there.browser.wait_to_read("#unsent", "45.10").await?;
        let page = there.browser.run("return document.documentElement.outerHTML", Value::Null).await?;
        let page = page.as_str().context("a page is a text")?;
        for gone in ["Ana", "Taxi", "20.50"] {
            ensure!(!page.contains(gone), "{gone} is still in the page");
        }
        here.browser.wait_until_gone("[aria-label='Remove Ben']").await?;

        let folder = tempfile::tempdir()?;
        there.browser.save_files_in(folder.path()).await?;
        there.browser.click("[data-save-unsent]").await?;
        let file = saved_in(folder.path()).await?;
        ensure!(file["books"][0]["mutations"][0]["ops"][0]["set"]["amount"] == 4510, "the file says {file}");
        there.browser.click("#discard-unsent").await?;
        there.browser.wait_to_see("#book-name").await?;
        // And it is nothing that the browser would warn of.
        there.browser.reload().await?;
        there.browser.wait_to_see("#book-name").await
    });
}

#[test]
fn what_is_written_after_coming_back_outlives_the_notice_in_another_tab() {
    journey("the_notice_in_another_tab", Alone::No, async |stage| {
        let (mira, book) = stage.mira().await?;
        let ben = Account::make(&stage.server, "Ben").await?;
        mira.let_in(book, &ben, "editor").await?;
        let app = stage.app_of("ben", Size::Desktop, &ben).await?;
        app.wait_until_kept().await?;
        app.browser.open_tab(&stage.server.origin()).await?;
        app.wait_for_book().await?;
        mira.remove(book, ben.user).await?;
        for tab in [1, 0] {
            app.browser.show_tab(tab).await?;
            app.browser.wait_to_read("h1", "You are no longer in").await?;
        }
        mira.let_in(book, &ben, "editor").await?;
        app.browser.reload().await?;
        app.wait_for_book().await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.add_person("Jun Mori").await?;
        app.wait_for_chip("offline", "Offline, 1 on this device").await?;

        app.browser.show_tab(1).await?;
        app.browser.click("#go-on").await?;
        app.wait_for_person("Jun Mori").await?;
        app.browser.show_tab(0).await?;
        app.browser.reload().await?;
        app.wait_for_person("Jun Mori").await?;
        app.wait_for_chip("offline", "Offline, 1 on this device").await
    });
}

#[test]
fn a_link_lets_somebody_in() {
    journey("a_link_lets_somebody_in", Alone::No, async |stage| {
        let (mira, _) = stage.mira().await?;
        let here = stage.app_of("mira", Size::Desktop, &mira).await?;
        here.add_person("Ana Kovač").await?;
        here.browser.click(".nav a[href='/settings']").await?;
        here.browser.choose("#invite-role", "viewer").await?;
        here.browser.click("#make-invite").await?;
        let link =
            here.browser.wait_for("the link", "return document.querySelector('#invite-link')?.value", Value::Null);
        let link = link.await?.as_str().context("a link is a text")?.to_owned();
        ensure!(link.contains("/join#"), "{link} is no link to join by");

        let there = App::new(stage.browser("jun", Size::Phone).await?, stage.server.origin());
        there.browser.goto(&link).await?;
        there.browser.wait_to_read(".welcome", "You are invited").await?;
        no_token_is_left(&there, &link).await?;
        there.sign_up("Jun", "jun@example.org", "quiet harbour at low water").await?;
        there.wait_for_book().await?;
        there.wait_for_person("Ana Kovač").await?;
        no_token_is_left(&there, &link).await?;

        // A viewer has nothing to write with, and is told so.
        there.browser.wait_to_read(".list", "You can look but not change").await?;
        let controls = "return document.querySelectorAll('#add, #add-person, #edit-person, .act').length";
        ensure!(there.browser.run(controls, Value::Null).await? == 0, "a viewer can write");

        // The owner sees who came, and can let them write.
        here.browser.wait_to_read("[data-member]", "Jun").await?;
        here.browser.choose("[aria-label='Role of Jun']", "editor").await?;
        there.browser.wait_to_see("#add").await
    });
}

async fn no_token_is_left(app: &App, link: &str) -> Result<()> {
    let token = link.split('#').nth(1).context("a token")?;
    let address = app.browser.run("return location.href", Value::Null).await?;
    ensure!(!address.as_str().unwrap_or_default().contains(token), "the token stays in the address");
    Ok(())
}
