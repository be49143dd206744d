//! A server that comes back from an older backup: what devices were told of since is gone there, and comes back from them.

use tidebook_book::{Epoch, Seq};
use uuid::Uuid;

use super::World;
use super::node::Node;
use crate::check::{Checked, Declared};
use crate::fault::Fault;

/// Entries lost at a time, so that something of the run stays.
const LOST_MAX: u64 = 40;

impl World {
    /// The whole server dies, and one of its books goes on from a backup.
    pub(super) fn restore(&mut self) -> Checked {
        if !self.nodes.iter().all(Node::is_up) {
            return Ok(());
        }
        (0..self.nodes.len()).try_for_each(|node| self.crash(node, None))?;
        let book = self.any_book();
        let head = self.head(book);
        // Who is in the book was settled over HTTP, where nobody remembers it.
        let first = self.checker.book(book).last_change_of_members().0.max(head.0.saturating_sub(LOST_MAX));
        if first >= head.0 {
            return Ok(());
        }
        let until = Seq(self.random.between(first, head.0 - 1));
        // Undeclared, it goes on under the same name.
        let epoch = self.random.one_in(2).then(|| Epoch(Uuid::from_u128(self.random.wide())));
        let name = self.book_name(book);
        self.say(|| format!("{name} is restored to {until}, as {epoch:?}"));
        self.weather.note(Fault::Restored);
        self.disk.log_mut(book).restore(until, epoch);
        let declared = if epoch.is_some() { Declared::Yes } else { Declared::No };
        self.checker.restore(book, until, declared);
        // Nothing of what is lost comes out of a line any more, and who wrote over HTTP lets it be.
        self.lines.values_mut().for_each(|line| line.down.lose_all());
        self.give_up_calls();
        if declared == Declared::No {
            // Nor does another tab say again what it would not say without asking first where the book is.
            self.clients.iter_mut().for_each(|client| client.pushes.clear());
        }
        Ok(())
    }
}
