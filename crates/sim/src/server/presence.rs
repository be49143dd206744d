//! Who is in the books of a node now: the shipped lists, and when they are told, as the shipped sockets do it.

use tidebook_book::{Author, BookId};
use tidebook_protocol::PresenceUp;

use super::socket::Socket;
use super::{Effect, Server, clock};
use crate::disk::Disk;
use crate::line::LineId;
use crate::plant::Plant;
use crate::queue::Ms;

#[path = "../../../server/src/book/presence.rs"]
#[allow(dead_code, reason = "sockets have their numbers here")]
mod shipped;

use shipped::{Peers, SocketNumber};

/// Between two lists to one socket.
const LISTS_EVERY_MS: Ms = 250;

/// Who is present in one book.
#[derive(Debug, Default)]
pub(super) struct Present {
    peers: Peers,
    /// Counts changes.
    changes: u64,
}

/// What a socket was last told of who is present in a book.
#[derive(Debug, Default)]
pub(super) struct Told {
    changes: Option<u64>,
    at: Option<Ms>,
    /// It will be looked at again.
    is_put_off: bool,
}

impl Server {
    /// A socket says where its person is, who may have been removed without having heard of it.
    pub(super) fn say_presence(&mut self, line: LineId, said: PresenceUp) {
        let book = said.book;
        let Some(author) = self.sockets.get_mut(&line).and_then(|socket| socket.enter(book)) else { return };
        if self.actors.get(&book).is_some_and(|actor| actor.role_of(author.user).is_some()) {
            let present = self.present.entry(book).or_default();
            present.peers.put(SocketNumber(line.0), author, said, clock(self.now));
            self.tell_presence(book);
        }
    }

    /// A socket has left the books, or is not heard of any more.
    pub(super) fn leave(&mut self, line: LineId, present: impl IntoIterator<Item = (BookId, Author)>) {
        for (book, author) in present {
            let present = self.present.entry(book).or_default();
            if self.settings.plant != Some(Plant::GoneShown) && present.peers.remove(SocketNumber(line.0), author) {
                self.tell_presence(book);
            }
        }
    }

    /// Nothing was heard over a line for as long as is borne.
    pub(crate) fn handle_not_heard(&mut self, now: Ms, disk: &Disk, line: LineId) {
        if let Some(present) = self.sockets.get_mut(&line).map(Socket::vanish) {
            self.leave(line, present);
            self.run(now, disk);
        }
    }

    /// Others may be members now.
    pub(super) fn look_who_may_be_present(&mut self, book: BookId) {
        let (Some(actor), Some(present)) = (self.actors.get(&book), self.present.get(&book)) else { return };
        if self.settings.plant != Some(Plant::RemovedShown)
            && present.peers.retain(|user| actor.role_of(user).is_some())
        {
            self.tell_presence(book);
        }
    }

    fn tell_presence(&mut self, book: BookId) {
        self.present.entry(book).or_default().changes += 1;
        self.wake_followers(book);
    }

    /// A list that changed, each at most so often. Whether there was one.
    pub(super) fn send_presence(&mut self, line: LineId) -> bool {
        let Some(text) = self.next_list(line) else { return false };
        self.sockets.get_mut(&line).expect("it is told").count_frame();
        self.effects.push_back(Effect::Send { line, text });
        true
    }

    fn next_list(&mut self, line: LineId) -> Option<String> {
        let socket = self.sockets.get_mut(&line)?;
        for (book, told) in socket.told_of_presence() {
            let Some(present) = self.present.get(&book).filter(|present| told.changes != Some(present.changes)) else {
                continue;
            };
            let may_at = told.at.map_or(self.now, |at| at + LISTS_EVERY_MS);
            if may_at > self.now {
                if !std::mem::replace(&mut told.is_put_off, true) {
                    self.effects.push_back(Effect::PresenceDue { line, after: may_at - self.now });
                }
                continue;
            }
            let was_told = told.at.is_some();
            told.changes = Some(present.changes);
            if was_told || !present.peers.is_empty() {
                told.at = Some(self.now);
                return Some(present.peers.frame(book));
            }
        }
        None
    }

    /// What was put off is due.
    pub(crate) fn handle_presence_due(&mut self, now: Ms, disk: &Disk, line: LineId) {
        if let Some(socket) = self.sockets.get_mut(&line) {
            socket.told_of_presence().for_each(|(_, told)| told.is_put_off = false);
            self.sockets_to_run.insert(line);
            self.run(now, disk);
        }
    }
}
