//! What takes too long for every commit, or leaves pictures: run by `cargo xtask gallery`, `prove` and `bench`.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use tidebook_e2e::gallery::{self, Part};
use tidebook_e2e::{Alone, ThreeClients, journey, kills, large_book, partitions, partitions_client, three_clients};

#[derive(Parser)]
#[command(name = "tidebook-e2e")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a PNG of every screen in every state, on a phone and a desktop, light and dark
    Gallery {
        /// The folder they go to
        folder: PathBuf,
        /// Where the table of them goes
        #[arg(long)]
        table: Option<PathBuf>,
        /// How many dots a pixel has
        #[arg(long, default_value_t = 2)]
        dots: u32,
    },
    /// Measure a book of 10,000 contacts and 100,000 transactions; the last line is one of docs/benchmarks.md
    LargeBook,
    /// Kill tabs in the middle of edits, and see that nothing they called saved is lost
    TabKills { rounds: usize },
    /// Part and heal the lines of native clients and browsers so many times, while all of them write
    Partitions { rounds: usize },
    /// Be one of those native clients
    #[command(hide = true)]
    PartitionsClient,
    /// Let a browser, a terminal and a script write in one book for so many seconds, while the line is cut at random
    ThreeClients { seconds: u64 },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Gallery { folder, table, dots } => {
            std::fs::create_dir_all(&folder)?;
            for part in Part::ALL {
                gallery_of(part, &folder, dots);
            }
            Ok(table.map_or(Ok(()), |table| std::fs::write(table, gallery::document()))?)
        }
        Command::TabKills { rounds } => {
            tab_kills(rounds);
            Ok(())
        }
        Command::Partitions { rounds } => {
            part_and_heal(rounds);
            Ok(())
        }
        Command::PartitionsClient => partitions_client(),
        Command::ThreeClients { seconds } => {
            three_clients_for(seconds);
            Ok(())
        }
        Command::LargeBook => large_book_line(),
    }
}

fn gallery_of(part: Part, folder: &Path, dots: u32) {
    journey("gallery", Alone::No, async |stage| {
        gallery::walk(stage, part, async |app, look| {
            app.browser.hide_scrollbars().await?;
            app.browser.resize_at(look.size, dots).await?;
            let file = folder.join(look.file_name());
            app.browser.screenshot(&file).await?;
            Ok(writeln!(stdout(), "{}", file.display())?)
        })
        .await
    });
}

/// Says what came of it in its last line, for the list of proofs.
fn tab_kills(rounds: usize) {
    journey("tab_kills", Alone::No, async |stage| {
        let started = Instant::now();
        let kills = kills(stage, rounds).await?;
        ensure!(kills.tabs + kills.browsers == rounds, "{kills:?}");
        let seconds = started.elapsed().as_secs_f64() / rounds as f64;
        let found = format!("all {} that were on the device are in the log once", kills.kept);
        let amount = format!(
            "{} tabs and {} browsers killed, {} changes typed, {seconds:.1} s a kill",
            kills.tabs, kills.browsers, kills.typed
        );
        Ok(writeln!(stdout(), "{amount}: {found}")?)
    });
}

fn part_and_heal(rounds: usize) {
    journey("partitions", Alone::No, async |stage| Ok(writeln!(stdout(), "{}", partitions(stage, rounds).await?)?));
}

fn three_clients_for(seconds: u64) {
    journey("three_clients", Alone::No, async |stage| {
        let found = three_clients(stage, 1, Instant::now() + Duration::from_secs(seconds)).await?;
        let ThreeClients { by_browser, by_terminal, by_script, cuts, entries } = found;
        let amount = format!(
            "{seconds} s, {cuts} cuts; {by_browser} changes in a browser, {by_terminal} in a terminal, {by_script} by a script"
        );
        Ok(writeln!(stdout(), "{amount}: all are in the log of {entries} once, and all three have the same log")?)
    });
}

fn large_book_line() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let line = runtime.block_on(large_book::measure())?;
    Ok(writeln!(stdout(), "{line}")?)
}
