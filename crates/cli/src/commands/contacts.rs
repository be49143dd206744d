//! `tidebook contacts`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use tidebook_ledger::{Contact, ContactView};

use crate::arguments::Asked;
use crate::device::OpenBook;
use crate::exit::answer;
use crate::say::{Cell, DIM, Table, money, owes, short};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidebook contacts --book \"Harbour Street 12\"")]
pub(crate) struct Arguments {
    /// Only those in whose name this is
    name: Option<String>,
    /// Those who were deleted instead
    #[arg(long)]
    deleted: bool,
    #[command(flatten)]
    asked: Asked,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let open = OpenBook::of(&arguments.asked).await?;
    let state = open.state();
    let wanted = arguments.name.unwrap_or_default().to_lowercase();
    let is_wanted =
        |contact: &&Contact| contact.deleted == arguments.deleted && contact.name.to_lowercase().contains(&wanted);
    let mut contacts: Vec<&Contact> = state.contacts().filter(is_wanted).collect();
    contacts.sort_by_cached_key(|contact| (contact.name.to_lowercase(), contact.id));
    let views: Vec<ContactView<'_>> = contacts.iter().map(|contact| ContactView::new(state, contact)).collect();
    answer(open.form(), &views, || {
        let mut table = Table::default();
        views.iter().for_each(|view| rows(view, &mut table));
        if views.is_empty() { vec!["Nobody.".into()] } else { table.lines() }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A row for each currency; one where there is none.
fn rows(view: &ContactView<'_>, table: &mut Table) {
    let id = || Cell::text(short(view.id.0)).styled(DIM);
    if view.balances.is_empty() {
        table.row([Cell::text(view.name), Cell::text("even").styled(DIM), Cell::number(""), id()]);
    }
    for (currency, amount) in view.balances.iter() {
        let (words, style) = owes(*amount);
        let amount = Cell::number(money(*amount, *currency)).styled(style);
        table.row([Cell::text(view.name), Cell::text(words), amount, id()]);
    }
}
