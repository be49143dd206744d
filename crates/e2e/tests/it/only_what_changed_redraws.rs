//! A change from elsewhere touches its row and the totals, and nothing else of the page.

use anyhow::{Result, ensure};
use tidebook_book::BookId;
use tidebook_e2e::{Account, Alone, App, Size, Stage, gave, journey, person};
use tidebook_ledger::{ContactId, LedgerOp};

const PEOPLE: usize = 30;

#[test]
fn only_what_changed_redraws_on_a_desktop() {
    journey("only_what_changed_redraws_on_a_desktop", Alone::No, async |stage| go(stage, Size::Desktop).await);
}

#[test]
fn only_what_changed_redraws_on_a_phone() {
    journey("only_what_changed_redraws_on_a_phone", Alone::No, async |stage| go(stage, Size::Phone).await);
}

async fn go(stage: &Stage, size: Size) -> Result<()> {
    let (mira, book) = stage.mira().await?;
    let people = thirty_people(stage, &mira, book).await?;
    let there = stage.app_of("there", size, &mira).await?;
    there.wait_for_person(&name(PEOPLE - 1)).await?;
    let here = stage.app_of("here", Size::Desktop, &mira).await?;
    here.wait_for_person(&name(0)).await?;

    // The newest line of all is theirs: their row stays first.
    let top = there.people().await?.remove(0);
    let place = (0..PEOPLE).find(|number| name(*number) == top).expect("one of the thirty");
    let moves = watched(&here, &there, &top, people[place], "Stays first").await?;
    ensure!(moves == 0, "the first row's own news moved {moves} rows");

    // Somebody far down comes to the top, and the others keep their order.
    let before = there.people().await?;
    let far_down = before[20].clone();
    let place = (0..PEOPLE).find(|number| name(*number) == far_down).expect("one of the thirty");
    watched(&here, &there, &far_down, people[place], "Comes to the top").await?;
    let mut expected = before;
    expected.remove(20);
    expected.insert(0, far_down);
    ensure!(there.people().await? == expected, "the others moved: {:?}", there.people().await?);
    Ok(())
}

/// `here` writes a line; returns by how many places the row moved in `there`, once nothing else was touched.
async fn watched(here: &App, there: &App, name: &str, id: ContactId, note: &str) -> Result<usize> {
    let place = |people: Vec<String>| people.iter().position(|other| other == name).expect("still there");
    let before = place(there.people().await?);
    let row = format!("[data-contact='{id}']");
    there.browser.watch_elsewhere("#totals", &row).await?;
    here.add_gave(name, "3", note).await?;
    there.browser.wait_to_read(&row, note).await?;
    there.browser.wait_until_gone(".row-flash").await?;
    here.wait_for_book().await?;
    let moves = there.browser.moves().await?;
    ensure!(moves.count > 0, "nothing was noticed at all");
    ensure!(moves.elsewhere.is_empty(), "also touched ({note}):\n{}", moves.elsewhere.join("\n"));
    Ok(before.abs_diff(place(there.people().await?)))
}

async fn thirty_people(stage: &Stage, mira: &Account, book: BookId) -> Result<Vec<ContactId>> {
    let (ids, mut ops): (Vec<ContactId>, Vec<LedgerOp>) = (0..PEOPLE).map(|number| person(&name(number))).unzip();
    for (number, id) in ids.iter().enumerate() {
        ops.push(gave(*id, 100 + number as i64, "EUR", &format!("2026-01-{:02}", number + 1), "Before")?);
    }
    stage.writer(mira, book).await?.write(ops).await?;
    Ok(ids)
}

fn name(number: usize) -> String {
    format!("Person {number:02}")
}
