//! All transactions of a book on one screen, and what filters leave of them.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tidebook_e2e::{Alone, App, Size, Stage, gave, got, journey, person};
use tidebook_ledger::LedgerOp;

const ESCAPE: char = '\u{e00c}';

/// Months enough that most of them are out of sight.
const MONTHS: usize = 24;

#[test]
fn filters_leave_what_they_say_and_sums_per_currency() {
    journey("filters_leave_what_they_say", Alone::No, async |stage| {
        let app = all_transactions(stage, Size::Desktop).await?;
        wait_for_sums(&app, "99 transactions", &["EUR +€147.12", "JPY −¥300"]).await?;

        // By the keyboard: the search takes words of notes and names, whatever their accents.
        app.browser.press(&['/']).await?;
        let is_there = "return document.activeElement?.id === 'search'";
        app.browser.wait_for("the focus to be in the search", is_there, Value::Null).await?;
        app.browser.press(&"kovac taxi".chars().collect::<Vec<_>>()).await?;
        wait_for_sums(&app, "24 transactions", &["EUR +€48.00"]).await?;
        app.browser.press(&[ESCAPE]).await?;
        app.browser.press(&['j']).await?;
        app.browser.press(&['j']).await?;
        let focus = "return document.activeElement?.closest('[data-transaction]')?.querySelector('time').dateTime";
        ensure!(app.browser.run(focus, Value::Null).await? == "2025-11-10", "J leads from row to row");
        app.browser.fill("#search", "nobody").await?;
        app.browser.wait_to_read(".page", "Nothing here is like that").await?;
        app.browser.click(".empty .btn").await?;
        wait_for_sums(&app, "99 transactions", &["EUR +€147.12", "JPY −¥300"]).await?;

        app.browser.choose("#filter-currency", "JPY").await?;
        wait_for_sums(&app, "3 transactions", &["JPY −¥300"]).await?;
        app.browser.choose("#filter-currency", "").await?;
        let jun = app
            .browser
            .run(
                "return [...document.querySelectorAll('#filter-person option')].find(it => it.text === 'Jun').value",
                Value::Null,
            )
            .await?;
        app.browser.choose("#filter-person", jun.as_str().unwrap_or_default()).await?;
        app.browser.choose("#filter-direction", "got").await?;
        wait_for_sums(&app, "27 transactions", &["EUR −€24.00", "JPY −¥300"]).await?;
        set_day(&app, "#filter-from", "2025-12-01").await?;
        set_day(&app, "#filter-to", "2025-12-31").await?;
        wait_for_sums(&app, "1 transaction", &["EUR −€1.00"]).await?;

        // What was asked for is still asked when one comes back, and what comes in meanwhile is counted.
        app.browser.click("#transactions .row-link").await?;
        app.browser.wait_to_read(".detail h1", "Lunch").await?;
        app.leave_transaction().await?;
        wait_for_sums(&app, "1 transaction", &["EUR −€1.00"]).await?;
        app.browser.click("#clear-filters").await?;
        app.add_gave("Jun", "5", "Bus").await?;
        wait_for_sums(&app, "100 transactions", &["EUR +€152.12", "JPY −¥300"]).await?;
        app.browser.wait_to_read("[data-transaction]", "Bus").await
    });
}

#[test]
fn a_month_is_gone_to_on_a_phone_and_on_a_desktop() {
    journey("a_month_is_gone_to", Alone::No, async |stage| {
        let app = all_transactions(stage, Size::Phone).await?;
        for size in [Size::Phone, Size::Desktop] {
            app.browser.resize(size).await?;
            for (place, month) in [(13, "November 2024"), (2, "October 2025"), (23, "January 2024")] {
                app.browser.run("document.querySelector('.panes').scrollTo(0, 0); scrollTo(0, 0)", Value::Null).await?;
                app.browser.choose("#month", &place.to_string()).await?;
                let look = "
                    const heads = [...document.querySelectorAll('#transactions .month')];
                    const head = heads.find(it => it.innerText.startsWith(args));
                    if (!head) return false;
                    const covered = matchMedia('(min-width: 56.25em)').matches ? 0 : 56;
                    const { top, height } = head.getBoundingClientRect();
                    const first = [...document.querySelectorAll('[data-transaction]')]
                        .find(it => it.getBoundingClientRect().bottom > top + height + 1);
                    const end = document.querySelector('#transactions').getBoundingClientRect().bottom <= innerHeight;
                    const isOfIt = first.querySelector('time').dateTime.startsWith(new Date(args + ' 15').toISOString().slice(0, 7));
                    return end || (Math.abs(top - covered) < 2 && isOfIt)";
                app.browser.wait_for(&format!("{month} at the top"), look, json!(month)).await?;
            }
        }
        Ok(())
    });
}

/// Two years with Ana and Jun: a taxi, two lunches and a seat now and then.
async fn all_transactions(stage: &Stage, size: Size) -> Result<App> {
    let (mira, book) = stage.mira().await?;
    let (ana, make_ana) = person("Ana Kovač");
    let (jun, make_jun) = person("Jun");
    let mut ops: Vec<LedgerOp> = vec![make_ana, make_jun];
    for month in 0..MONTHS {
        let day = |day: usize| format!("{}-{:02}-{day:02}", 2024 + month / 12, month % 12 + 1);
        ops.push(gave(ana, 200, "EUR", &day(10), "Taxi")?);
        ops.push(gave(jun, 312, "EUR", &day(10), "Dinner")?);
        ops.push(got(jun, 100, "EUR", &day(5), "Lunch")?);
        ops.push(gave(ana, 200 + 1, "EUR", &day(4), "Lunch")?);
        if month % 8 == 0 {
            ops.push(got(jun, 100, "JPY", &day(3), "Seat")?);
        }
    }
    stage.writer(&mira, book).await?.write(ops).await?;
    let app = stage.app_of("here", size, &mira).await?;
    app.browser.click(".nav a[href='/transactions']").await?;
    app.browser.wait_to_see("#transactions [data-transaction]").await?;
    Ok(app)
}

async fn wait_for_sums(app: &App, count: &str, sums: &[&str]) -> Result<()> {
    let look = "
        const sums = [...document.querySelectorAll('.sums li')].map(it => `${it.dataset.currency} ${it.querySelector('data').innerText}`);
        const [count, wanted] = args;
        return document.querySelector('#found').textContent === count && JSON.stringify(sums) === JSON.stringify(wanted)";
    let what = format!("{count} and {sums:?}");
    app.browser.wait_for(&what, look, json!([count, sums])).await.map(drop)
}

/// As a person would with the browser's calendar.
async fn set_day(app: &App, field: &str, day: &str) -> Result<()> {
    let set = "
        const field = document.querySelector(args[0]);
        field.value = args[1];
        field.dispatchEvent(new Event('change', { bubbles: true }))";
    app.browser.run(set, json!([field, day])).await.map(drop)
}
