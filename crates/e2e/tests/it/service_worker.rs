//! The app opens without its server, and a new version waits until a person asks for it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tidebook_e2e::{Alone, App, Expected, Front, Size, axe, journey};

/// By the name of the cache.
type Kept = BTreeMap<String, Vec<String>>;

#[test]
fn the_app_opens_without_its_server() {
    journey("the_app_opens_without_its_server", Alone::No, async |stage| {
        let app = stage.app("here", Size::Phone).await?;
        app.wait_until_kept().await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        for path in ["/settings", "/"] {
            app.browser.goto(&format!("{}{path}", stage.server.origin())).await?;
            app.browser.wait_to_see("#make-book").await?;
        }
        app.begin_alone().await?;
        app.add_person("Ana").await?;
        app.wait_for_chip("alone", "On this device").await?;
        app.browser.reload().await?;
        app.wait_for_person("Ana").await.map(drop)
    });
}

#[test]
fn the_book_opens_without_its_server() {
    journey("the_book_opens_without_its_server", Alone::No, async |stage| {
        let (mira, _) = stage.mira().await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        app.add_person("Ana Kovač").await?;
        app.wait_for_book().await?;
        app.wait_until_kept().await?;
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.browser.reload().await?;
        app.open_person("Ana Kovač").await?;
        // The page of a person has an address of its own.
        app.browser.reload().await?;
        app.browser.wait_to_read(".detail h1", "Ana Kovač").await?;
        app.wait_for_chip("offline", "Offline").await
    });
}

#[test]
fn what_is_kept_is_one_build_and_no_data() {
    journey("what_is_kept_is_one_build_and_no_data", Alone::No, async |stage| {
        let (mira, _) = stage.mira().await?;
        let app = stage.app_of("here", Size::Desktop, &mira).await?;
        app.wait_until_kept().await?;
        // From the second visit on, everything the page asks for goes by the worker.
        app.browser.reload().await?;
        app.wait_for_book().await?;
        app.add_person("Ana Kovač").await?;
        app.wait_for_book().await?;

        let listed = listed(&stage.server.origin()).await?;
        assert_eq!(kept(&app).await?, listed);
        let addresses: Vec<&String> = listed.values().flatten().collect();
        ensure!(addresses.iter().all(|address| !address.starts_with("/api")), "data is listed: {addresses:?}");
        Ok(())
    });
}

#[test]
fn a_new_version_waits_until_it_is_asked_for() {
    journey("a_new_version_waits_until_it_is_asked_for", Alone::No, async |stage| {
        let (mira, _) = stage.mira().await?;
        let front = Front::start(&stage.server).await?;
        let app = App::new(stage.browser("here", Size::Phone).await?, front.origin());
        app.browser.keep_nothing().await?;
        app.arrive().await?;
        app.sign_in(&mira.email, &mira.password).await?;
        app.wait_for_book().await?;
        app.wait_until_kept().await?;
        app.browser.reload().await?;
        app.wait_for_book().await?;

        front.update();
        come_back_after_an_hour(&app).await?;
        app.browser.wait_to_read("#new-version", "Your data is saved.").await?;
        let violations = app.browser.violations(&axe::script()?).await?;
        ensure!(violations.is_empty(), "{violations:?}");
        app.browser.reload().await?;
        app.wait_for_book().await?;
        app.browser.wait_to_see("#reload").await?;
        ensure!(version(&app).await? == Value::Null, "nobody asked for the new version");

        // What this browser keeps nowhere would go with a reload.
        app.browser.expect(Expected::LostConnection);
        stage.server.stop().await?;
        app.wait_for_chip("offline", "Offline").await?;
        app.add_person("Jun Mori").await?;
        app.browser.wait_to_read("#new-version", "One change is still only in this window").await?;
        app.browser.wait_until_gone("#reload").await?;
        stage.server.start_again().await?;
        app.wait_to_be_back().await?;

        app.browser.click("#reload").await?;
        wait_for_next_version(&app).await?;
        app.wait_for_person("Jun Mori").await?;
        assert_eq!(kept(&app).await?, listed(&front.origin()).await?);
        app.browser.wait_until_gone("#new-version").await
    });
}

#[test]
fn a_first_visit_hears_of_a_new_version_too() {
    journey("a_first_visit_hears_of_a_new_version_too", Alone::No, async |stage| {
        let front = Front::start(&stage.server).await?;
        let app = App::new(stage.browser("here", Size::Desktop).await?, front.origin());
        app.arrive().await?;
        app.wait_until_kept().await?;
        front.update();
        come_back_after_an_hour(&app).await?;
        app.browser.click("#reload").await?;
        wait_for_next_version(&app).await
    });
}

/// The page is looked at again, an hour later by its own clock.
async fn come_back_after_an_hour(app: &App) -> Result<()> {
    let come_back = "
        const { now } = Date;
        Date.now = () => now() + 3_600_000;
        document.dispatchEvent(new Event('visibilitychange'));
        Date.now = now;";
    app.browser.run(come_back, Value::Null).await.map(drop)
}

async fn version(app: &App) -> Result<Value> {
    app.browser.run("return document.documentElement.dataset.version", Value::Null).await
}

async fn wait_for_next_version(app: &App) -> Result<()> {
    let look = "return document.documentElement.dataset.version === 'next'";
    app.browser.wait_for("the next version", look, Value::Null).await?;
    app.arrive().await
}

/// The addresses in each of the browser's caches.
async fn kept(app: &App) -> Result<Kept> {
    let look = "
        return (async () => {
            const kept = {};
            for (const name of await caches.keys()) {
                const requests = await (await caches.open(name)).keys();
                kept[name] = requests.map(it => new URL(it.url).pathname).sort();
            }
            return kept;
        })()";
    Ok(serde_json::from_value(app.browser.run(look, Value::Null).await?)?)
}

/// What the worker's script says that it keeps.
async fn listed(origin: &str) -> Result<Kept> {
    let worker = reqwest::get(format!("{origin}/sw.js")).await?.text().await?;
    let constant = |name: &str| {
        let (_, rest) = worker.split_once(&format!("const {name} = ")).context("the worker's constants")?;
        rest.split_once(";\n").map(|(value, _)| value).context("a constant ends")
    };
    let mut addresses: Vec<String> = serde_json::from_str(constant("ADDRESSES")?)?;
    addresses.sort();
    Ok([(serde_json::from_str(constant("BUILD")?)?, addresses)].into())
}
