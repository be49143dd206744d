//! What was deleted, at the end of a list, and the way back for each.

use reactive_graph::traits::Track;
use tidebook_ledger::{Changed, ContactId, Field, LedgerOp, LedgerState};
use uuid::Uuid;

use crate::app::browser::element;
use crate::app::drawn::{Draw, Drawn, click, flag, text, view, when};
use crate::app::format;
use crate::app::keyed::KeyedRows;
use crate::app::parts::icon;
use crate::app::store::Store;
use crate::app::watched::{Derived, Watched, effect, memo};

/// How many are listed, the last deleted first. Older ones come back by undo.
const LISTED_MAX: usize = 100;

/// Something deleted.
#[derive(Debug, Clone, PartialEq)]
struct Deleted {
    id: Uuid,
    words: String,
    changed: Changed,
    restore: LedgerOp,
}

pub(crate) fn deleted_contacts(store: Store) -> Drawn {
    deleted_list(
        store,
        move || store.contacts_changed.track(),
        |state| {
            let deleted = state.contacts().filter(|contact| contact.deleted);
            let listed = deleted.map(|contact| Deleted {
                id: contact.id.0,
                words: contact.name.clone(),
                changed: contact.changed.clone(),
                restore: LedgerOp::RestoreContact { id: contact.id },
            });
            listed.collect()
        },
    )
}

pub(crate) fn deleted_transactions(store: Store, contact: ContactId) -> Drawn {
    deleted_list(
        store,
        move || store.track_contact(contact),
        move |state| {
            let listed = state.deleted_transactions_of(contact).map(|transaction| {
                let sum = format::money(transaction.signed_amount(), transaction.currency).signed();
                let note = transaction.note.as_deref().map(|note| format!(", {note}")).unwrap_or_default();
                Deleted {
                    id: transaction.id.0,
                    words: format!("{sum}{note}"),
                    changed: transaction.changed.clone(),
                    restore: LedgerOp::RestoreTransaction { id: transaction.id },
                }
            });
            listed.collect()
        },
    )
}

type Find = Box<dyn Fn(&LedgerState) -> Vec<Deleted> + Send + Sync>;

/// `track` is called whether or not there is a book to look at yet.
fn deleted_list(
    store: Store,
    track: impl Fn() + Send + Sync + 'static,
    find: impl Fn(&LedgerState) -> Vec<Deleted> + Send + Sync + 'static,
) -> Drawn {
    let find: Find = Box::new(find);
    let found: Derived<Vec<Deleted>> = memo(move || {
        track();
        let mut listed: Vec<Deleted> = Vec::new();
        let deleted_at = |deleted: &Deleted| deleted.changed.get(&Field::Deleted).map(|stamp| stamp.seq);
        for deleted in store.view(&find).unwrap_or_default() {
            // The latest first, and of the rest only as many as are listed.
            let place = listed.partition_point(|known| deleted_at(known) >= deleted_at(&deleted));
            listed.insert(place, deleted);
            listed.truncate(LISTED_MAX);
        }
        listed
    });
    let list = element("ul", &[("class", "rows")]);
    let mut rows = KeyedRows::new(list.clone(), "li");
    let draw = move |_, deleted| deleted_row(store, deleted).drawn();
    effect(move || rows.show(found.with(|found| found.iter().map(|it| (it.id, it.clone())).collect()), &draw));
    view! {
        <details class="more deleted" hidden=flag(move || found.with(Vec::is_empty))>
            <summary>{icon("down")}{text(move || format!("Deleted ({})", found.with(Vec::len)))}</summary>
            {Drawn::element(list)}
        </details>
    }
}

fn deleted_row(store: Store, deleted: Watched<Deleted>) -> Drawn {
    let by = move || {
        let by = deleted.with(|deleted| deleted.changed.get(&Field::Deleted).map(|stamp| stamp.by));
        by.map(|by| format!("Deleted by {}", store.who(by, "you"))).unwrap_or_default()
    };
    let restore = move || {
        store.act(store.seen(), deleted.with_untracked(|deleted| deleted.restore.clone()));
        crate::app::router::keep_focus();
    };
    view! {
        <div class="row">
            {icon("trash")}
            <span class="row-main">
                <span class="row-name">{text(move || deleted.with(|deleted| deleted.words.clone()))}</span>
                <span class="row-sub"><span>{text(by)}</span></span>
            </span>
            {when(move || store.may_write(), move || view! {
                <button class="btn btn-line restore" type="button" on:click=click(restore)>"Restore"</button>
            })}
        </div>
    }
}
