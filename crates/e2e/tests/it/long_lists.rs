//! A list of any length: few of its rows are in the page, and nobody notices.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tidebook_e2e::{Alone, App, Size, Stage, Writer, gave, journey, person};
use tidebook_ledger::{ContactId, LedgerOp};

const PEOPLE: usize = 300;

/// How many rows of a list may be in the page at once.
const ROWS_MAX: usize = 60;

#[test]
fn a_long_list_on_a_desktop() {
    journey("a_long_list_on_a_desktop", Alone::No, async |stage| go(stage, Size::Desktop).await);
}

#[test]
fn a_long_list_on_a_phone() {
    journey("a_long_list_on_a_phone", Alone::No, async |stage| go(stage, Size::Phone).await);
}

async fn go(stage: &Stage, size: Size) -> Result<()> {
    let (mira, book) = stage.mira().await?;
    let mut writer = stage.writer(&mira, book).await?;
    let people = many_people(&mut writer).await?;
    let app = stage.app_of("here", size, &mira).await?;
    app.wait_for_person(&name(PEOPLE - 1)).await?;

    every_row_in_turn(&app).await?;
    what_is_read_stays(&app, &mut writer, people[0]).await?;
    keys_lead_everywhere(&app).await?;
    the_way_back(&app, &mut writer, people[299]).await?;
    months_stay_in_sight(&app, &mut writer, people[150]).await
}

/// Each row comes in once, in its place, and never are there many.
async fn every_row_in_turn(app: &App) -> Result<()> {
    let walk = "
        const seen = new Map();
        let most = 0;
        for (let last = null; ; ) {
            const rows = [...document.querySelectorAll('#people > li')];
            most = Math.max(most, rows.length);
            for (const row of rows) {
                if (row.ariaSetSize !== String(args)) return done(`a row of ${row.ariaSetSize}`);
                seen.set(Number(row.ariaPosInSet), row.querySelector('.row-name').textContent);
            }
            if (rows.at(-1) === last) break;
            last = rows.at(-1);
            last.scrollIntoView();
            await new Promise(frame => requestAnimationFrame(() => setTimeout(frame)));
        }
        done({ most, seen: [...seen].sort((a, b) => a[0] - b[0]) });";
    let walked = app.browser.run_until_done(&format!("(async () => {{ {walk} }})()"), json!(PEOPLE)).await?;
    ensure!(walked["most"].as_u64().is_some_and(|most| most <= ROWS_MAX as u64), "in the page: {walked}");
    let expected: Vec<(usize, String)> = (1..=PEOPLE).map(|place| (place, name(PEOPLE - place))).collect();
    ensure!(walked["seen"] == json!(expected), "seen: {walked}");
    Ok(())
}

/// Who reads in the middle keeps their place when somebody comes to the top, and is told.
async fn what_is_read_stays(app: &App, writer: &mut Writer, last: ContactId) -> Result<()> {
    scroll_to(app, 3_000).await?;
    let read = first_in_sight(app).await?;
    writer.write(vec![gave(last, 700, "EUR", "2026-11-20", "News")?]).await?;
    app.browser.wait_to_read(".list .pill", "1 new").await?;
    let now = first_in_sight(app).await?;
    ensure!(now == read, "what was read moved from {read} to {now}");
    app.browser.click(".list .pill").await?;
    app.browser.wait_until_gone(".list .pill").await?;
    app.browser.wait_to_read("#people > li:first-child", "News").await
}

/// J steps on from the row that has the focus, whatever was scrolled to meanwhile.
async fn keys_lead_everywhere(app: &App) -> Result<()> {
    app.browser.press(&['j']).await?;
    for round in 1..=8 {
        app.browser.press(&['j'; 10]).await?;
        focus_is_on(app, round * 10 + 1).await?;
    }
    scroll_to(app, 0).await?;
    focus_is_on(app, 81).await?;
    app.browser.press(&['k']).await?;
    focus_is_on(app, 80).await?;
    app.browser.press(&['j', 'j']).await?;
    focus_is_on(app, 82).await
}

