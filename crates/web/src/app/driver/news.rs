//! What one step of a replica changed, gathered so that a screen looks once.

use std::collections::BTreeSet;

use tidebook_book::BookId;
use tidebook_ledger::{Ledger, Touched};
use tidebook_replica::Event;

/// What to look at again after a step.
#[derive(Default)]
pub(crate) struct News {
    pub(crate) books: Vec<(BookId, BookNews)>,
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
    pub(crate) presence: bool,
    pub(crate) rejected: usize,
}

impl News {
    pub(crate) fn add(&mut self, event: Event<Ledger>) {
        match event {
            Event::Changed { book, touched, news } => {
                let book = self.of(book);
                book.touched.extend(touched);
                book.from_others.extend(news);
            }
            Event::Reset { book } => self.of(book).is_reset = true,
            Event::People { book } => self.of(book).people = true,
            Event::Presence { book } => self.of(book).presence = true,
            Event::Rejected { book, .. } => self.of(book).rejected += 1,
            Event::SignedOut => self.signed_out = true,
            Event::ServerError { detail, .. } => self.server_errors.push(detail),
            // The store reads the status and what is held after every step, and the driver has seen to the rest.
            Event::Status
            | Event::UpdateNeeded { .. }
            | Event::Connect
            | Event::Disconnect { .. }
            | Event::FetchSnapshot { .. }
            | Event::NewReplicaNeeded => {}
        }
    }

    fn of(&mut self, book: BookId) -> &mut BookNews {
        let place = self.books.iter().position(|(known, _)| *known == book).unwrap_or_else(|| {
            self.books.push((book, BookNews::default()));
            self.books.len() - 1
        });
        &mut self.books[place].1
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
