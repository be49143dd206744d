//! Everything can be done without a mouse.

use anyhow::Result;
use serde_json::Value;
use tidebook_e2e::{Alone, App, Size, journey};

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';

#[test]
fn all_of_it_by_keyboard() {
    journey("all_of_it_by_keyboard", Alone::No, async |stage| {
        let (mira, _) = stage.mira().await?;
        let app = stage.app("here", Size::Desktop).await?;

        // Sign in: the fields follow each other, and Enter sends.
        app.go_to_sign_in().await?;
        app.browser.click("label:has(> #mode-back)").await?;
        app.browser.fill("#email", &format!("{}{TAB}", mira.email)).await?;
        focus_is(&app, "#password").await?;
        app.browser.press(&keys(&mira.password)).await?;
        app.browser.press(&[ENTER]).await?;
        app.wait_for_book().await?;

        // N opens the sheet at the amount; Tab goes on to who and note; Enter saves.
        app.browser.press(&['n']).await?;
        focus_is(&app, "#amount").await?;
        app.browser.press(&keys("20.50")).await?;
        app.browser.press(&[TAB]).await?;
        focus_is(&app, "#who").await?;
        app.browser.press(&keys("Ana")).await?;
        app.browser.press(&[TAB]).await?;
        focus_is(&app, "#note").await?;
        app.browser.press(&keys("Taxi")).await?;
        app.save_by_key().await?;
        app.wait_for_person("Ana").await?;
        app.browser.wait_to_read("[data-contact]", "Taxi").await?;

        // Escape closes the sheet and writes nothing.
        app.browser.press(&['n']).await?;
        focus_is(&app, "#amount").await?;
        app.browser.press(&keys("7")).await?;
        app.browser.press(&[ESCAPE]).await?;
        app.browser.wait_until_gone("#sheet[open]").await?;
        assert_eq!(app.totals().await?, [("EUR".to_owned(), 2050)].into());

        // Slash searches, Escape leaves the field, J steps to the first row, Enter opens it.
        app.browser.press(&['/']).await?;
        focus_is(&app, "#search").await?;
        app.browser.press(&keys("an")).await?;
        app.browser.press(&[ESCAPE]).await?;
        app.browser.press(&['j']).await?;
        focus_is(&app, "[data-contact]").await?;
        app.browser.press(&[ENTER]).await?;
        app.browser.wait_to_read(".detail h1", "Ana").await?;
        app.wait_for_line("Taxi").await?;

        // E edits whose page it is; the question mark tells of all keys.
        app.browser.press(&['e']).await?;
        focus_is(&app, "#person-name").await?;
        app.browser.press(&[ESCAPE]).await?;
        app.browser.wait_until_gone("#sheet[open]").await?;
        app.browser.press(&['?']).await?;
        app.browser.wait_to_read("#key-list", "New transaction").await?;
        app.browser.press(&[ESCAPE]).await?;
        app.browser.wait_until_gone("#sheet[open]").await
    });
}

async fn focus_is(app: &App, selector: &str) -> Result<()> {
    let look = "return !!document.activeElement?.matches(args)";
    app.browser.wait_for(&format!("the focus to be at {selector}"), look, Value::from(selector)).await.map(drop)
}

fn keys(text: &str) -> Vec<char> {
    text.chars().collect()
}
