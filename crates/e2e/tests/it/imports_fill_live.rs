//! An import on the command line fills the browsers that show its book.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
use tidebook_e2e::cli::Terminal;
use tidebook_e2e::{Account, Alone, App, Size, Stage, Totals, journey};
use tidebook_ledger::import::splitwise::{plan, read, sample};
use tidebook_ledger::import::{Plan, PlannedContact};

const ALL_STANDS_WITHIN: Duration = Duration::from_secs(1);

/// A file of this length is written in hundreds of steps; it has to be seen in several.
const LONG_ROWS: usize = 20_000;
const STATES_SEEN_MIN: usize = 5;

#[test]
fn imports_fill_live_friends() {
    journey("imports_fill_live_friends", Alone::No, async |stage| {
        let totals = [("EUR", -7785), ("JPY", 1366), ("USD", -52538)];
        fills(stage, &fixture("splitwise-friends.csv"), &totals).await
    });
}

#[test]
fn imports_fill_live_group() {
    journey("imports_fill_live_group", Alone::No, async |stage| {
        let totals = [("EUR", 51749), ("JPY", 51895), ("USD", -41917)];
        fills(stage, &fixture("splitwise-group.csv"), &totals).await
    });
}

#[test]
fn imports_fill_live_long() {
    journey("imports_fill_live_long", Alone::Yes, async |stage| {
        let text = sample::generate(LONG_ROWS, 1);
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("long.csv");
        std::fs::write(&file, &text)?;

        let (mira, book) = stage.mira().await?;
        let (here, there) = two_browsers(stage, &mira).await?;
        for app in [&here, &there] {
            app.note_totals().await?;
        }
        let ended = Terminal::new(&stage.server.origin(), &mira, book)?.import_splitwise(&file).await?;
        ensure!(ended.status.success(), "the import failed: {}", ended.err);

        let planned = plan(&read(&text)?, "Mira", book)?;
        let totals = planned.totals.iter().map(|total| Ok((total.currency.to_string(), i64::try_from(total.planned)?)));
        let totals: Totals = totals.collect::<Result<_>>()?;
        let standing = |app: &App| {
            let (app, totals, people) = (app.clone(), totals.clone(), planned.contacts.len());
            async move { app.wait_for_totals(ALL_STANDS_WITHIN, &totals, people).await }
        };
        tokio::try_join!(standing(&here), standing(&there))?;
        let mut between_seen = Vec::new();
        for app in [&here, &there] {
            let seen: BTreeSet<String> = app.noted_totals().await?.into_iter().collect();
            // Neither the empty book nor the full one counts.
            let between = seen.len().saturating_sub(2);
            ensure!(between >= STATES_SEEN_MIN, "{} saw only {between} states between", app.browser.name);
            between_seen.push(between);
        }
        Ok(writeln!(std::io::stdout(), "states of the totals seen in between: {between_seen:?}")?)
    });
}

async fn fills(stage: &Stage, file: &Path, totals: &[(&str, i64)]) -> Result<()> {
    let (mira, book) = stage.mira().await?;
    let (here, there) = two_browsers(stage, &mira).await?;
    let totals: Totals = totals.iter().map(|(currency, amount)| ((*currency).to_owned(), *amount)).collect();
    let planned = plan(&read(&std::fs::read_to_string(file)?)?, "Mira", book)?;
    let people = planned.contacts.len();

    let ended = Terminal::new(&stage.server.origin(), &mira, book)?.import_splitwise(file).await?;
    ensure!(ended.status.success(), "the import failed: {}", ended.err);
    tokio::try_join!(
        here.wait_for_totals(ALL_STANDS_WITHIN, &totals, people),
        there.wait_for_totals(ALL_STANDS_WITHIN, &totals, people)
    )?;

    // Not the sums alone: each line between Mira and somebody stands on their page.
    let somebody =
        planned.contacts.iter().min_by_key(|contact| lines_with(&planned, contact)).expect("there are people");
    here.open_person(&somebody.name).await?;
    // Those that are in sight are drawn: one scrolls through all of them.
    let look = "
        const lines = [...document.querySelectorAll('[data-transaction]')];
        window.seen = window.seen ?? new Set();
        lines.forEach(it => window.seen.add(it.dataset.transaction));
        lines.at(-1)?.scrollIntoView();
        return window.seen.size === args";
    let lines = lines_with(&planned, somebody);
    here.browser.wait_for(&format!("{lines} lines with {}", somebody.name), look, Value::from(lines)).await?;

    // A second time nothing is new, so nothing moves.
    for app in [&here, &there] {
        app.browser.watch_elsewhere("#nowhere", "#nothing").await?;
    }
    let ended = Terminal::new(&stage.server.origin(), &mira, book)?.import_splitwise(file).await?;
    ensure!(ended.status.success() && ended.out.contains("Nothing was new"), "{}{}", ended.out, ended.err);
    for app in [&here, &there] {
        let moves = app.browser.moves().await?;
        ensure!(moves.count == 0, "{} moved:\n{}", app.browser.name, moves.elsewhere.join("\n"));
        ensure!(app.totals().await? == totals, "the totals are {:?}", app.totals().await?);
    }
    Ok(())
}

fn lines_with(planned: &Plan, contact: &PlannedContact) -> usize {
    planned.transactions.iter().filter(|transaction| transaction.contact == contact.id).count()
}

async fn two_browsers(stage: &Stage, account: &Account) -> Result<(App, App)> {
    let here = stage.app_of("here", Size::Desktop, account).await?;
    let there = stage.app_of("there", Size::Phone, account).await?;
    Ok((here, there))
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ledger/tests/fixtures").join(name)
}
