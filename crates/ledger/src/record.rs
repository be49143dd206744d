//! What the kinds of records have in common: fields by name, and who last changed each.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidebook_book::{Draft, ReplicaId, Seq, SortedMap, UnixMillis, UserId, read_by_name};

use crate::{ContactId, Field, FieldSet, FieldValue, TransactionId};

/// Names a record of a book, or the book itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case", try_from = "Named")]
pub enum RecordRef {
    Book,
    Contact(ContactId),
    Transaction(TransactionId),
}

/// A reference as it is read.
struct Named {
    kind: String,
    id: Option<ContactId>,
}

read_by_name!(Named { kind; id });

impl TryFrom<Named> for RecordRef {
    type Error = &'static str;

    fn try_from(Named { kind, id }: Named) -> Result<Self, &'static str> {
        match (kind.as_str(), id) {
            ("book", None) => Ok(Self::Book),
            ("contact", Some(id)) => Ok(Self::Contact(id)),
            ("transaction", Some(id)) => Ok(Self::Transaction(TransactionId(id.0))),
            _ => Err("names no record"),
        }
    }
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    Book,
    Contact,
    Transaction,
}

impl RecordRef {
    #[must_use]
    pub fn kind(self) -> RecordKind {
        match self {
            Self::Book => RecordKind::Book,
            Self::Contact(_) => RecordKind::Contact,
            Self::Transaction(_) => RecordKind::Transaction,
        }
    }
}

/// Where a record came from. Every field not changed since was last changed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Created {
    pub seq: Seq,
    /// Which change of that entry: with `seq`, the order of creation.
    pub index: usize,
    pub by: UserId,
    pub replica: ReplicaId,
    /// The server's clock; on a client's prediction, the client's.
    pub at: UnixMillis,
}

read_by_name!(Created { seq, index, by, replica, at });

impl Created {
    pub(crate) fn by_draft(draft: &Draft) -> Self {
        let author = draft.author;
        Self { seq: draft.seq, index: draft.index, by: author.user, replica: author.replica, at: draft.at }
    }
}

/// The last change of a field group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stamp {
    pub seq: Seq,
    pub by: UserId,
    pub replica: ReplicaId,
}

read_by_name!(Stamp { seq, by, replica });

impl Stamp {
    pub(crate) fn by_draft(draft: &Draft) -> Self {
        Self { seq: draft.seq, by: draft.author.user, replica: draft.author.replica }
    }

    /// Whether the author of a draft did not know of this change when they wrote.
    pub(crate) fn is_news_to(&self, draft: &Draft) -> bool {
        use tidebook_book::Knows;
        let own = self.replica == draft.author.replica && draft.knows != Knows::Nothing;
        // What an earlier op of the same mutation did is never news.
        self.seq > draft.base && self.seq != draft.seq && !own
    }

    /// Whether it stands in the way of what the author writes. A prediction lets nothing do so.
    pub(crate) fn forestalls(&self, draft: &Draft) -> bool {
        draft.knows != tidebook_book::Knows::Everything && self.is_news_to(draft)
    }
}

/// The last changes of a record's field groups that changed after its creation; [`Field::Deleted`] is one of them.
pub type Changed = SortedMap<Field, Stamp>;

/// A record as decisions see it.
pub(crate) trait Record {
    /// What a field holds; [`FieldValue::Nothing`] for one that records of this kind don't have.
    fn get(&self, field: Field) -> FieldValue;

    /// Whether a field holds this value.
    fn holds(&self, field: Field, value: &FieldValue) -> bool {
        self.get(field) == *value
    }

    /// Sets a field to a value that was checked.
    fn set(&mut self, field: Field, value: &FieldValue);

    /// What a field held at an earlier seq, as far back as that is known.
    fn get_at(&self, field: Field, _seq: Seq) -> FieldValue {
        self.get(field)
    }

    fn created(&self) -> &Created;

    fn changed(&self) -> &Changed;

    /// Notes that a group is about to be changed.
    fn note_change(&mut self, group: Field, stamp: Stamp);

    /// The last change of a group.
    fn stamp(&self, group: Field) -> Stamp {
        let Created { seq, by, replica, .. } = *self.created();
        self.changed().get(&group).copied().unwrap_or(Stamp { seq, by, replica })
    }

    fn is_deleted(&self) -> bool {
        self.get(Field::Deleted) == FieldValue::Flag(true)
    }
}

/// A record as it would be with these values.
pub(crate) fn with<R: Record + Clone>(record: &R, set: &FieldSet) -> R {
    let mut changed = record.clone();
    set.iter().for_each(|(field, value)| changed.set(field, value));
    changed
}

/// A text that [`crate::decide`] or the log vouches for; empty where it was none, which is a fault of ours.
pub(crate) fn text_of(value: &FieldValue) -> String {
    value.as_text().unwrap_or_default().to_owned()
}

/// What a text reads as, where there is one.
pub(crate) fn parsed<T: FromStr>(value: &FieldValue) -> Option<T> {
    value.as_text()?.parse().ok()
}

/// An optional text.
pub(crate) fn optional_text_of(value: &FieldValue) -> Option<String> {
    value.as_text().map(str::to_owned)
}
