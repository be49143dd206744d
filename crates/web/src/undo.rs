//! What takes back what the person did, last first, and does it again.

use tidebook_book::{BookId, Change};
use tidebook_ledger::{Field, LedgerChange, LedgerOp, inverse_of, left_out};
use tidebook_replica::Seen;

/// Steps kept. Who goes back further than this wants the history.
const STEPS_MAX: usize = 100;

/// Ops that take a mutation back.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub book: BookId,
    /// Where the book stood when it was made: what others changed since is met as by any other edit.
    pub base: Seen,
    pub ops: Vec<LedgerOp>,
}

impl Step {
    /// The step that takes these changes back. None where some of it is not known any more, or nothing was changed.
    pub fn back<'a>(
        book: BookId,
        base: Seen,
        changes: impl IntoIterator<Item = &'a Change<LedgerChange>>,
    ) -> Option<Self> {
        let domain = |change: &Change<LedgerChange>| match change {
            Change::Domain(change) => Some(change.clone()),
            Change::Member(_) => None,
        };
        let changes: Vec<LedgerChange> = changes.into_iter().filter_map(domain).collect();
        let ops = inverse_of(&changes);
        let is_whole = changes.iter().all(|change| lost_by(change).is_empty());
        (is_whole && !ops.is_empty()).then_some(Self { book, base, ops })
    }
}

/// What a change does not tell of what was there before.
fn lost_by(change: &LedgerChange) -> Vec<Field> {
    match change {
        LedgerChange::ContactUpdated { set, was, .. }
        | LedgerChange::TransactionUpdated { set, was, .. }
        | LedgerChange::BookUpdated { set, was } => left_out(set, was),
        _ => Vec::new(),
    }
}

/// Where a step is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It takes back what the person did.
    Back,
    /// It does again what they took back.
    Again,
}

impl Way {
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Back => Self::Again,
            Self::Again => Self::Back,
        }
    }
}

/// What can be taken back in a window, and what can be done again.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    back: Vec<Step>,
    again: Vec<Step>,
}

impl Steps {
    /// The person did something new: what they had taken back before is past.
    pub fn did(&mut self, step: Option<Step>) {
        self.again.clear();
        self.put(Way::Back, step);
    }

    /// A step was gone one way: from there it goes the other.
    pub fn put(&mut self, way: Way, step: Option<Step>) {
        let steps = self.of(way);
        if steps.len() == STEPS_MAX && step.is_some() {
            steps.remove(0);
        }
        steps.extend(step);
    }

    /// The next step in this book.
    pub fn take(&mut self, way: Way, book: BookId) -> Option<Step> {
        self.of(way).pop_if(|step| step.book == book)
    }

    fn of(&mut self, way: Way) -> &mut Vec<Step> {
        match way {
            Way::Back => &mut self.back,
            Way::Again => &mut self.again,
        }
    }
}

#[cfg(test)]
mod tests {
    use tidebook_book::Seq;
    use tidebook_ledger::{FieldSet, FieldValue};
    use uuid::Uuid;

    use super::*;
    use crate::entry::tests::id;

    const BOOK: BookId = BookId(Uuid::from_u128(1));

    fn seen(seq: u64) -> Seen {
        Seen::default().at(Seq(seq))
    }

    fn step(number: u64) -> Step {
        Step { book: BOOK, base: seen(number), ops: vec![LedgerOp::DeleteContact { id: id(number) }] }
    }

    fn name(name: &str) -> FieldSet {
        FieldSet::default().with(Field::Name, FieldValue::Text(name.into()))
    }

    #[test]
    fn an_edit_is_taken_back_by_what_was_there() {
        let edit = |was| Change::Domain(LedgerChange::ContactUpdated { id: id(1), set: name("B"), was });
        let back = Step::back(BOOK, seen(3), &[edit(name("A"))]).expect("it can be");
        assert_eq!((back.base, back.ops), (seen(3), vec![LedgerOp::UpdateContact { id: id(1), set: name("A") }]));
        assert_eq!(Step::back(BOOK, seen(3), &[edit(FieldSet::default())]), None, "what was there was too long");
        assert_eq!(Step::back(BOOK, seen(3), &[]), None);
    }

    #[test]
    fn the_last_is_taken_back_first_and_done_again() {
        let mut steps = Steps::default();
        (1..=2).for_each(|number| steps.did(Some(step(number))));
        assert_eq!(steps.take(Way::Back, BOOK), Some(step(2)));
        steps.put(Way::Back.other(), Some(step(20)));
        assert_eq!(steps.take(Way::Again, BOOK), Some(step(20)));
        assert_eq!(steps.take(Way::Again, BOOK), None);
        steps.put(Way::Again, Some(step(20)));
        steps.did(None);
        assert_eq!(steps.take(Way::Again, BOOK), None, "something else was done since");
        assert_eq!(steps.take(Way::Back, BookId(Uuid::from_u128(2))), None, "in another book");
        assert_eq!(steps.take(Way::Back, BOOK), Some(step(1)));
    }

    #[test]
    fn steps_are_bounded() {
        let mut steps = Steps::default();
        (0..=STEPS_MAX as u64).for_each(|number| steps.did(Some(step(number))));
        let taken = std::iter::from_fn(|| steps.take(Way::Back, BOOK)).collect::<Vec<_>>();
        assert_eq!((taken.len(), taken.last()), (STEPS_MAX, Some(&step(1))));
    }
}
