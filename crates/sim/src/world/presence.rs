//! Who says where they are in a book, and who sees them there.

use std::collections::BTreeMap;

use serde_json::json;
use serde_json::value::RawValue;
use tidebook_book::{Author, BookId};
use tidebook_replica::BookCopy;

use super::{Event, World};
use crate::check::Checked;
use crate::client::Client;
use crate::line::{LineId, Way};
use crate::queue::Ms;

/// A socket that said where its person is, and over which nothing comes for so long, speaks for nobody any more.
const NOT_HEARD_MS: Ms = 12_000;

impl World {
    /// A person looks at something in a book.
    pub(super) fn look_at(&mut self, index: usize, book: BookId) -> Checked {
        let mut thing = || json!({ "kind": "contact", "id": uuid::Uuid::from_u128(u128::from(self.random.below(6))) });
        let (viewing, editing) = (thing(), thing());
        let raw = |value: &serde_json::Value| RawValue::from_string(value.to_string()).expect("JSON");
        let is_editing = self.random.one_in(3);
        let client = &mut self.clients[index];
        client.shows = Some((book, viewing.to_string()));
        client.replica.show(book, Some(raw(&viewing)), is_editing.then(|| raw(&editing)));
        self.serve(index)
    }

    pub(super) fn presence_due(&mut self, line: LineId) -> Checked {
        if let Some(node) = self.lines.get(&line).map(|line| line.node) {
            self.nodes[node].server.handle_presence_due(self.now, &self.disk, line);
        }
        self.settle()
    }

    /// From now on nothing comes up a line, for so long.
    pub(super) fn plan_not_heard(&mut self, line: LineId, lasts_ms: Ms) {
        if lasts_ms > NOT_HEARD_MS {
            self.at_in(NOT_HEARD_MS, Event::NotHeard(line));
        }
    }

    pub(super) fn not_heard(&mut self, line: LineId) -> Checked {
        if let Some((node, is_sound)) = self.lines.get(&line).map(|line| (line.node, line.is_sound())) {
            self.nodes[node].server.handle_not_heard(self.now, &self.disk, line);
            if !is_sound {
                // What was on its way may have come out meanwhile.
                self.at_in(NOT_HEARD_MS, Event::NotHeard(line));
            }
        }
        self.settle()
    }

    /// In words, if somebody is shown who is not there, or not shown who is. A node knows of its own lines alone.
    pub(super) fn wrong_presence(&self, index: usize, book: BookId) -> Option<String> {
        let client = &self.clients[index];
        let node = self.node_of(client)?;
        let mut there: BTreeMap<Author, Vec<&str>> = BTreeMap::new();
        for other in self.clients.iter().filter(|other| other.replica.id() != client.replica.id()) {
            let shows = other.shows.as_ref().filter(|(in_book, _)| *in_book == book && self.is_heard_in(other, book));
            if let Some((_, viewing)) = shows.filter(|_| self.node_of(other) == Some(node)) {
                there.entry(other.author()).or_default().push(viewing);
            }
        }
        let peers = client.copy(book).peers();
        let is_right = |(author, viewing): (&Author, &Vec<&str>)| {
            let peer = peers.iter().find(|peer| peer.replica == author.replica && peer.user == author.user);
            let shown = peer.and_then(|peer| peer.viewing.as_ref()).map(|viewing| viewing.get());
            shown.is_some_and(|shown| viewing.contains(&shown))
        };
        let all_right = peers.len() == there.len() && there.iter().all(is_right);
        (!all_right).then(|| format!("{} is shown {peers:?} where there are {there:?}", client.name))
    }

    fn node_of(&self, client: &Client) -> Option<usize> {
        client.line.and_then(|id| self.lines.get(&id)).map(|line| line.node)
    }

    fn is_heard_in(&self, client: &Client, book: BookId) -> bool {
        let line = client.line.and_then(|id| self.lines.get(&id));
        let is_member = self.checker.book(book).role_of(client.user).is_some();
        let follows = client.replica.book(book).is_some_and(|copy: &BookCopy<_>| !copy.is_removed());
        client.is_open && is_member && follows && line.is_some_and(|line| line.is_sound())
    }

    /// Nothing comes up the line any more, though its end does not come out.
    pub(super) fn go_deaf(&mut self, id: LineId) {
        if let Some(line) = self.lines.get_mut(&id) {
            line.pipe(Way::Up).go_deaf();
            self.plan_not_heard(id, Ms::MAX);
        }
    }
}
