//! What is written can be changed, deleted, and brought back.

use serde_json::Value;
use tidebook_e2e::{Alone, journey};

const CONTROL: char = '\u{e009}';
const SHIFT: char = '\u{e008}';

/// What others wrote meanwhile is not overwritten by taking something back.
#[test]
fn changes_are_taken_back_by_key() {
    journey("changes_are_taken_back_by_key", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        here.edit_line("Taxi", "#amount", "41.50").await?;
        here.edit_line("Taxi", "#note", "Taxi, night").await?;
        here.delete_line("Taxi, night").await?;
        there.wait_for_amounts(&[]).await?;
        here.browser.press_with(&[CONTROL], 'z').await?;
        there.wait_for_line("Taxi, night").await?;
        here.browser.press_with(&[CONTROL], 'z').await?;
        there.browser.wait_for("the note to be as it was", NO_NIGHT, Value::Null).await?;
        here.browser.press_with(&[CONTROL], 'z').await?;
        for app in [&here, &there] {
            app.wait_for_amounts(&["+€20.50"]).await?;
        }
        here.browser.press_with(&[CONTROL, SHIFT], 'z').await?;
        for app in [&here, &there] {
            app.wait_for_amounts(&["+€41.50"]).await?;
            app.wait_for_book().await?;
        }

        there.edit_line("Taxi", "#amount", "45,10").await?;
        here.wait_for_amounts(&["+€45.10"]).await?;
        here.browser.press_with(&[CONTROL], 'z').await?;
        for app in [&here, &there] {
            app.wait_for_card().await?;
            app.wait_for_amounts(&["+€45.10"]).await?;
        }
        Ok(())
    });
}

const NO_NIGHT: &str = "return !document.body.innerText.includes('night')";

#[test]
fn edit_delete_undo_and_restore() {
    journey("edit_delete_undo_and_restore", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        here.edit_line("Taxi", "#amount", "41.50").await?;
        there.wait_for_amounts(&["+€41.50"]).await?;

        // Undo, from the toast.
        here.delete_line("Taxi").await?;
        there.wait_for_amounts(&[]).await?;
        here.browser.click("#undo").await?;
        for app in [&here, &there] {
            app.wait_for_amounts(&["+€41.50"]).await?;
        }

        // Restore, from the end of the page, by somebody else.
        here.delete_line("Taxi").await?;
        there.wait_for_amounts(&[]).await?;
        there.browser.click(".detail .deleted summary").await?;
        there.browser.wait_to_read(".detail .deleted", "Deleted by Mira").await?;
        there.browser.click(".detail .restore").await?;
        for app in [&here, &there] {
            app.wait_for_amounts(&["+€41.50"]).await?;
        }

        // A person takes everything along, and brings it back.
        here.browser.click("#edit-person").await?;
        here.browser.fill("#person-phone", "+49 151 234").await?;
        here.save().await?;
        here.browser.click("#edit-person").await?;
        here.browser.click("#delete").await?;
        here.browser.wait_until_gone("[data-contact]").await?;
        there.browser.wait_to_read(".detail", "Nobody by this address").await?;
        here.browser.click(".list .deleted summary").await?;
        here.browser.click(".list .restore").await?;
        here.open_person("Ana Kovač").await?;
        for app in [&here, &there] {
            app.wait_for_amounts(&["+€41.50"]).await?;
        }
        here.wait_for_book().await
    });
}
