//! `tidebook feed`.

use std::process::ExitCode;

use anyhow::Result;
use tidebook_book::Seq;
use tidebook_client::Feed;

use crate::exit::print;
use crate::{arguments, book_name, connect};

pub(crate) async fn run(arguments: arguments::Feed) -> Result<ExitCode> {
    let api = connect::api(&arguments.target)?;
    let book = book_name::find(&api, &arguments.book).await?;
    let mut feed = Feed::open(&api, book.id, arguments.after.map(Seq)).await?;
    loop {
        print(&feed.next().await?)?;
    }
}
