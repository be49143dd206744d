//! What is written stays on the device, whatever becomes of the page, and all tabs of a browser share it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tidebook_e2e::{Alone, App, Expected, Size, journey};

const TABS: usize = 5;
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

#[test]
fn tabs_share_one_outbox() {
    journey("tabs_share_one_outbox", Alone::No, async |stage| {
        let (mira, book) = stage.mira().await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        for _ in 1..TABS {
            app.browser.open_tab(&stage.server.origin()).await?;
            app.wait_for_book().await?;
        }
        let before = mira.head(book).await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        for tab in 0..TABS {
            app.browser.show_tab(tab).await?;
            app.wait_for_chip("offline", &offline(tab)).await?;
            let name = format!("Person {tab}");
            app.add_person(&name).await?;
            let written = Instant::now();
            for other in 0..TABS {
                app.browser.show_tab(other).await?;
                app.wait_for_person(&name).await?;
                ensure!(written.elapsed() < SHOWN_WITHIN, "tab {other} took {:?}", written.elapsed());
            }
        }
        stage.server.start_again().await?;
        for tab in 0..TABS {
            app.browser.show_tab(tab).await?;
            app.browser.run("window.dispatchEvent(new Event('online'))", Value::Null).await?;
            app.wait_to_be_back().await?;
            ensure!(app.people().await?.len() == TABS, "tab {tab} shows {:?}", app.people().await?);
        }
        ensure!(mira.head(book).await? == before + TABS as u64, "each is one entry");
        Ok(())
    });
}

fn offline(pending: usize) -> String {
    if pending == 0 { "Offline".into() } else { format!("Offline, {pending} on this device") }
}

#[test]
fn a_deleted_store_is_said() {
    journey("a_deleted_store_is_said", Alone::No, async |stage| {
        let (mira, _) = stage.mira().await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        let delete = "for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);";
        app.browser.run(&format!("return (async () => {{ {delete} }})()"), Value::Null).await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.add_person("Ana Kovač").await?;
        says_that_nothing_is_kept(&app, "keeps nothing").await?;
        stage.server.start_again().await?;
        app.wait_to_be_back().await?;
        app.wait_for_person("Ana Kovač").await.map(drop)
    });
}

#[test]
fn a_full_device_is_said() {
    journey("a_full_device_is_said", Alone::No, async |stage| {
        let (mira, _) = stage.mira().await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.add_person("Ana Kovač").await?;
        app.wait_for_chip("offline", &offline(1)).await?;
        app.browser.fill_the_disk(&stage.server.origin()).await?;
        app.add_person("Jun Mori").await?;
        says_that_nothing_is_kept(&app, "full").await?;
        stage.server.start_again().await?;
        app.wait_to_be_back().await?;
        app.wait_for_person("Jun Mori").await.map(drop)
    });
}

async fn says_that_nothing_is_kept(app: &App, why: &str) -> Result<()> {
    app.browser.wait_to_read("#storage", why).await?;
    let chip = "return document.querySelector('.sync [role=status]').textContent";
    let words = app.browser.run(chip, Value::Null).await?;
    ensure!(words.as_str().is_some_and(|words| words.contains("in this window")), "the chip says {words}");
    Ok(())
}

#[test]
fn a_form_that_was_open_before_a_change_raises_the_card() {
    journey("a_form_that_was_open_before", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        there.open_line("Taxi").await?;
        here.edit_line("Taxi", "#amount", "41.50").await?;
        let changed = "return document.body.innerText.includes(args)";
        there.browser.wait_for("the other amount behind the form", changed, json!("41.50")).await?;
        there.browser.fill("#amount", "45.10").await?;
        there.save().await?;
        for app in [&here, &there] {
            app.wait_for_card().await?;
            let mut values = app.values_on_the_card().await?;
            values.sort();
            ensure!(values == ["+€41.50", "+€45.10"], "the card says {values:?}");
            app.wait_for_amounts(&["+€41.50"]).await?;
        }
        Ok(())
    });
}
