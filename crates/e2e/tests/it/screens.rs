//! Every screen in every state: a picture of each to be looked at, and axe finds nothing on any of them.

use std::sync::Mutex;

use anyhow::{Result, ensure};
use tidebook_e2e::gallery::{self, Part};
use tidebook_e2e::{Alone, axe, journey};

#[test]
fn screens_before_a_book() {
    look_at("screens_before_a_book", Part::Before);
}

#[test]
fn screens_of_a_book() {
    look_at("screens_of_a_book", Part::Book);
}

#[test]
fn screens_in_trouble() {
    look_at("screens_in_trouble", Part::Trouble);
}

#[test]
fn screens_of_a_large_book() {
    look_at("screens_of_a_large_book", Part::Large);
}

fn look_at(name: &'static str, part: Part) {
    journey(name, Alone::No, async |stage| {
        let (folder, script) = (gallery::folder()?, axe::script()?);
        let found = Mutex::new(Vec::new());
        gallery::walk(stage, part, async |app, look| {
            let file = folder.join(look.file_name());
            app.browser.screenshot(&file).await?;
            let violations = app.browser.violations(&script).await?;
            let told = violations.iter().map(|violation| format!("{}: {violation}", look.file_name()));
            found.lock().expect("no panic holds it").extend(told);
            Ok(())
        })
        .await?;
        found_nothing(&found.into_inner()?)
    });
}

fn found_nothing(found: &[String]) -> Result<()> {
    ensure!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
    Ok(())
}
