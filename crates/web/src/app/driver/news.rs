//! What one step of a replica changed, gathered so that a screen looks once.

use std::collections::{BTreeMap, BTreeSet};

use tidebook_book::BookId;
use tidebook_ledger::{Ledger, Touched};
use tidebook_replica::Event;

/// What to look at again after a step.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) books: BTreeMap<BookId, BookNews>,
    pub(crate) signed_out: bool,
    /// What the server said went wrong, in words for people.
    pub(crate) server_errors: Vec<String>,
}

/// The same within one book.
#[derive(Default)]
pub(crate) struct BookNews {
    pub(crate) touched: BTreeSet<Touched>,
    /// The part of it that came from elsewhere.
    pub(crate) from_others: BTreeSet<Touched>,
    /// Look at all of it.
    pub(crate) is_reset: bool,
    pub(crate) people: bool,
    pub(crate) rejected: usize,
}

impl News {
    pub(crate) fn add(&mut self, event: Event<Ledger>) {
        match event {
            Event::Changed { book, touched, news } => {
                let book = self.books.entry(book).or_default();
                book.touched.extend(touched);
                book.from_others.extend(news);
            }
            Event::Reset { book } => self.books.entry(book).or_default().is_reset = true,
            Event::People { book } => self.books.entry(book).or_default().people = true,
            Event::Rejected { book, .. } => self.books.entry(book).or_default().rejected += 1,
            Event::SignedOut => self.signed_out = true,
            Event::ServerError { detail, .. } => self.server_errors.push(detail),
            // The store reads the status after every step, and the driver has seen to the rest.
            Event::Status | Event::Connect | Event::Disconnect { .. } | Event::FetchSnapshot { .. } => {}
        }
    }

    /// Catching up is not news.
    pub(crate) fn forget_what_was_missed(&mut self, behind: &[BookId]) {
        for (book, news) in &mut self.books {
            if behind.contains(book) {
                news.from_others.clear();
            }
        }
    }
}
