//! What the server refuses is told in words, at its place, and what was typed stays.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tidebook_e2e::{Account, Alone, App, Expected, Size, journey};

const GOOD_PASSWORD: &str = "quiet harbour at low water";

#[test]
fn errors_in_words() {
    journey("errors_in_words", Alone::No, async |stage| {
        Account::make(&stage.server, "Mira").await?;
        let app = stage.app("here", Size::Phone).await?;
        app.browser.expect(Expected::Refusal);

        app.sign_up("Mira", "mira@example.org", GOOD_PASSWORD).await?;
        told(&app, "#email-error", "There is an account with this address").await?;
        app.sign_up("Jun", "jun@example.org", "password123").await?;
        told(&app, "#password-error", "password").await?;
        app.sign_up("Jun", "jun@example.org", "short").await?;
        told(&app, "#password-error", "8 characters").await?;

        app.sign_in("mira@example.org", "not my password at all").await?;
        told(&app, "#sign-error", "No account has this address and this password.").await?;
        app.sign_in("nobody@example.org", "not my password at all").await?;
        told(&app, "#sign-error", "No account has this address and this password.").await?;

        // And it is still a form that works.
        app.sign_in("mira@example.org", GOOD_PASSWORD).await?;
        app.browser.wait_to_see("#book-name").await
    });
}

/// The message stands there and nowhere else; the fields hold what was typed, and the person is where they were.
async fn told(app: &App, place: &str, words: &str) -> Result<()> {
    app.browser.wait_to_read(place, words).await?;
    let shown = "return [...document.querySelectorAll('.error')].filter(it => it.checkVisibility()).length";
    let shown = app.browser.run(shown, Value::Null).await?;
    ensure!(shown == 1, "{shown} messages are shown for {words:?}");
    let typed = app.browser.run("return [email.value, password.value]", Value::Null).await?;
    ensure!(typed[0] != json!("") && typed[1] != json!(""), "what was typed is gone: {typed}");
    ensure!(app.browser.path().await? == "/", "the address changed to {}", app.browser.path().await?);
    Ok(())
}
