//! What is written stays on the device, whatever becomes of the page, and all tabs of a browser share it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tidebook_e2e::{Account, Alone, App, Expected, Size, journey, kills};

const TABS: usize = 5;
/// How often a tab is killed, or all of them; `cargo xtask prove tab-kills` does it more often.
const KILLS: usize = 20;
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
            for other in 0..TABS {
                // To step from tab to tab takes the harness long: what counts is how long one waits before each.
                app.browser.show_tab(other).await?;
                let looked = Instant::now();
                app.wait_for_person(&name).await?;
                ensure!(looked.elapsed() < SHOWN_WITHIN, "tab {other} took {:?}", looked.elapsed());
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
fn both_sides_write_and_reload_while_there_is_no_server() {
    journey("both_sides_write_and_reload", Alone::No, async |stage| {
        let (here, there) = stage.mira_and_ben().await?;
        for app in [&here, &there] {
            app.wait_until_kept().await?;
            app.browser.expect(Expected::LostConnection);
        }
        let mira = Account::signed_in(&stage.server, "mira@example.org", "quiet harbour at low water").await?;
        let book = mira.only_book().await?;
        let before = mira.head(book).await?;
        stage.server.stop().await?;
        here.wait_for_chip("offline", &offline(0)).await?;
        there.wait_for_chip("offline", &offline(0)).await?;
        here.add_person("Jun Mori").await?;
        here.edit_line("Taxi", "#note", "Taxi from the airport").await?;
        there.browser.click(".act [data-direction=gave]").await?;
        there.browser.fill("#amount", "7").await?;
        there.browser.fill("#note", "Bread").await?;
        there.save().await?;
        there.delete_line("Bread").await?;
        for (app, pending) in [(&here, 2), (&there, 2)] {
            app.wait_for_chip("offline", &offline(pending)).await?;
            app.browser.reload().await?;
            app.wait_for_chip("offline", &offline(pending)).await?;
        }
        here.wait_for_line("Taxi from the airport").await?;
        here.wait_for_person("Jun Mori").await?;
        there.wait_for_line("Taxi").await?;

        stage.server.start_again().await?;
        for app in [&here, &there] {
            app.wait_to_be_back().await?;
            app.wait_for_line("Taxi from the airport").await?;
            app.wait_for_amounts(&["+€20.50"]).await?;
            assert_eq!(app.totals().await?, [("EUR".to_owned(), 2050)].into());
        }
        ensure!(mira.head(book).await? == before + 4, "each is one entry");
        Ok(())
    });
}

#[test]
fn what_waits_in_a_book_that_is_not_open_is_sent_too() {
    journey("what_waits_elsewhere_is_sent", Alone::No, async |stage| {
        let (mira, book) = stage.mira().await?;
        mira.make_book("Trip").await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        app.wait_until_kept().await?;
        let before = mira.head(book).await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.wait_for_chip("offline", &offline(0)).await?;
        app.add_person("Ana").await?;
        app.wait_for_chip("offline", &offline(1)).await?;
        app.browser.click(".bar-book").await?;
        app.browser.click("#book-menu li:nth-child(2) button").await?;
        app.browser.wait_to_read(".bar-book", "Trip").await?;
        app.browser.reload().await?;
        app.browser.wait_to_read(".bar-book", "Trip").await?;
        stage.server.start_again().await?;
        app.wait_to_be_back().await?;
        let there = stage.app_of("there", Size::Phone, &mira).await?;
        there.wait_for_person("Ana").await?;
        ensure!(mira.head(book).await? == before + 1, "it is one entry");
        Ok(())
    });
}

#[test]
fn nothing_is_called_synced_before_the_device_was_read() {
    journey("nothing_is_called_synced_early", Alone::No, async |stage| {
        let (mira, book) = stage.mira().await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        app.wait_until_kept().await?;
        let before = mira.head(book).await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.add_person("Ana").await?;
        app.wait_for_chip("offline", &offline(1)).await?;
        app.browser.goto("about:blank").await?;
        stage.server.start_again().await?;
        app.browser.read_books_slowly().await?;
        app.arrive().await?;
        let look = "
            const isSynced = document.querySelector('.sync')?.dataset.state === 'synced';
            const isThere = !!document.querySelector('[data-contact]');
            return (isSynced || isThere) && { isThere }";
        let first =
            app.browser.wait_for("what the device keeps, or a chip that says Synced", look, Value::Null).await?;
        ensure!(first["isThere"] == true, "it says Synced while nobody knows what waits");
        app.wait_to_be_back().await?;
        ensure!(mira.head(book).await? == before + 1, "it is one entry");
        Ok(())
    });
}

#[test]
fn nothing_called_saved_is_lost_with_its_tab() {
    journey("nothing_called_saved_is_lost", Alone::No, async |stage| {
        let kills = kills(stage, KILLS).await?;
        ensure!(kills.tabs + kills.browsers == KILLS, "{kills:?}");
        ensure!(
            kills.kept >= kills.typed / 4,
            "hardly anything was kept before the kills, so little was proved: {kills:?}"
        );
        Ok(())
    });
}

/// Makes of each database what version 1 had: the same rows, without the store that version 2 added.
const BACK_TO_VERSION_1: &str = "
    const ended = request => new Promise((go, fail) => {
        request.onsuccess = () => go(request.result);
        request.onerror = () => fail(request.error);
    });
    const kinds = ['facts', 'heads', 'states', 'entries', 'outbox', 'rejections'];
    for (const { name } of await indexedDB.databases()) {
        const newer = await ended(indexedDB.open(name));
        if (!newer.objectStoreNames.contains('confirmed')) throw new Error(`${name} is of version 1 already`);
        const reading = newer.transaction(kinds);
        const rows = await Promise.all(kinds.map(async kind => {
            const store = reading.objectStore(kind);
            const [keys, values] = await Promise.all([ended(store.getAllKeys()), ended(store.getAll())]);
            return keys.map((key, place) => [key, values[place]]);
        }));
        newer.close();
        await ended(indexedDB.deleteDatabase(name));
        const opening = indexedDB.open(name, 1);
        opening.onupgradeneeded = () => kinds.forEach(kind => opening.result.createObjectStore(kind));
        const older = await ended(opening);
        const writing = older.transaction(kinds, 'readwrite');
        kinds.forEach((kind, place) => {
            for (const [key, value] of rows[place]) writing.objectStore(kind).put(value, key);
        });
        await new Promise(go => writing.oncomplete = go);
        older.close();
    }";

#[test]
fn what_an_older_version_kept_is_there_in_this_one() {
    journey("what_an_older_version_kept", Alone::No, async |stage| {
        let (mira, book) = stage.mira().await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        app.wait_until_kept().await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.add_person("Ana Kovač").await?;
        app.wait_for_chip("offline", &offline(1)).await?;
        // The app is left before its server is back, or it would send what waits.
        app.browser.goto("about:blank").await?;
        stage.server.start_again().await?;
        // A page of the same origin that is not the app.
        let mut page = app.browser.tab(&format!("{}/sw.js", stage.server.origin())).await?;
        page.run(BACK_TO_VERSION_1, &Value::Null).await?;
        page.close().await?;
        stage.server.stop().await?;
        app.arrive().await?;
        app.wait_for_person("Ana Kovač").await?;
        app.add_person("Jun Mori").await?;
        app.wait_for_chip("offline", &offline(2)).await?;
        stage.server.start_again().await?;
        app.wait_to_be_back().await?;
        ensure!(mira.head(book).await? == 3, "each is one entry");
        Ok(())
    });
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
        let app = stage.app("here", Size::Desktop).await?;
        app.browser.fill_the_disk(&stage.server.origin()).await?;
        app.sign_in(&mira.email, &mira.password).await?;
        app.wait_for_book().await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
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
        there.leave_transaction().await?;
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
