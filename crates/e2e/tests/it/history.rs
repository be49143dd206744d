//! Every transaction has its history, and what is in it can be taken back.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tidebook_e2e::{Alone, App, Expected, journey};

#[test]
fn a_history_after_edits_by_two_people() {
    journey("a_history_after_edits_by_two_people", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        here.edit_line("Taxi", "#amount", "41.50").await?;
        here.wait_for_book().await?;
        there.wait_for_amounts(&["+€41.50"]).await?;
        there.edit_line("Taxi", "#note", "Taxi from the airport").await?;
        here.wait_for_line("Taxi from the airport").await?;
        here.open_transaction("Taxi from the airport").await?;
        wait_for_history(
            &here,
            &[
                "Ben changed the note: Taxi became Taxi from the airport",
                "You changed the amount: +€20.50 became +€41.50",
                "You wrote it down: +€20.50 Taxi",
            ],
        )
        .await?;

        // What others write while one looks comes on top; what only this device knows of says so.
        there.edit_line("Taxi from the airport", "#amount", "42").await?;
        wait_for_first(&here, "Ben changed the amount: +€41.50 became +€42.00").await?;
        stage.server.stop().await?;
        [&here, &there].iter().for_each(|app| app.browser.expect(Expected::LostConnection));
        here.wait_for_chip("offline", "Offline").await?;
        here.browser.press(&['e']).await?;
        here.browser.wait_to_see("#delete").await?;
        here.browser.fill("#note", "Taxi").await?;
        here.save().await?;
        here.browser.wait_to_read(".history li:first-child", "On this device, not in the book yet").await?;
        ensure!(history(&here).await?.len() == 5, "{:?}", history(&here).await?);
        stage.server.start_again().await?;
        here.wait_to_be_back().await?;
        here.browser.wait_to_read(".history li:first-child", "today").await?;
        ensure!(history(&here).await?.len() == 5, "{:?}", history(&here).await?);
        Ok(())
    });
}

#[test]
fn undo_from_the_history() {
    journey("undo_from_the_history", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        here.edit_line("Taxi", "#amount", "41.50").await?;
        there.wait_for_amounts(&["+€41.50"]).await?;
        there.open_transaction("Taxi").await?;
        // Somebody else takes it back, and that can be taken back in turn.
        undo_line(&there, "Mira changed the amount").await?;
        wait_for_first(&there, "You set the amount back: +€41.50 became +€20.50").await?;
        here.wait_for_amounts(&["+€20.50"]).await?;
        undo_line(&there, "You set the amount back").await?;
        here.wait_for_amounts(&["+€41.50"]).await?;

        there.browser.click("#delete-transaction").await?;
        there.browser.wait_to_read("#deleted", "Deleted by you").await?;
        here.wait_for_amounts(&[]).await?;
        undo_line(&there, "You deleted it").await?;
        there.browser.wait_until_gone("#deleted").await?;
        here.wait_for_amounts(&["+€41.50"]).await?;

        // To go back behind what was written since is for a person to decide.
        here.edit_line("Taxi", "#amount", "50").await?;
        wait_for_first(&there, "Mira changed the amount: +€41.50 became +€50.00").await?;
        undo_line(&there, "Mira changed the amount: +€20.50").await?;
        there.wait_for_card().await?;
        let mut values = there.values_on_the_card().await?;
        values.sort();
        ensure!(values == ["+€20.50", "+€50.00"], "the card says {values:?}");
        wait_for_first(&there, "You took back what was changed since: Set aside: +€20.50").await
    });
}

#[test]
fn what_the_device_has_not_comes_from_the_server() {
    journey("what_the_device_has_not_comes_from_the_server", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        here.edit_line("Taxi", "#amount", "41.50").await?;
        here.wait_for_book().await?;
        // As after years in which the device kept only the latest.
        let forget = "
            indexedDB.databases().then(all => all.filter(it => it.name.startsWith('tidebook-')).map(it => {
                const opening = indexedDB.open(it.name);
                opening.onsuccess = () => {
                    const clearing = opening.result.transaction('entries', 'readwrite');
                    clearing.objectStore('entries').clear();
                    clearing.oncomplete = () => { opening.result.close(); done(true); };
                };
            }))";
        here.browser.run_until_done(forget, Value::Null).await?;
        here.edit_line("Taxi", "#note", "Taxi home").await?;
        here.open_transaction("Taxi home").await?;
        wait_for_history(&here, &["You changed the note: Taxi became Taxi home"]).await?;

        [&here, &there].iter().for_each(|app| app.browser.expect(Expected::LostConnection));
        stage.server.stop().await?;
        here.browser.wait_to_read(".detail", "What was changed earlier is not on this device").await?;
        stage.server.start_again().await?;
        here.wait_to_be_back().await?;
        here.browser.click("#earlier").await?;
        wait_for_history(
            &here,
            &[
                "You changed the note: Taxi became Taxi home",
                "You changed the amount: +€20.50 became +€41.50",
                "You wrote it down: +€20.50 Taxi",
            ],
        )
        .await?;
        here.browser.wait_until_gone("#earlier").await
    });
}

/// Each line as a reader hears it, without its time.
const LINES: &str = "
    const words = it => [it?.querySelector('p'), ...(it?.querySelectorAll('.event-facts > :not(.quiet)') ?? [])]
        .map(part => part?.textContent.replace(/\\s+/g, ' ').trim());
    const told = it => { const [deed, ...facts] = words(it); return [deed, facts.join(' ')].filter(it => it).join(': '); };
    const lines = [...document.querySelectorAll('.history > li')].map(told);";

async fn history(app: &App) -> Result<Vec<String>> {
    Ok(serde_json::from_value(app.browser.run(&format!("{LINES} return lines"), Value::Null).await?)?)
}

async fn wait_for_history(app: &App, lines: &[&str]) -> Result<()> {
    let look = format!("{LINES} return JSON.stringify(lines) === JSON.stringify(args)");
    match app.browser.wait_for("the history", &look, json!(lines)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.context(format!("it says {:?}", history(app).await?))),
    }
}

async fn wait_for_first(app: &App, line: &str) -> Result<()> {
    let look = format!("{LINES} return lines[0] === args");
    match app.browser.wait_for(line, &look, json!(line)).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.context(format!("it says {:?}", history(app).await?))),
    }
}

/// Takes back the newest line that begins with these words.
async fn undo_line(app: &App, line: &str) -> Result<()> {
    let look = format!(
        "{LINES}
        const at = lines.findIndex(it => it.startsWith(args));
        const button = document.querySelectorAll('.history > li')[at]?.querySelector('.undo-line');
        if (button) button.click();
        return !!button"
    );
    app.browser.wait_for(&format!("a way back from {line}"), &look, json!(line)).await.map(drop)
}
