//! Whether a record stands, as the author of a draft sees it.

use tidebook_book::{Draft, Rejected};

use super::rejected;
use crate::{Field, LedgerState, RecordRef, Stamp};

/// Whether a record was deleted: itself, or the contact of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deletion {
    /// It stands.
    None,
    /// The author did not know.
    News(Stamp),
    /// And names it anyway.
    Known,
}

pub(super) fn deletion_of(state: &LedgerState, record: RecordRef, draft: &Draft) -> Deletion {
    match contact_of(state, record).map(|contact| own_deletion(state, contact, draft)) {
        None | Some(Deletion::None) => own_deletion(state, record, draft),
        Some(Deletion::Known) => Deletion::Known,
        Some(news) => match own_deletion(state, record, draft) {
            Deletion::Known => Deletion::Known,
            _ => news,
        },
    }
}

/// The same without regard to a transaction's contact.
pub(super) fn own_deletion(state: &LedgerState, record: RecordRef, draft: &Draft) -> Deletion {
    match state.record(record) {
        Some(found) if found.is_deleted() => {
            let stamp = found.stamp(Field::Deleted);
            if stamp.is_news_to(draft) { Deletion::News(stamp) } else { Deletion::Known }
        }
        _ => Deletion::None,
    }
}

/// The contact of a transaction.
pub(super) fn contact_of(state: &LedgerState, record: RecordRef) -> Option<RecordRef> {
    match record {
        RecordRef::Transaction(id) => state.transaction(id).map(|found| RecordRef::Contact(found.contact)),
        RecordRef::Book | RecordRef::Contact(_) => None,
    }
}

pub(super) fn unknown(record: RecordRef) -> Rejected {
    match record {
        RecordRef::Book => rejected("malformed", "there is no book yet"),
        RecordRef::Contact(_) => rejected("unknown_contact", "there is no contact of this id"),
        RecordRef::Transaction(_) => rejected("unknown_transaction", "there is no transaction of this id"),
    }
}
