//! `tidebook feed`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tidebook_book::Seq;
use tidebook_client::Feed;

use crate::arguments::{Asked, Target};
use crate::device::Device;
use crate::exit::print;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook feed \"Harbour Street 12\" --after 0")]
pub(crate) struct Arguments {
    /// The book's id, or a name that only one of your books has
    book: String,
    /// Begin with everything after this seq; without it, only what comes from now on
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    #[command(flatten)]
    target: Target,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { book, after, target } = arguments;
    let mut device = Device::open(&Asked { book: None, offline: false, json: true, target }).await?;
    let book = device.find_book(Some(&book)).await?;
    let mut feed = Feed::open(device.driver.api(), book, after.map(Seq)).await?;
    loop {
        print(&feed.next().await?)?;
    }
}
