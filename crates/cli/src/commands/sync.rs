//! `tidebook sync`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::{Value, json};
use tidebook_book::BookId;
use tidebook_client::{Happened, Reached};
use tokio::time::Instant;

use super::status::status_word;
use crate::arguments::Asked;
use crate::device::Device;
use crate::exit::{answer, note};
use crate::say::{Cell, Table};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidebook sync\n  tidebook sync --wait 600")]
pub(crate) struct Arguments {
    /// How long to try, in seconds, where there is no network or much to do
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    wait: u64,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut device = Device::open(&arguments.asked).await?;
    device.hope_for_a_network();
    device.require_network("sync")?;
    let deadline = Instant::now() + Duration::from_secs(arguments.wait);
    let reached = device.sync_all(deadline).await?;
    let mut told: Vec<Value> = Vec::new();
    let mut table = Table::default();
    let opened: Vec<_> = device.driver.open_books().collect();
    for book in opened {
        let replica = device.driver.replica();
        let Some(copy) = replica.book(book) else { continue };
        let name = copy.view().domain.book().map(|book| book.name.clone()).unwrap_or_default();
        let word = status_word(copy, replica.sync_status(book));
        told.push(json!({"book": book, "name": name, "status": word, "seq": copy.seq(), "hash": copy.hash()}));
        table.row([Cell::text(name), Cell::text(word)]);
    }
    answer(device.form, &told, || table.lines())?;
    match reached {
        Reached::Current => Ok(ExitCode::SUCCESS),
        Reached::Refused => {
            note("tidebook: something needs you: see `tidebook status`");
            Ok(ExitCode::FAILURE)
        }
        Reached::Unreachable(reason) | Reached::TooSlow(reason) => {
            bail!("not everything is synced ({reason}); {} on this device", unsent_words(device.driver.unsent()))
        }
        Reached::SignedOut => bail!("the session has ended; sign in again with `tidebook login`, nothing is lost"),
    }
}

fn unsent_words(unsent: usize) -> String {
    match unsent {
        0 => "nothing waits".into(),
        1 => "1 change waits".into(),
        many => format!("{many} changes wait"),
    }
}

impl Device {
    /// What this device has of books first: something may wait in them. Then those that only the server knows of.
    async fn sync_all(&mut self, deadline: Instant) -> Result<Reached> {
        let kept = self.driver.store().read(|rows| rows.books())?;
        self.open_all(&kept)?;
        let mut reached = self.reach_or_wait(deadline).await?;
        if matches!(reached, Reached::Current | Reached::Refused) {
            // By name, as long as the list has it.
            self.let_go_of_lost_books()?;
            self.make_unmade().await?;
            let listed: Vec<BookId> = self.refresh_books().await?.into_iter().map(|book| book.id).collect();
            if let Err(error) = self.require_network("sync") {
                return Ok(Reached::Unreachable(error.to_string()));
            }
            self.open_all(&listed)?;
            reached = self.reach_or_wait(deadline).await?;
        }
        if reached == Reached::Current {
            self.note_synced()?;
        }
        Ok(reached)
    }

    fn open_all(&mut self, books: &[BookId]) -> Result<()> {
        // One that the server has not heard of is shut to everybody.
        let unmade: Vec<BookId> = self.unmade()?.into_iter().map(|(book, ..)| book).collect();
        let known = books.iter().filter(|book| !unmade.contains(book));
        Ok(known.copied().try_for_each(|book| self.driver.open_book(book))?)
    }

    /// As long as it takes, also while there is no line.
    async fn reach_or_wait(&mut self, deadline: Instant) -> Result<Reached> {
        loop {
            let reached = self.driver.reach(deadline.saturating_duration_since(Instant::now())).await?;
            let Reached::Unreachable(_) = reached else { return Ok(reached) };
            if !self.wait_for_a_line(deadline).await? {
                return Ok(reached);
            }
        }
    }

    /// Whether there is one before the deadline.
    async fn wait_for_a_line(&mut self, deadline: Instant) -> Result<bool> {
        while self.driver.is_unreachable() {
            let left = deadline.saturating_duration_since(Instant::now());
            let happened: Option<Happened> = self.driver.next_within(left).await?;
            if happened.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
