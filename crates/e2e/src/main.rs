//! Pictures of the app with sample data, for the README and for whoever looks at the design; and what a large book costs.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tidebook_e2e::{App, Browser, Server, Size, large_book, screens};

#[derive(Parser)]
#[command(name = "tidebook-e2e")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a PNG of every screen, on a phone and a desktop, light and dark
    Shots {
        /// The folder they go to
        folder: PathBuf,
        /// How many dots a pixel has
        #[arg(long, default_value_t = 2)]
        dots: u32,
    },
    /// Measure a book of 10,000 contacts and 100,000 transactions; the last line is one of docs/benchmarks.md
    LargeBook,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Shots { folder, dots } => shots(&folder, dots).await,
        Command::LargeBook => Ok(writeln!(std::io::stdout(), "{}", large_book::measure().await?)?),
    }
}

async fn shots(folder: &PathBuf, dots: u32) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let server = Server::start().await?;
    let browser = Arc::new(Browser::open("shots", Size::Desktop).await?);
    browser.hide_scrollbars().await?;
    let app = App::new(browser, server.origin());
    app.arrive().await?;
    screens::walk(&app, &server, async |app, look| {
        app.browser.resize_at(look.size, dots).await?;
        let file = folder.join(look.file_name());
        app.browser.screenshot(&file).await?;
        Ok(writeln!(std::io::stdout(), "{}", file.display())?)
    })
    .await
}
