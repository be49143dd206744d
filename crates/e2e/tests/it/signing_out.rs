//! Nobody signs out of what is nowhere else without having been told.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tidebook_e2e::{Alone, App, Expected, Size, journey};
use tokio::time::timeout;

const SAVED_WITHIN: Duration = Duration::from_secs(10);

/// How often to look for a file: a folder tells nobody.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[test]
fn what_is_only_here_is_warned_of_and_can_be_saved() {
    journey("what_is_only_here_is_warned_of", Alone::No, async |stage| {
        let (mira, book) = stage.mira().await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        let folder = tempfile::tempdir()?;
        app.browser.save_files_in(folder.path()).await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.add_person("Ana Kovač").await?;
        app.wait_for_chip("offline", "Offline, 1 on this device").await?;
        the_queue_is_seen(&app).await?;

        app.browser.click(".nav a[href='/settings']").await?;
        app.browser.click("#sign-out").await?;
        app.browser.wait_to_read("[role=alert]", "One change is on this device only").await?;
        app.browser.click("[role=alert] [data-save-unsent]").await?;
        let file = saved_in(folder.path()).await?;
        ensure!(file["books"][0]["book"] == json!(book) && file["books"][0]["name"] == "Harbour Street 12", "{file}");
        let op = &file["books"][0]["mutations"][0]["ops"][0];
        ensure!(op["op"] == "create_contact" && op["name"] == "Ana Kovač", "{file}");

        app.browser.click("#stay").await?;
        app.browser.wait_until_gone("#sign-out-anyway").await?;
        stage.server.start_again().await?;
        app.wait_to_be_back().await?;
        // With nothing to lose there is nothing to ask.
        app.browser.click("#sign-out").await?;
        app.browser.wait_to_see("#email").await
    });
}

async fn the_queue_is_seen(app: &App) -> Result<()> {
    app.browser.click(".nav a[href='/attention']").await?;
    app.browser.wait_to_read("#queue", "New person: Ana Kovač").await?;
    app.browser.click("#sync").await?;
    app.browser.wait_to_see("#sync-menu [data-save-unsent]").await?;
    app.browser.click("#sync").await?;
    app.browser.wait_until_gone("#sync-menu [data-save-unsent]").await
}

/// The one file in a folder, once the browser has written it.
pub(crate) async fn saved_in(folder: &Path) -> Result<Value> {
    let looking = async {
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                // It has its name before all of it is there.
                if path.extension().is_some_and(|it| it == "json")
                    && let Ok(file) = serde_json::from_str(&std::fs::read_to_string(path)?)
                {
                    return anyhow::Ok(file);
                }
            }
        }
    };
    timeout(SAVED_WITHIN, looking).await.context("no whole file was saved")?
}
