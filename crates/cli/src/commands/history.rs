//! `tidebook history`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::value::RawValue;
use tidebook_book::{BookChange, Change, Entry, Seq};
use tidebook_ledger::{ContactId, Ledger, LedgerChange, RecordRef};

use crate::arguments::Asked;
use crate::describe;
use crate::device::OpenBook;
use crate::exit::{Form, note, print};
use crate::pick;
use crate::say::{DIM, moment, styled};

/// How many entries are told of where nobody says how many.
const LIMIT: usize = 50;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tidebook history --limit 10\n  tidebook history Ana")]
pub(crate) struct Arguments {
    /// Only of this person, by name, or of this transaction, by the end of its id
    about: Option<String>,
    /// The newest so many entries
    #[arg(long, default_value_t = LIMIT, value_name = "COUNT")]
    limit: usize,
    #[command(flatten)]
    asked: Asked,
}

/// An entry of a ledger's log.
pub(crate) type LedgerEntry = Entry<BookChange<Ledger>>;

/// An entry with its bytes.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) entry: LedgerEntry,
    pub(crate) text: String,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut open = OpenBook::of(&arguments.asked).await?;
    let about = match &arguments.about {
        Some(typed) => Some(about(&open, typed)?),
        None => None,
    };
    let mut told: Vec<Kept> = Vec::new();
    let mut log = Log::of(&mut open)?;
    while told.len() < arguments.limit
        && let Some(kept) = log.older(&mut open).await?
    {
        if about.is_none_or(|about| is_about(&open, &kept.entry, about)) {
            told.push(kept);
        }
    }
    if log.is_cut {
        note("what came before is on the server, which cannot be reached");
    }
    // As a log is read: the oldest first.
    told.iter().rev().try_for_each(|kept| tell(&open, kept))?;
    Ok(ExitCode::SUCCESS)
}

fn tell(open: &OpenBook, Kept { entry, text }: &Kept) -> Result<()> {
    if open.form() == Form::Json {
        return print(text);
    }
    let person = |user| open.person(user);
    let mut whats = describe::changes(open.state(), entry.by, &entry.changes, &person);
    if let Some(rejected) = &entry.rejected {
        whats.push(format!("wrote something the book did not take: {}", rejected.detail));
    }
    let undo = entry.undoes.map(|undone| format!(" (took {undone} back)")).unwrap_or_default();
    let head = styled(DIM, format!("{:>6}  {}", entry.seq, moment(entry.at)));
    let who = person(entry.by);
    for what in whats {
        print(&format!("{head}  {who} {what}{undo}"))?;
    }
    Ok(())
}

/// The record that is meant.
fn about(open: &OpenBook, typed: &str) -> Result<RecordRef> {
    if let Ok(transaction) = pick::transaction(open.state(), typed) {
        return Ok(RecordRef::Transaction(transaction.id));
    }
    let contact =
        pick::known_contact(open.state(), typed)?.map_or_else(|| pick::deleted_contact(open.state(), typed), Ok);
    match contact {
        Ok(contact) => Ok(RecordRef::Contact(contact.id)),
        Err(_) => bail!("{typed:?} is neither a person of this book nor the end of a transaction's id"),
    }
}

/// A person's history is that of their transactions, too.
fn is_about(open: &OpenBook, entry: &LedgerEntry, about: RecordRef) -> bool {
    let contact_of = |record| match record {
        RecordRef::Transaction(id) => open.state().transaction(id).map(|transaction| transaction.contact),
        _ => None,
    };
    domain_changes(entry).any(|change| {
        let record = change.record();
        record == about || contact_of(record).is_some_and(|contact: ContactId| RecordRef::Contact(contact) == about)
    })
}

pub(crate) fn domain_changes(entry: &LedgerEntry) -> impl Iterator<Item = &LedgerChange> {
    entry.changes.iter().filter_map(|change| match change {
        Change::Domain(change) => Some(change),
        Change::Member(_) => None,
    })
}

/// A book's log from its end backwards: what the device keeps, then what the server has.
#[derive(Debug)]
pub(crate) struct Log {
    /// In order; the next to tell is the last.
    entries: Vec<Kept>,
    /// The first one told or at hand.
    first: Seq,
    /// There is more, and no network to get it.
    pub(crate) is_cut: bool,
}

/// How many older entries are asked for at a time.
const PAGE: u64 = 1_000;

impl Log {
    pub(crate) fn of(open: &mut OpenBook) -> Result<Self> {
        let book = open.id;
        let texts = open.device.driver.store().read(|rows| rows.entries_after(book, Seq::ZERO))?;
        let entries = texts.into_iter().map(read).collect::<Result<Vec<Kept>>>()?;
        let first = entries.first().map_or(Seq(open.copy().seq().0 + 1), |kept| kept.entry.seq);
        Ok(Self { entries, first, is_cut: false })
    }

    /// The entry before the one told last.
    pub(crate) async fn older(&mut self, open: &mut OpenBook) -> Result<Option<Kept>> {
        if self.entries.is_empty() && self.first > Seq(1) {
            if open.device.is_offline() {
                self.is_cut = true;
                return Ok(None);
            }
            let begins = Seq(self.first.0.saturating_sub(PAGE + 1));
            let mut after = begins;
            // An answer is bounded in bytes too.
            while after.next() < self.first {
                let page = open.device.driver.api().entries(open.id, after).await?;
                let texts = page.entries.into_iter().map(|entry: Box<RawValue>| entry.get().to_owned());
                let entries = texts.map(read).collect::<Result<Vec<Kept>>>()?;
                let Some(last) = entries.last() else { break };
                after = last.entry.seq;
                self.entries.extend(entries);
            }
            self.entries.retain(|kept| kept.entry.seq < self.first);
            self.first = begins.next();
        }
        Ok(self.entries.pop())
    }
}

fn read(text: String) -> Result<Kept> {
    Ok(Kept { entry: serde_json::from_str(&text)?, text })
}
