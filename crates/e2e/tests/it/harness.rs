//! What watches the app sees what it should: a watcher that is blind would find nothing wrong for ever.

use anyhow::{Result, ensure};
use serde_json::Value;
use tidebook_e2e::{Alone, App, Browser, Expected, Size, axe, journey};

#[test]
fn what_is_wrong_is_found() {
    journey("what_is_wrong_is_found", Alone::No, async |stage| {
        // A browser that the journey does not answer for: what follows is to be complained of.
        let browser = Browser::open("apart", Size::Desktop).await?;
        let app = App::new(browser.into(), stage.server.origin());
        app.arrive().await?;
        vain_waits_tell_what_for(&app).await?;
        moves_elsewhere_are_noticed(&app).await?;
        axe_finds_a_nameless_button(&app).await?;
        the_console_is_heard(&app).await
    });
}

async fn vain_waits_tell_what_for(app: &App) -> Result<()> {
    let never = app.browser.wait_within(std::time::Duration::from_millis(50), "the tide", "return false", Value::Null);
    let words = format!("{:#}", never.await.expect_err("it never comes"));
    ensure!(words.contains("for the tide") && words.contains("Tidebook"), "{words}");
    Ok(())
}

async fn moves_elsewhere_are_noticed(app: &App) -> Result<()> {
    app.browser.watch_elsewhere(".welcome-form", "[data-contact]").await?;
    let change = "
        document.querySelector('.welcome-form').setAttribute('data-inside', '');
        document.querySelector('.welcome-words').setAttribute('data-outside', '')";
    app.browser.run(change, Value::Null).await?;
    let moves = app.browser.moves().await?;
    ensure!(moves.count == 2 && moves.elsewhere.len() == 1, "{moves:?}");
    ensure!(moves.elsewhere[0].contains("data-outside"), "{moves:?}");
    Ok(())
}

async fn axe_finds_a_nameless_button(app: &App) -> Result<()> {
    let script = axe::script()?;
    let before = app.browser.violations(&script).await?;
    ensure!(before.is_empty(), "{before:?}");
    app.browser.run("document.querySelector('main').append(document.createElement('button'))", Value::Null).await?;
    let after = app.browser.violations(&script).await?;
    ensure!(after.len() == 1 && after[0].starts_with("button-name"), "{after:?}");
    Ok(())
}

async fn the_console_is_heard(app: &App) -> Result<()> {
    app.browser.expect(Expected::Refusal);
    app.browser.expect(Expected::LostConnection);
    ensure!(app.browser.complaints().await?.is_empty(), "{:?}", app.browser.complaints().await?);
    let faults = "
        console.error('a fault told');
        setTimeout(() => { throw new Error('a fault thrown'); });
        Promise.reject(new Error('a fault passed over'));
        document.head.append(Object.assign(document.createElement('script'), { textContent: 'window.inline = true' }));
        setTimeout(() => { document.title = 'done'; });";
    app.browser.run(faults, Value::Null).await?;
    app.browser.wait_for("the faults to have happened", "return document.title === 'done'", Value::Null).await?;
    let complaints = app.browser.complaints().await?.join("\n");
    for fault in ["a fault told", "a fault thrown", "a fault passed over", "Content Security Policy"] {
        ensure!(complaints.contains(fault), "{fault:?} is not among the complaints:\n{complaints}");
    }
    Ok(())
}
