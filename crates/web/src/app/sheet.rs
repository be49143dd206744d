//! The sheet that things are written on: over the page on a phone, a pane beside it where there is room.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlDialogElement, HtmlElement};

use crate::app::browser::{document, focus, is_wide, listen, query, window};
use crate::app::entry_form::EntryForm;
use crate::app::erased::{click, effect, part};
use crate::app::parts::icon;
use crate::app::small_forms::{BookForm, PersonForm};
use crate::app::store::{Sheet, Store};

/// The field a sheet starts at.
const FIRST_FIELD: &str = "#sheet [data-first]";

#[component]
pub(crate) fn SheetHost() -> impl IntoView {
    let store = expect_context::<Store>();
    let place = NodeRef::<html::Dialog>::new();
    let came_from = StoredValue::new_local(None::<HtmlElement>);
    let was_open = StoredValue::new(false);
    effect(move || {
        let is_open = store.sheet.with(Option::is_some);
        let Some(dialog) = place.get() else { return };
        if is_open && !was_open.get_value() {
            came_from.set_value(document().active_element().and_then(|element| element.dyn_into().ok()));
        }
        if is_open {
            open(&dialog);
        } else if was_open.get_value() {
            dialog.close();
            focus(came_from.get_value().filter(|element| element.is_connected()));
        }
        was_open.set_value(is_open);
    });
    follow_width(place);
    let close = move || store.sheet.set(None);
    view! {
        <dialog
            node_ref=place
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
                        Sheet::Transaction { contact, got } => view! { <EntryForm contact got/> }.into_any(),
                        Sheet::Person => view! { <PersonForm/> }.into_any(),
                        Sheet::Book => view! { <BookForm/> }.into_any(),
                    }}
                }
            }))}
        </dialog>
    }
}

fn title(sheet: Sheet) -> &'static str {
    match sheet {
        Sheet::Transaction { .. } => "New transaction",
        Sheet::Person => "New person",
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

/// A pane becomes a sheet, and a sheet a pane, when the window is made narrower or wider meanwhile.
fn follow_width(place: NodeRef<html::Dialog>) {
    let was_wide = StoredValue::new(is_wide());
    listen(&window(), "resize", move |_: web_sys::Event| {
        let is_now_wide = is_wide();
        let is_changed = was_wide.try_get_value().is_some_and(|was_wide| was_wide != is_now_wide);
        if !is_changed {
            return;
        }
        was_wide.set_value(is_now_wide);
        if let Some(dialog) = place.try_get_untracked().flatten().filter(HtmlDialogElement::open) {
            dialog.close();
            open(&dialog);
        }
    });
}