/// Back from somebody's page, the list is where it was; and nothing that comes into it moves the page meanwhile.
async fn the_way_back(app: &App, writer: &mut Writer, other: ContactId) -> Result<()> {
    scroll_to(app, 5_000).await?;
    let read = first_in_sight(app).await?;
    let middle = "const pane = document.querySelector('.list').getBoundingClientRect();
        document.elementFromPoint(pane.left + 60, innerHeight / 2).closest('a.row').click()";
    app.browser.run(middle, Value::Null).await?;
    app.browser.wait_to_see(".detail h1").await?;
    let before = app.totals().await?;
    writer.write(vec![gave(other, 5, "EUR", "2026-11-21", "Meanwhile")?]).await?;
    let is_counted = "return document.querySelector('#totals [data-currency]').dataset.amount === String(args)";
    app.browser.wait_for("the totals to tell", is_counted, json!(before["EUR"] + 5)).await?;
    let scrolled = app.browser.run("return document.scrollingElement.scrollTop", Value::Null).await?;
    ensure!(scrolled == 0, "somebody's page was scrolled by {scrolled}");

    app.browser.run("history.back()", Value::Null).await?;
    let is_back = "return !document.querySelector('.detail h1') && document.querySelector('#people').checkVisibility()";
    app.browser.wait_for("the list to be back", is_back, Value::Null).await?;
    let is_there = format!("{FIRST_IN_SIGHT} return JSON.stringify(found) === JSON.stringify(args)");
    app.browser.wait_for("the list to be where it was", &is_there, read).await.map(drop)
}

/// Down a page of many months, the head of the one that is read stands over it.
async fn months_stay_in_sight(app: &App, writer: &mut Writer, who: ContactId) -> Result<()> {
    let days = (0..20).flat_map(|month| (1..=10).map(move |day| (2020 + month / 12, month % 12 + 1, day)));
    let lines = days.map(|(year, month, day)| gave(who, 100, "EUR", &format!("{year}-{month:02}-{day:02}"), "Line"));
    writer.write(lines.collect::<Result<Vec<_>>>()?).await?;
    scroll_to(app, 0).await?;
    app.browser.fill("#search", &name(150)).await?;
    app.open_person(&name(150)).await?;
    let look = "
        const list = document.querySelector('.ledger');
        const head = [...list.querySelectorAll('.month')].at(0);
        const row = document.querySelectorAll('.ledger .row')[30];
        if (!row) return false;
        window.walked = window.walked ?? 0;
        if (window.walked < 3) { window.walked += 1; row.scrollIntoView({ block: 'start' }); return false; }
        const rows = [...list.querySelectorAll('li:has(.row)')].filter(it => it.getBoundingClientRect().bottom > 120);
        const month = new Date(rows[0].querySelector('time').dateTime).toLocaleDateString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });
        const stuck = [...list.querySelectorAll('.month')].filter(it => it.getBoundingClientRect().top < 120);
        return list.querySelectorAll('li').length <= args && stuck.at(-1)?.innerText.startsWith(month);";
    app.browser.wait_for("the head of the month that is read", look, json!(ROWS_MAX)).await.map(drop)
}

const FIRST_IN_SIGHT: &str = "
    const rows = [...document.querySelectorAll('#people > li')];
    const first = rows.find(it => it.getBoundingClientRect().top >= 100);
    const found = [first?.querySelector('.row-name').textContent, Math.round(first?.getBoundingClientRect().top)];";

async fn first_in_sight(app: &App) -> Result<Value> {
    app.browser.run(&format!("{FIRST_IN_SIGHT} return found"), Value::Null).await
}

/// Scrolls whatever it is that scrolls the list, and waits for the frame that shows it.
async fn scroll_to(app: &App, top: u32) -> Result<()> {
    let scroll = "
        const pane = document.querySelector('.list');
        const scroller = pane.scrollHeight > pane.clientHeight + 1 ? pane : document.scrollingElement;
        scroller.scrollTop = args;
        requestAnimationFrame(() => setTimeout(() => done(true)))";
    app.browser.run_until_done(scroll, json!(top)).await.map(drop)
}

async fn focus_is_on(app: &App, place: usize) -> Result<()> {
    let look = "return document.activeElement?.closest('li')?.ariaPosInSet === String(args)";
    app.browser.wait_for(&format!("the focus to be on row {place}"), look, json!(place)).await.map(drop)
}

async fn many_people(writer: &mut Writer) -> Result<Vec<ContactId>> {
    let (ids, mut ops): (Vec<ContactId>, Vec<LedgerOp>) = (0..PEOPLE).map(|number| person(&name(number))).unzip();
    for (number, id) in ids.iter().enumerate() {
        ops.push(gave(*id, 100 + number as i64, "EUR", &date(number), "Before")?);
    }
    writer.write(ops).await?;
    Ok(ids)
}

/// A day of its own for each, so that the last of them stands first.
fn date(number: usize) -> String {
    format!("20{:02}-{:02}-{:02}", 10 + number / 100, number / 25 % 4 + 1, number % 25 + 1)
}

fn name(number: usize) -> String {
    format!("Person {number:03}")
}
