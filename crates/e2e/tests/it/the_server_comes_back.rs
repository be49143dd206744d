//! The server goes away and comes back: nobody reloads, and nothing is lost.

use anyhow::Result;
use tidebook_e2e::{Alone, App, Expected, Size, Stage, gave, journey, person};

#[test]
fn the_server_comes_back() {
    journey("the_server_comes_back", Alone::No, async |stage| {
        let (mira, _) = stage.mira().await?;
        let (here, there) = two_browsers(stage, &mira).await?;
        here.add_person("Ana Kovač").await?;
        there.wait_for_person("Ana Kovač").await?;

        stage.server.stop().await?;
        there.wait_for_chip("offline", "Offline").await?;
        here.wait_for_chip("offline", "Offline").await?;
        here.add_person("Jun Mori").await?;
        here.wait_for_chip("offline", "Offline, 1 on this device").await?;
        here.add_gave("Jun Mori", "20.50", "Taxi from the airport").await?;
        here.wait_for_chip("offline", "Offline, 2 on this device").await?;
        assert_eq!(there.people().await?, ["Ana Kovač"]);

        stage.server.start_again().await?;
        here.wait_to_be_back().await?;
        there.wait_to_be_back().await?;
        for app in [&here, &there] {
            app.open_person("Jun Mori").await?;
            app.wait_for_line("Taxi from the airport").await?;
            assert_eq!(app.totals().await?, [("EUR".to_owned(), 2050)].into());
        }
        Ok(())
    });
}

#[test]
fn others_wrote_while_the_server_was_killed() {
    journey("others_wrote_while_the_server_was_killed", Alone::No, async |stage| {
        let (mira, book) = stage.mira().await?;
        let (here, there) = two_browsers(stage, &mira).await?;
        stage.server.kill()?;
        there.wait_for_chip("offline", "Offline").await?;
        here.wait_for_chip("offline", "Offline").await?;
        here.add_person("Written offline").await?;

        // Somebody without a screen is the first to find the server again.
        stage.server.start_again().await?;
        let (jun, op) = person("Written meanwhile");
        let line = gave(jun, 2050, "EUR", "2026-11-22", "Taxi from the airport")?;
        stage.writer(&mira, book).await?.write(vec![op, line]).await?;

        for app in [&here, &there] {
            app.wait_to_be_back().await?;
            app.wait_for_person("Written meanwhile").await?;
            app.wait_for_person("Written offline").await?;
            assert_eq!(app.totals().await?, [("EUR".to_owned(), 2050)].into());
        }
        let (mut mine, mut theirs) = (here.people().await?, there.people().await?);
        mine.sort();
        theirs.sort();
        assert_eq!(mine, theirs);
        Ok(())
    });
}

async fn two_browsers(stage: &Stage, account: &tidebook_e2e::Account) -> Result<(App, App)> {
    let here = stage.app_of("here", Size::Desktop, account).await?;
    let there = stage.app_of("there", Size::Desktop, account).await?;
    for app in [&here, &there] {
        app.browser.expect(Expected::LostConnection);
    }
    Ok((here, there))
}
