//! The changes of one op as they come together.

use tidebook_book::{Draft, SortedMap};

use super::Decision;
use super::deletion::{contact_of, own_deletion};
use super::{Deletion, unknown};
use crate::conflict::conflict_id;
use crate::field::Groups;
use crate::record::Record;
use crate::text::{WAS_CHARS_MAX, has_at_most};
use crate::{
    Conflict, ConflictId, ConflictKind, Field, FieldSet, FieldValue, LedgerChange, LedgerState, Offered, OpenConflict,
    RecordRef, Stamp, Standing,
};

/// Changes to a record, and what the author's writing there closes.
pub(super) struct Outcome<'a> {
    state: &'a LedgerState,
    draft: &'a Draft,
    record: RecordRef,
    changes: Vec<LedgerChange>,
    closed: SortedMap<ConflictId, ()>,
}

impl<'a> Outcome<'a> {
    pub(super) fn new(state: &'a LedgerState, record: RecordRef, draft: &'a Draft) -> Self {
        Self { state, draft, record, changes: Vec::new(), closed: SortedMap::new() }
    }

    pub(super) fn into_decision(self) -> Decision {
        Ok(self.changes)
    }

    /// The record, which the op names and which is there.
    pub(super) fn standing(&self) -> &'a dyn Record {
        self.state.record(self.record).expect("the op's record was looked up before")
    }

    /// Brings a record back that an op needs to stand.
    pub(super) fn restore(&mut self, record: RecordRef) {
        self.changes.extend(LedgerChange::restored(record));
    }

    /// Brings the record back where it is deleted, and the contact it is with, or is moved to, likewise.
    pub(super) fn restore_all(&mut self, moved_to: Option<RecordRef>) {
        let contact = moved_to.or_else(|| contact_of(self.state, self.record));
        for record in contact.into_iter().chain([self.record]) {
            if own_deletion(self.state, record, self.draft) != Deletion::None {
                self.restore(record);
            }
        }
    }

    /// A write that applies. It closes what the same replica had set aside in the same groups.
    pub(super) fn write(&mut self, set: FieldSet) {
        if set.is_empty() {
            return;
        }
        let standing = self.standing();
        let is_short = |value: &FieldValue| value.as_text().is_none_or(|text| has_at_most(WAS_CHARS_MAX, text));
        let was = set.iter().map(|(field, _)| (field, standing.get(field))).filter(|(_, value)| is_short(value));
        let was = was.collect();
        let groups = groups(self.record, &set);
        self.changes.push(LedgerChange::updated(self.record, set, was));
        self.close_own(groups);
    }

    pub(super) fn delete(&mut self) {
        self.changes.extend(LedgerChange::deleted(self.record));
        self.close_own(Groups::default());
    }

    /// Sets an offer aside. It takes the place of what the same replica had set aside there.
    pub(super) fn set_aside(&mut self, kind: ConflictKind, group: &str, standing: Standing, set: FieldSet) {
        if kind != ConflictKind::EditDelete {
            self.close_own(groups(self.record, &set));
        } else {
            self.close_own(Groups::default());
        }
        let offered = Offered { set, by: self.draft.author.user, made_at: self.draft.made_at };
        let id = conflict_id(self.draft, group);
        self.changes.push(LedgerChange::ConflictRaised(Conflict { id, record: self.record, kind, standing, offered }));
    }

    /// The conflict stays, with what stands now.
    pub(super) fn raise_again(&mut self, open: &OpenConflict, standing: Standing) {
        self.changes.push(LedgerChange::ConflictRaised(Conflict { standing, ..open.conflict.clone() }));
    }

    pub(super) fn resolve(&mut self, id: ConflictId, applied: bool) {
        self.closed.insert(id, ());
        self.changes.push(LedgerChange::ConflictResolved { id, applied, record: self.record });
    }

    /// Marks a conflict as one that a write within this op does not close by the way.
    pub(super) fn spare(&mut self, id: ConflictId) {
        self.closed.insert(id, ());
    }

    /// What the same replica has set aside in these groups, or as a deletion of the record, and nobody has decided.
    fn close_own(&mut self, groups: Groups) {
        let replica = self.draft.author.replica;
        let superseded = self.state.conflicts_of(self.record).filter(|open| {
            let there = match open.conflict.kind {
                ConflictKind::EditEdit => open.group().is_some_and(|group| groups.contains(group)),
                ConflictKind::EditDelete => true,
                ConflictKind::DeleteEdit => false,
            };
            there && open.replica == replica && !self.closed.contains_key(&open.conflict.id)
        });
        let superseded: Vec<ConflictId> = superseded.map(|open| open.conflict.id).collect();
        superseded.into_iter().for_each(|id| self.resolve(id, false));
    }

    /// The values of these groups, and who made the latest of them stand.
    pub(super) fn standing_of(&self, news: Groups) -> Option<Standing> {
        let record = self.standing();
        let latest = news.iter().map(|group| record.stamp(group)).max_by_key(|stamp| stamp.seq)?;
        let set = fields_of(self.record, news).map(|field| (field, record.get(field))).collect();
        Some(standing_by(latest, set))
    }
}

pub(super) fn standing_by(stamp: Stamp, set: FieldSet) -> Standing {
    Standing { set, by: stamp.by, seq: stamp.seq }
}

/// `{"deleted": …}`, what stands or is offered where the other side is an edit.
pub(super) fn deleted(deleted: bool) -> FieldSet {
    FieldSet::default().with(Field::Deleted, FieldValue::Flag(deleted))
}

/// The groups a set speaks of.
pub(super) fn groups(record: RecordRef, set: &FieldSet) -> Groups {
    Groups::of(record.kind(), set.fields())
}

/// The fields of these groups.
pub(super) fn fields_of(record: RecordRef, groups: Groups) -> impl Iterator<Item = Field> {
    let kind = record.kind();
    let all = Field::of(kind).iter().chain(&[Field::Deleted]);
    all.copied().filter(move |field| groups.contains(field.group(kind)))
}

/// The groups of a set in which a value differs from what stands, as the part of the set about them. What records of the
/// kind do not have is left out.
pub(super) fn moved(record: RecordRef, standing: &dyn Record, set: &FieldSet) -> FieldSet {
    let kind = record.kind();
    let is_there = |field| Field::of(kind).contains(&field);
    let differing = set.iter().filter(|(field, value)| is_there(*field) && !standing.holds(*field, value));
    let groups = Groups::of(kind, differing.map(|(field, _)| field));
    set.only(|field| is_there(field) && groups.contains(field.group(kind)))
}

/// Looks a record up before anything is decided about it.
pub(super) fn find(state: &LedgerState, record: RecordRef) -> Result<&dyn Record, tidebook_book::Rejected> {
    state.record(record).ok_or_else(|| unknown(record))
}
