//! Saying where the person is, and hearing where others are.

use serde_json::value::RawValue;
use tidebook_book::{BookId, Domain};
use tidebook_protocol::{Presence, PresenceUp, Up};

use super::Replica;
use crate::Event;
use crate::presence::Shown;

impl<D: Domain> Replica<D> {
    /// Where the person is now: what they look at and what they edit, as small JSON objects. Others in the book see it
    /// for as long as there is a line. A person is in one book at a time; of the last one they take their leave.
    pub fn show(&mut self, book: BookId, viewing: Option<Box<RawValue>>, editing: Option<Box<RawValue>>) {
        let shown = Shown { book, viewing, editing };
        if self.shown.as_ref().is_some_and(|before| before.is_same(&shown)) {
            return;
        }
        if let Some(before) = self.shown.replace(shown).filter(|before| before.book != book) {
            self.say(PresenceUp { book: before.book, viewing: None, editing: None });
        }
        self.say_where(book);
    }

    /// Says where the person is, to those who follow this book.
    pub(super) fn say_where(&mut self, book: BookId) {
        if let Some(message) = self.shown.as_ref().filter(|shown| shown.book == book).map(Shown::message) {
            self.say(message);
        }
    }

    /// Only who follows a book is heard there.
    fn say(&mut self, message: PresenceUp) {
        if self.is_live() && self.book(message.book).is_some_and(crate::BookCopy::is_following) {
            self.transmit(&Up::Presence(message));
        }
    }

    pub(super) fn handle_presence(&mut self, Presence { book, peers, count }: Presence) {
        let own = self.id();
        let Some(copy) = self.books.get_mut(&book).filter(|copy| !copy.is_removed()) else { return };
        let listed = copy.peers.handle_list(peers, count, own);
        if listed.is_news {
            self.events.push_back(Event::Presence { book });
        }
        if listed.is_dropped {
            self.say_where(book);
        }
    }

    /// Who is there is told anew after a subscription, and nothing is where there is nobody.
    pub(super) fn forget_peers_in(&mut self, book: BookId) {
        if self.books.get_mut(&book).is_some_and(|copy| copy.peers.forget()) {
            self.events.push_back(Event::Presence { book });
        }
    }

    /// Without a line nobody knows who is there.
    pub(super) fn forget_peers(&mut self) {
        let seen = self.books.iter_mut().filter_map(|(book, copy)| copy.peers.forget().then_some(*book));
        self.events.extend(seen.map(|book| Event::Presence { book }));
    }
}
