//! A book with hundreds of people, names as long as they get, and somebody with hundreds of lines.

use anyhow::Result;
use futures_util::future::try_join_all;
use reqwest::Method;
use serde_json::json;
use tidebook_ledger::{ContactId, LedgerOp, TransactionId};

use super::{Screen, State, Stop, Walk, bring_into_view, go};
use crate::{Account, App, Expected, Size, Stage, gave, got, person};

const PEOPLE: usize = 300;
const LINES: usize = 400;
const CARDS: usize = 8;
const MEMBERS: usize = 12;

const GIVEN: &[&str] =
    &["Maximiliane Leopoldine", "Ana", "Bartholomäus", "Jun", "Oluwaseun Adebayo", "Guðrún Þóra", "Li"];
const FAMILY: &[&str] = &["von Hohenstein-Oettingen-Wallerstein", "Kovač", "Papadopoulou-Katsouranis", "Mori", "Ng"];
const NOTES: &[&str] = &[
    "Bread",
    "Cottage in the Vosges, second instalment, with the deposit for the boat and the cleaning in it",
    "Donaudampfschifffahrtsgesellschaftskapitänsmütze",
    "Taxi",
];

pub(super) async fn walk<S: Stop>(stage: &Stage, walk: &mut Walk<'_, S>) -> Result<()> {
    let (mira, book) = stage.mira().await?;
    let mut ops = people()?;
    let (long, op) = person("Maximiliane Leopoldine Adelheid von Hohenstein-Oettingen-Wallerstein zu Katzenelnbogen");
    ops.push(op);
    ops.extend(lines(long)?);
    let ids: Vec<TransactionId> = ops.iter().rev().filter_map(id_of).take(CARDS).collect();
    stage.writer(&mira, book).await?.write(ops).await?;
    let names = (0..MEMBERS).map(|index| format!("Maximiliane-Leopoldine-of-House-{index}"));
    let others = try_join_all(names.map(async |name| Account::make(&stage.server, &name).await)).await?;
    for other in &others {
        mira.let_in(book, other, "editor").await?;
    }
    let before = mira.head(book).await?;
    for id in ids {
        for amount in [999_999_999, 1_050] {
            let change = json!({"amount": amount});
            mira.write_late(book, before, Method::PATCH, &format!("/transactions/{id}"), &change).await?;
        }
    }
    let app = stage.app("large", Size::Desktop).await?;
    app.browser.expect(Expected::Refusal);
    app.sign_in(&mira.email, &mira.password).await?;
    app.wait_for_chip("attention", "Needs attention").await?;
    screens(&app, long, walk).await
}

async fn screens<S: Stop>(app: &App, long: ContactId, walk: &mut Walk<'_, S>) -> Result<()> {
    walk.look(app, Screen::Contacts, State::Large).await?;
    app.browser.fill("#search", "zu Katzenelnbogen").await?;
    app.browser.click(&format!("[data-contact='{long}']")).await?;
    app.browser.wait_to_read(".detail h1", "Katzenelnbogen").await?;
    walk.look(app, Screen::Contact, State::Large).await?;
    app.browser.click("#add").await?;
    app.browser.fill("#amount", "9999999.99").await?;
    app.browser.fill("#note", NOTES[1]).await?;
    let asked = async |app: &App| app.browser.fill("#who", "von").await;
    walk.look_after(app, Screen::Entry, State::Large, "", asked).await?;
    app.browser.fill("#who", "Ng\u{e004}").await?;
    super::close_sheet(app).await?;
    go(app, "/transactions", "Transactions").await?;
    app.browser.wait_to_see("#transactions [data-transaction]").await?;
    walk.look(app, Screen::Transactions, State::Large).await?;
    app.browser.click("#transactions [data-transaction] .row-link").await?;
    app.browser.wait_to_see("#history").await?;
    walk.look(app, Screen::Transaction, State::Large).await?;
    go(app, "/attention", "Needs attention").await?;
    walk.look(app, Screen::Attention, State::Large).await?;
    go(app, "/settings", "Settings").await?;
    let scrolled = async |app: &App| bring_into_view(app, "#make-invite").await;
    walk.look_after(app, Screen::Members, State::Large, "", scrolled).await
}

/// Each with a line or two, in two currencies.
fn people() -> Result<Vec<LedgerOp>> {
    let mut ops = Vec::new();
    for index in 0..PEOPLE {
        let name = format!("{} {} {index}", GIVEN[index % GIVEN.len()], FAMILY[index % FAMILY.len()]);
        let (id, op) = person(&name);
        ops.push(op);
        let amount = 100 + i64::try_from(index * index * 37)?;
        ops.push(gave(id, amount, "EUR", "2026-10-01", NOTES[index % NOTES.len()])?);
        if index % 3 == 0 {
            ops.push(got(id, amount * 2, "USD", "2026-10-02", NOTES[(index + 1) % NOTES.len()])?);
        }
    }
    Ok(ops)
}

fn lines(contact: ContactId) -> Result<Vec<LedgerOp>> {
    let line = |index: usize| {
        let date = format!("2026-{:02}-{:02}", 1 + index % 11, 1 + index % 28);
        let (direction, currency) =
            (if index.is_multiple_of(2) { gave } else { got }, if index.is_multiple_of(5) { "USD" } else { "EUR" });
        direction(contact, 1 + i64::try_from(index)? * 123_457, currency, &date, NOTES[index % NOTES.len()])
    };
    (0..LINES).map(line).collect()
}

fn id_of(op: &LedgerOp) -> Option<TransactionId> {
    match op {
        LedgerOp::CreateTransaction { id, .. } => Some(*id),
        _ => None,
    }
}
