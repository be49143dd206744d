//! What is due by time alone.

use tidebook_book::{BookId, Domain};

use crate::link::Link;
use crate::{BookCopy, Event, Monotonic, Replica};

impl<D: Domain> Replica<D> {
    /// Time passed. Call it when [`Self::poll_timeout`] is due.
    pub fn handle_timeout(&mut self, now: Monotonic) {
        match self.link {
            Link::Down { retry_at: Some(at) } if at <= now => {
                self.link = Link::Connecting;
                self.events.push_back(Event::Connect);
            }
            Link::Greeting { deadline } if deadline <= now => self.disconnect("the server did not say welcome".into()),
            Link::Live if self.books.values_mut().any(|copy| copy.lacks_answer(now)) => {
                self.disconnect("the server did not answer".into());
            }
            _ => {}
        }
        if self.offer_again_at.is_some_and(|at| at <= now) {
            self.offer_again_at = None;
            self.subscribe_all();
        }
        self.see_to_books(now);
    }

    /// When to call [`Self::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Monotonic> {
        let link = match self.link {
            Link::Down { retry_at } => retry_at,
            Link::Greeting { deadline } => Some(deadline),
            Link::Live => self.books.values().flat_map(BookCopy::timeouts).flatten().min(),
            Link::Connecting => None,
        };
        [link, self.offer_again_at].into_iter().flatten().min()
    }

    /// Does what is due in the books, for which there must be a line.
    pub(super) fn see_to_books(&mut self, now: Monotonic) {
        if self.link != Link::Live {
            return;
        }
        let due = |copy: &BookCopy<D>| copy.poll_timeout().is_some_and(|at| at <= now);
        let books: Vec<BookId> = self.books.iter().filter(|(_, copy)| due(copy)).map(|(book, _)| *book).collect();
        for book in books {
            if self.books.get_mut(&book).is_some_and(|copy| copy.handle_timeout(now)) {
                self.events.push_back(Event::FetchSnapshot { book });
            }
            self.push_outbox(book);
        }
    }
}
