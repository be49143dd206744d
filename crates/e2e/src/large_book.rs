//! What a book of ten thousand contacts and a hundred thousand transactions costs in a browser.
//!
//! Machines differ and are busy with other things: so each figure is a median over rounds, and stands beside what the same
//! browser takes at that moment for the least it could do.

mod book;
mod figures;
mod scripts;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Account, App, Browser, Server, Size, Writer};

pub use figures::Figures;
use figures::{Heap, Pair, Scroll, median};

/// How long the browser may take until it has all of the book, and has stored it.
const HERE_WITHIN: Duration = Duration::from_secs(300);

/// How long a start may take before the run counts as failed.
const STARTED_WITHIN: Duration = Duration::from_secs(60);

const STARTS: usize = 7;
const SCROLLS: usize = 3;

/// Measures all of it, and tells on the way what it does.
pub async fn measure() -> Result<Figures> {
    let server = Server::start().await?;
    let mira = Account::make(&server, "Mira").await?;
    let book = mira.make_book("The shop").await?;
    say("writing the book")?;
    let mut writer = Writer::open(&server, &mira, book).await?;
    for ops in book::pieces()? {
        writer.write_by(book::OPS_PER_MUTATION, ops).await?;
    }
    drop(writer);

    say("opening it in a browser")?;
    let browser = Browser::open("first", Size::Desktop).await?;
    browser.before_each_page(scripts::CLOCK).await?;
    let app = App::new(Arc::new(browser), server.origin());
    app.arrive().await?;
    app.sign_in(&mira.email, &mira.password).await?;
    app.browser.wait_within(HERE_WITHIN, "all of the book", scripts::IS_HERE, json!(book::PEOPLE)).await?;
    app.browser
        .wait_within(HERE_WITHIN, "the book to be stored", scripts::IS_STORED, json!(mira.head(book).await?))
        .await?;
    app.wait_until_kept().await?;

    // From now on there is the device alone.
    let browser = app.browser.kill_and_open_again().await?;
    server.stop().await?;
    browser.before_each_page(scripts::CLOCK).await?;
    let app = App::new(Arc::new(browser), server.origin());
    let figures = Figures {
        start: starts(&app, &server.origin()).await?,
        search: searches(&app).await?,
        scroll: scrolls(&app).await?,
        heap: heap(&app).await?,
    };
    Ok(figures)
}

/// From an address to rows on the screen, beside reading the same rows from the store and parsing them.
async fn starts(app: &App, origin: &str) -> Result<Pair> {
    let (mut started, mut compiled_at, mut parsed) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=STARTS {
        say(&format!("starting, {round} of {STARTS}"))?;
        app.browser.goto(origin).await?;
        let at = app.browser.wait_within(STARTED_WITHIN, "the first row", scripts::FIRST_ROW, Value::Null).await?;
        let compiled = app.browser.run("return window.compiled", Value::Null).await?;
        app.browser.wait_within(STARTED_WITHIN, "all rows", scripts::IS_HERE, json!(book::PEOPLE)).await?;
        let baseline = app.browser.run_until_done(scripts::PARSE_ALL, Value::Null).await?;
        // The first start in a new browser compiles the app, which is another's figure.
        if round > 0 {
            started.push(at.as_f64().context("a time is a number")?);
            compiled_at.push(compiled.as_f64().context("a time is a number")?);
            parsed.push(baseline.as_f64().context("a time is a number")?);
        }
    }
    say(&format!(
        "started after {started:.0?} ms, compiled after {compiled_at:.0?} ms; parsing takes {parsed:.0?} ms"
    ))?;
    Ok(Pair { measured: median(&started), baseline: median(&parsed) })
}

/// From a key to what it finds on the screen, beside a frame in which nothing is to be done.
async fn searches(app: &App) -> Result<Pair> {
    say("searching")?;
    #[derive(Deserialize)]
    struct Found {
        took: f64,
        frame: f64,
        words: String,
    }
    let found = app.browser.run_until_done(scripts::SEARCH, json!(book::SEARCHES)).await?;
    let found: Vec<Found> = serde_json::from_value(found)?;
    let words: Vec<String> = found.iter().map(|it| format!("{}: {:.0}", it.words, it.took)).collect();
    say(&format!("milliseconds by what was typed: {}", words.join(", ")))?;
    let measured: Vec<f64> = found.iter().map(|it| it.took).collect();
    let baseline: Vec<f64> = found.iter().map(|it| it.frame).collect();
    Ok(Pair { measured: median(&measured), baseline: median(&baseline) })
}

/// Frames per second while the list scrolls, beside a page of as many plain rows.
async fn scrolls(app: &App) -> Result<[Scroll; 2]> {
    let (mut slow, mut fast) = (Vec::new(), Vec::new());
    for round in 1..=SCROLLS {
        say(&format!("scrolling, {round} of {SCROLLS}"))?;
        slow.push(scroll(&app.browser, scripts::SLOWLY).await?);
        fast.push(scroll(&app.browser, scripts::THROUGH_ALL).await?);
    }
    let plain = Browser::open("plain", Size::Desktop).await?;
    plain.goto("about:blank").await?;
    plain.run(scripts::PLAIN_ROWS, json!(book::PEOPLE)).await?;
    let (mut plain_slow, mut plain_fast) = (Vec::new(), Vec::new());
    for _ in 0..SCROLLS {
        plain_slow.push(scroll(&plain, scripts::SLOWLY).await?);
        plain_fast.push(scroll(&plain, scripts::THROUGH_ALL).await?);
    }
    Ok([Scroll::of(&slow, &plain_slow), Scroll::of(&fast, &plain_fast)])
}

async fn scroll(browser: &Browser, pixels_a_frame: u32) -> Result<figures::Run> {
    let run = browser.run_until_done(scripts::SCROLL, json!(pixels_a_frame)).await?;
    let run: figures::Run = serde_json::from_value(run)?;
    say(&format!("{pixels_a_frame} pixels a frame: {run:?}"))?;
    Ok(run)
}

async fn heap(app: &App) -> Result<Heap> {
    app.browser.devtools("HeapProfiler.collectGarbage", json!({})).await?;
    app.browser.devtools("Performance.enable", json!({})).await?;
    let metrics = app.browser.devtools("Performance.getMetrics", json!({})).await?;
    let metrics = metrics["metrics"].as_array().context("a list of metrics")?;
    let used = metrics.iter().find(|it| it["name"] == "JSHeapUsedSize").context("the size of the heap")?;
    let module = app.browser.run(scripts::MODULE_MEMORY, Value::Null).await?;
    Ok(Heap {
        scripts: used["value"].as_f64().context("a number of bytes")?,
        module: module.as_f64().context("the app has a memory")?,
    })
}

fn say(words: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{words}")?)
}
