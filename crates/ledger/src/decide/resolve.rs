//! A person's decision about a conflict.

use tidebook_book::Draft;

use super::check::rejected;
use super::delete::unseen_edit;
use super::outcome::{deleted, find, groups, moved, standing_by};
use super::update::check_sum;
use super::{Decision, Outcome};
use crate::field::Groups;
use crate::record::{Record, parsed};
use crate::{Conflict, ConflictId, ConflictKind, Field, LedgerState, OpenConflict, RecordRef};

pub(super) fn decide(state: &LedgerState, id: ConflictId, apply: bool, draft: &Draft) -> Decision {
    let open = state.conflict(id).ok_or_else(|| rejected("conflict_closed", "this conflict is not open any more"))?;
    let record = open.conflict.record;
    let standing = find(state, record)?;
    let mut outcome = Outcome::new(state, record, draft);
    outcome.spare(id);
    if !apply {
        outcome.resolve(id, false);
        return outcome.into_decision();
    }
    match open.conflict.kind {
        ConflictKind::EditDelete => apply_delete(state, open, standing, draft, outcome),
        ConflictKind::EditEdit | ConflictKind::DeleteEdit => apply_edit(state, open, standing, draft, outcome),
    }
}

fn apply_delete(
    state: &LedgerState,
    open: &OpenConflict,
    standing: &dyn Record,
    draft: &Draft,
    mut outcome: Outcome<'_>,
) -> Decision {
    let Conflict { id, record, .. } = open.conflict;
    if standing.is_deleted() {
        outcome.resolve(id, true);
    } else if let Some(edit) = unseen_edit(state, record, &outcome, draft) {
        outcome.raise_again(open, edit);
    } else {
        outcome.delete();
        outcome.resolve(id, true);
    }
    outcome.into_decision()
}

/// Applies what was offered, and brings back what has to stand for it.
fn apply_edit(
    state: &LedgerState,
    open: &OpenConflict,
    standing: &dyn Record,
    draft: &Draft,
    mut outcome: Outcome<'_>,
) -> Decision {
    let Conflict { id, record, ref offered, .. } = open.conflict;
    let set = moved(record, standing, &offered.set);
    let late: Groups = groups(record, &set).iter().filter(|group| standing.stamp(*group).forestalls(draft)).collect();
    if let Some(standing_now) = outcome.standing_of(late) {
        outcome.raise_again(open, standing_now);
        return outcome.into_decision();
    }
    let deletion = standing.stamp(Field::Deleted);
    if standing.is_deleted() && open.conflict.kind == ConflictKind::DeleteEdit && deletion.forestalls(draft) {
        outcome.raise_again(open, standing_by(deletion, deleted(true)));
        return outcome.into_decision();
    }
    check_sum(state, standing, &set)?;
    let target = set.get(Field::Contact).and_then(parsed).map(RecordRef::Contact);
    outcome.restore_all(target);
    outcome.write(set);
    outcome.resolve(id, true);
    outcome.into_decision()
}
