//! Who else is in the book, and what they have open; and telling them where the person is.

use reactive_graph::owner::expect_context;
use serde_json::value::{RawValue, to_raw_value};
use tidebook_ledger::{Ledger, RecordRef};
use tidebook_replica::BookCopy;

use crate::app::drawn::{AllDrawn, Drawn, Reactive, part_of, view};
use crate::app::parts::{icon, small_avatar};
use crate::app::store::{Sheet, Store};
use crate::app::watched::effect;
use crate::presence::{Device, editing_words, here_words};
use crate::route::Route;

/// The look has room for three faces; how many more there are is a number.
const AVATARS_MAX: usize = 3;

/// The faces of who is there, in the bar. Nothing stands there while nobody is, or nobody knows.
pub(crate) fn people() -> Reactive<Drawn> {
    let store = expect_context::<Store>();
    let names = move || store.here.with(|here| here.iter().map(|other| store.who(other.user, "")).collect());
    part_of(names, |names: Vec<String>| {
        (!names.is_empty()).then(|| {
            let more = names.len().saturating_sub(AVATARS_MAX);
            let more = (more > 0).then(|| {
                view! { <span class="avatar avatar-s more" aria-hidden="true">{format!("+{more}")}</span> }
            });
            view! {
                <span class="people" role="img" aria-label=here_words(&names, AVATARS_MAX)>
                    {names.iter().take(AVATARS_MAX).map(|name| small_avatar(name)).all_drawn()}
                    {more}
                </span>
            }
        })
    })
}

/// The mark of a row whose record somebody has open.
pub(crate) fn editing_mark(store: Store, record: RecordRef) -> Reactive<Drawn> {
    part_of(
        move || editors(store, record),
        |words| words.map(|words| view! { <span class="mark mark-editing">{icon("edit")}{words}</span> }),
    )
}

/// Who has a record open, in words.
fn editors(store: Store, record: RecordRef) -> Option<String> {
    store.here.with(|here| {
        let mut editors = here.iter().filter(|other| other.editing.contains(&record));
        let first = store.who(editors.next()?.user, "");
        Some(editing_words(&first, editors.count()))
    })
}

/// From now on others see which page the person is on, and which record they have open.
pub(crate) fn tell_others(store: Store) {
    effect(move || {
        let viewing = match store.route.get() {
            Route::Contact(id) => RecordRef::Contact(id),
            Route::Transaction(id) => RecordRef::Transaction(id),
            _ => RecordRef::Book,
        };
        let editing = match store.sheet.get() {
            Some(Sheet::EditTransaction(id)) => Some(RecordRef::Transaction(id)),
            Some(Sheet::EditPerson(id)) => Some(RecordRef::Contact(id)),
            Some(Sheet::Decide(_, record)) => Some(record),
            _ => None,
        };
        if let Some((book, driver)) = store.book.get().zip(store.driver()) {
            driver.step(|replica, _| replica.show(book, reference(viewing), editing.and_then(reference)));
        }
    });
}

fn reference(record: RecordRef) -> Option<Box<RawValue>> {
    to_raw_value(&record).ok()
}

/// The devices that say they are somewhere in the book.
pub(super) fn devices(copy: &BookCopy<Ledger>) -> Vec<Device> {
    let device = copy.peers().iter().map(|peer| Device {
        user: peer.user,
        since: peer.since_at,
        // What a newer app edits this one may not know.
        editing: peer.editing.as_ref().and_then(|record| serde_json::from_str(record.get()).ok()),
    });
    device.collect()
}
