//! The sheet that things are written on: over the page on a phone, a pane beside it where there is room.

use reactive_graph::owner::expect_context;
use tidebook_ledger::RecordRef;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlDialogElement, HtmlElement};

use crate::app::browser::{by_id, document, focus, is_wide, listen, query, window};
use crate::app::drawn::{Draw, Drawn, click, part, view};
use crate::app::entry_form::entry_form;
use crate::app::keys::key_list;
use crate::app::parts::icon;
use crate::app::person_form::person_form;
use crate::app::router::keep_focus;
use crate::app::small_forms::book_form;
use crate::app::store::{Sheet, Store};
use crate::app::watched::effect;

/// The field a sheet starts at.
const FIRST_FIELD: &str = "#sheet [data-first]";

pub(crate) fn sheet_host() -> Drawn {
    let store = expect_context::<Store>();
    let (mut was_open, mut came_from) = (false, None::<HtmlElement>);
    effect(move || {
        let is_open = store.sheet.with(Option::is_some);
        let Some(dialog) = dialog() else { return };
        if is_open && !was_open {
            came_from = document().active_element().and_then(|element| element.dyn_into().ok());
        }
        if is_open {
            open(&dialog);
        } else if was_open {
            dialog.close();
            focus(came_from.take().filter(|element| element.is_connected()));
            keep_focus();
        }
        was_open = is_open;
    });
    let close = move || store.sheet.set(None);
    view! {
        <dialog
            id="sheet"
            class="sheet"
            aria-labelledby="sheet-title"
            // Escape: the store says what is open, so the dialog must not close by itself.
            on:cancel=move |event: web_sys::Event| {
                event.prevent_default();
                close();
            }
        >
            {part(move || store.sheet.get().map(|sheet| {
                view! {
                    <header class="sheet-head">
                        <h2 class="title-2" id="sheet-title">{title(sheet)}</h2>
                        <button class="icon-btn" type="button" aria-label="Close" on:click=click(close)>
                            {icon("close")}
                        </button>
                    </header>
                    {match sheet {
                        Sheet::Transaction { contact, got } => entry_form(contact, got, None, None).drawn(),
                        Sheet::EditTransaction(id) => entry_form(None, false, Some(id), None).drawn(),
                        Sheet::Person => person_form(None, None).drawn(),
                        Sheet::Keys => key_list().drawn(),
                        Sheet::EditPerson(id) => person_form(Some(id), None).drawn(),
                        Sheet::Decide(conflict, RecordRef::Transaction(id)) => {
                            entry_form(None, false, Some(id), Some(conflict)).drawn()
                        }
                        Sheet::Decide(conflict, RecordRef::Contact(id)) => {
                            person_form(Some(id), Some(conflict)).drawn()
                        }
                        // There is no form for what a book is called.
                        Sheet::Decide(_, RecordRef::Book) => ().drawn(),
                        Sheet::Book => book_form().drawn(),
                    }}
                }
            }))}
        </dialog>
    }
}

fn title(sheet: Sheet) -> &'static str {
    match sheet {
        Sheet::Transaction { .. } => "New transaction",
        Sheet::EditTransaction(_) | Sheet::Decide(_, RecordRef::Transaction(_)) => "Edit transaction",
        Sheet::Person => "New person",
        Sheet::Keys => "Keys",
        Sheet::EditPerson(_) | Sheet::Decide(..) => "Edit person",
        Sheet::Book => "New book",
    }
}

fn open(dialog: &HtmlDialogElement) {
    if !dialog.open() {
        if is_wide() {
            dialog.show();
        } else {
            // Fails only where it is open already.
            let _ = dialog.show_modal();
        }
    }
    focus(query(FIRST_FIELD));
}

fn dialog() -> Option<HtmlDialogElement> {
    by_id("sheet")?.dyn_into().ok()
}

/// A pane becomes a sheet, and a sheet a pane, when the window is made narrower or wider meanwhile.
pub(crate) fn follow_width() {
    let mut was_wide = is_wide();
    listen(&window(), "resize", move |_: web_sys::Event| {
        if was_wide == is_wide() {
            return;
        }
        was_wide = is_wide();
        if let Some(dialog) = dialog().filter(HtmlDialogElement::open) {
            dialog.close();
            open(&dialog);
        }
    });
}
