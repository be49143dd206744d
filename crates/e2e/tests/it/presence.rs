//! Who is in the book is seen while they are there, and not a moment longer.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
use tidebook_e2e::{Alone, App, Expected, journey};

const GONE_WITHIN: Duration = Duration::from_secs(1);

#[test]
fn who_is_here_and_what_they_edit() {
    journey("who_is_here", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        here.browser.wait_to_see(".bar .people[aria-label='Here now: Ben']").await?;
        there.browser.wait_to_see(".bar .people[aria-label='Here now: Mira']").await?;

        there.browser.click("#edit-person").await?;
        here.browser.wait_to_read("[data-contact] .mark-editing", "Ben is editing").await?;
        there.browser.click("#sheet [aria-label='Close']").await?;
        here.browser.wait_until_gone(".mark-editing").await?;
        there.open_line("Taxi").await?;
        here.browser.wait_to_read("[data-transaction] .mark-editing", "Ben is editing").await?;
        here.browser.wait_to_read("[data-contact] .mark-editing", "Ben is editing").await?;

        // Without a line nobody knows.
        for app in [&here, &there] {
            app.browser.expect(Expected::LostConnection);
        }
        stage.server.stop().await?;
        here.wait_for_chip("offline", "Offline").await?;
        nothing_of_presence(&here).await?;
        stage.server.start_again().await?;
        for app in [&here, &there] {
            app.wait_to_be_back().await?;
        }
        here.browser.wait_to_read("[data-transaction] .mark-editing", "Ben is editing").await?;

        there.browser.kill();
        let is_gone = "return !document.querySelector('.people, .mark-editing')";
        here.browser.wait_within(GONE_WITHIN, "Ben to be gone", is_gone, Value::Null).await.map(drop)
    });
}

async fn nothing_of_presence(app: &App) -> Result<()> {
    let left = "return document.querySelectorAll('.people, .mark-editing').length";
    let left = app.browser.run(left, Value::Null).await?;
    ensure!(left == 0, "{left} parts of presence are in the page");
    Ok(())
}
