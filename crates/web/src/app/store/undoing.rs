//! What the person does goes into the replica here, and out of it again when they take it back.

use tidebook_book::{MutationId, Seq};
use tidebook_ledger::{Ledger, LedgerOp};
use tidebook_replica::{BookCopy, NewMutation, Seen};

use super::Store;
use crate::app::driver;
use crate::undo::{Step, Way};

impl Store {
    /// What a person did. An error says in words why it could not be.
    pub(crate) fn mutate(self, base: Seen, ops: Vec<LedgerOp>) -> Result<(), String> {
        let back = self.write(base, ops, None)?;
        self.steps.update_untracked(|steps| steps.did(back));
        Ok(())
    }

    /// Takes an entry back. What was changed since is not lost over it: it raises a conflict.
    pub(crate) fn undo(self, entry: Seq, ops: Vec<LedgerOp>) {
        match self.write(self.seen().at(entry), ops, Some(entry)) {
            Ok(back) => self.steps.update_untracked(|steps| steps.did(back)),
            Err(words) => self.say(words),
        }
    }

    /// Writes it, and returns what would take it back.
    fn write(self, base: Seen, ops: Vec<LedgerOp>, undoes: Option<Seq>) -> Result<Option<Step>, String> {
        let (Some(book), Some(driver)) = (self.book.get_untracked(), self.driver()) else {
            return Err("No book is open.".into());
        };
        let new = NewMutation { id: MutationId(driver::new_id()), made_at: driver::now(), base, ops, undoes };
        let at = self.seen();
        driver.step(|replica, _| replica.mutate(book, new)).map_err(|error| error.to_string())?;
        let back = |copy: &BookCopy<Ledger>| Step::back(book, at, copy.pending().next_back()?.predicted());
        Ok(self.copy(back).flatten())
    }

    /// Takes back what the person did last, or does again what they took back last. Whether there was anything.
    pub(crate) fn go(self, way: Way) -> bool {
        let mut step = None;
        let book = self.book.get_untracked();
        self.steps.update_untracked(|steps| step = book.and_then(|book| steps.take(way, book)));
        let Some(Step { base, ops, .. }) = step else { return false };
        match self.write(base, ops, None) {
            Ok(step) => {
                self.steps.update_untracked(|steps| steps.put(way.other(), step));
                self.say(if way == Way::Back { "Taken back" } else { "Done again" });
            }
            Err(words) => self.say(words),
        }
        true
    }
}
