//! Two people write in the same place without knowing of each other: nothing is lost, and both see both.

use anyhow::{Result, ensure};
use serde_json::Value;
use tidebook_e2e::{Alone, App, Expected, Stage, journey};

#[test]
fn the_same_amount_by_two_people_keeping_what_stands() {
    journey("two_amounts_kept", Alone::No, async |stage| two_amounts(stage, false).await);
}

#[test]
fn the_same_amount_by_two_people_taking_the_other() {
    journey("two_amounts_taken", Alone::No, async |stage| two_amounts(stage, true).await);
}

async fn two_amounts(stage: &Stage, apply: bool) -> Result<()> {
    let (here, there) = apart(stage).await?;
    here.edit_line("Taxi", "#amount", "41.50").await?;
    there.edit_line("Taxi", "#amount", "45,10").await?;
    // Before the book has decided, each sees what they wrote.
    here.wait_for_amounts(&["+€41.50"]).await?;
    there.wait_for_amounts(&["+€45.10"]).await?;

    stage.server.start_again().await?;
    for app in [&here, &there] {
        app.wait_for_card().await?;
        app.wait_for_chip("attention", "Needs attention").await?;
        app.browser.wait_to_read("[data-transaction]", "Two versions").await?;
        app.browser.wait_to_read(".version", "Mira").await.or(app.browser.wait_to_read(".version", "Ben").await)?;
    }
    let values = here.values_on_the_card().await?;
    ensure!(values == there.values_on_the_card().await?, "the cards differ");
    let mut sorted = values.clone();
    sorted.sort();
    ensure!(sorted == ["+€41.50", "+€45.10"], "the card says {values:?}");

    let chosen = values[usize::from(apply)].as_str();
    there.browser.click(&format!(".conflict [data-apply='{apply}']")).await?;
    for app in [&here, &there] {
        app.browser.wait_until_gone(".conflict").await?;
        app.wait_for_amounts(&[chosen]).await?;
        app.wait_for_book().await?;
        ensure!(app.totals().await?.len() == 1, "one currency");
    }
    ensure!(here.totals().await? == there.totals().await?, "the totals differ");
    Ok(())
}

#[test]
fn the_same_amount_by_two_people_writing_a_third() {
    journey("two_amounts_and_a_third", Alone::No, async |stage| {
        let (here, there) = apart(stage).await?;
        here.edit_line("Taxi", "#amount", "41.50").await?;
        there.edit_line("Taxi", "#amount", "45,10").await?;
        stage.server.start_again().await?;
        for app in [&here, &there] {
            app.wait_for_card().await?;
        }
        let [_, set_aside] = there.values_on_the_card().await?;
        // Whoever's value was set aside, and whoever's was not: either may write another.
        there.browser.click(".conflict [data-edit]").await?;
        let begun = there.browser.run("return document.querySelector('#amount').value", Value::Null).await?;
        ensure!(begun.as_str().is_some_and(|begun| set_aside == format!("+€{begun}")), "it begins with {begun}");
        there.browser.fill("#amount", "43").await?;
        there.save().await?;
        for app in [&here, &there] {
            app.browser.wait_until_gone(".conflict").await?;
            app.wait_for_amounts(&["+€43.00"]).await?;
            app.wait_for_book().await?;
        }
        Ok(())
    });
}

#[test]
fn an_amount_and_a_note_merge() {
    journey("an_amount_and_a_note_merge", Alone::No, async |stage| {
        let (here, there) = apart(stage).await?;
        here.edit_line("Taxi", "#amount", "41.50").await?;
        there.edit_line("Taxi", "#note", "Taxi from the airport").await?;
        stage.server.start_again().await?;
        for app in [&here, &there] {
            app.wait_to_be_back().await?;
            app.wait_for_line("Taxi from the airport").await?;
            app.wait_for_amounts(&["+€41.50"]).await?;
            let cards = app
                .browser
                .run("return document.querySelectorAll('.conflict').length", serde_json::Value::Null)
                .await?;
            ensure!(cards == 0, "{cards} cards for two different fields");
        }
        Ok(())
    });
}

/// Both with the book before them, and no server.
async fn apart(stage: &Stage) -> Result<(App, App)> {
    let (here, there) = stage.mira_and_ben().await?;
    stage.server.stop().await?;
    for app in [&here, &there] {
        app.browser.expect(Expected::LostConnection);
        app.wait_for_chip("offline", "Offline").await?;
    }
    Ok((here, there))
}
