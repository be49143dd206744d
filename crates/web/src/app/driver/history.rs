//! Reads what happened to one record: of late from what the device keeps, before that from the server.

use std::rc::Rc;

use tidebook_book::{BookChange, BookId, Entry, Seq};
use tidebook_ledger::Ledger;

use super::Driver;
use super::database::{Fault, Mode};
use super::http::{Call, HttpError};

pub(crate) type BookEntry = Entry<BookChange<Ledger>>;

/// Entries a page: the server gives no more at once.
const PAGE: usize = 5000;

/// What the device has.
pub(crate) struct KeptEntries {
    /// Those that mention what was asked for.
    pub(crate) entries: Vec<BookEntry>,
    /// From here to the copy's last entry it has all of them.
    pub(crate) from: Seq,
}

/// An entry as it is stored and sent; what a later version of the app wrote may not read.
pub(crate) fn read_entry(text: &str) -> Option<BookEntry> {
    serde_json::from_str(text).ok()
}

impl Driver {
    /// The entries after a seq that mention something, as far as they are on this device.
    pub(crate) async fn kept_entries(self: Rc<Self>, book: BookId, after: Seq, what: String) -> KeptEntries {
        // First those that are about to be stored: meanwhile they will be.
        let (mut texts, unwritten, next) = self.read(|replica| {
            let copy = replica.book(book);
            let unwritten = copy.into_iter().flat_map(|copy| copy.unwritten());
            let mentioning: Vec<String> =
                unwritten.clone().filter(|text| text.contains(&what)).map(str::to_owned).collect();
            (mentioning, unwritten.map(str::to_owned).next(), copy.map_or(Seq::ZERO, |copy| copy.seq().next()))
        });
        let stored = match self.keeper() {
            Some(keeper) => match keeper.transaction(Mode::Read) {
                Ok(transaction) => transaction.entries_mentioning(book, after, &what).await,
                Err(fault) => Err(fault),
            },
            None => Err(Fault::Gone),
        };
        // Where nothing can be read, nothing is here.
        let (first, stored) = stored.unwrap_or_default();
        texts.extend(stored);
        let from = first.or(unwritten).and_then(|first| read_entry(&first)).map_or(next, |first| first.seq);
        KeptEntries { entries: texts.iter().filter_map(|text| read_entry(text)).collect(), from }
    }
}

/// The same from the server, for the entries after one seq up to another. All of them have to be gone through.
pub(crate) async fn earlier_entries(
    book: BookId,
    mut after: Seq,
    up_to: Seq,
    what: String,
) -> Result<Vec<BookEntry>, HttpError> {
    let mut found = Vec::new();
    while after < up_to {
        let page = Call::lines(&format!("/books/{book}/entries?after={after}&limit={PAGE}")).text().await?;
        let Some(last) = page.lines().last().and_then(read_entry) else { break };
        after = last.seq;
        found.extend(page.lines().filter(|line| line.contains(&what)).filter_map(read_entry));
    }
    Ok(found)
}
