//! `tidebook books`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tidebook_book::BookId;
use tidebook_ledger::Currency;

use crate::arguments::Asked;
use crate::describe::role_word;
use crate::device::Device;
use crate::exit::answer;
use crate::say::{Cell, DIM, Table, one_line};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tidebook books\n  tidebook books --new \"Allotment\" --currency GBP\n  tidebook books --use \"Harbour Street 12\""
)]
pub(crate) struct Arguments {
    /// Make a book of this name
    #[arg(long, value_name = "NAME")]
    new: Option<String>,
    /// The currency of the new book, as EUR
    #[arg(long, requires = "new", default_value = "EUR")]
    currency: Currency,
    /// Make this the book that commands are about where they name none
    #[arg(long = "use", value_name = "BOOK", conflicts_with = "new")]
    choose: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { new, currency, choose, asked } = arguments;
    let mut device = Device::open(&asked).await?;
    if let Some(name) = new {
        if let Some(fault) = tidebook_ledger::name_fault(&name) {
            anyhow::bail!("the name {name:?}: {fault}");
        }
        let book = device.make_book(&name, currency).await?;
        let words = || vec![format!("Made {:?} ({book}).", one_line(&name))];
        answer(device.form, &json!({"saved": true, "book": book, "name": name}), words)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(wanted) = choose {
        let book = device.find_book(Some(&wanted)).await?;
        device.choose(book)?;
        answer(device.form, &json!({"chosen": book}), || vec![format!("Commands are about {wanted:?} from now on.")])?;
        return Ok(ExitCode::SUCCESS);
    }
    list(device).await
}

async fn list(mut device: Device) -> Result<ExitCode> {
    let books = device.refresh_books().await?;
    let (unmade, chosen) = (device.unmade()?, device.chosen()?);
    let mut items: Vec<Value> = Vec::new();
    let mut table = Table::default();
    let mut add = |book: BookId, name: &str, currency: Currency, standing: &str| {
        let is_chosen = chosen == Some(book);
        items.push(json!({"id": book, "name": name, "currency": currency, "role": standing, "chosen": is_chosen}));
        table.row([
            Cell::text(if is_chosen { "*" } else { " " }),
            Cell::text(name),
            Cell::text(currency),
            Cell::text(standing),
            Cell::text(book).styled(DIM),
        ]);
    };
    for book in &books {
        add(book.id, &book.name, book.currency, role_word(book.role));
    }
    for (book, name, currency) in &unmade {
        add(*book, name, *currency, "only on this device");
    }
    answer(device.form, &items, || match items.is_empty() {
        true => vec!["No book yet; `tidebook books --new NAME` makes one.".into()],
        false => table.lines(),
    })?;
    Ok(ExitCode::SUCCESS)
}
