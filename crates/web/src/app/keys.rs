//! Keys that work anywhere: N new, / search, J and K through the rows, E edit, Escape closes.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use crate::app::browser::{document, focus, forget, listen, query, remember, remembered};
use crate::app::frame::open_add;
use crate::app::router;
use crate::app::store::{Phase, Store};
use crate::route::Route;

/// Single keys get in the way of people who dictate; so they can be turned off.
const KEYS: &str = "tidebook-keys";

pub(crate) fn are_on() -> bool {
    remembered(KEYS).is_none()
}

pub(crate) fn turn(on: bool) {
    if on { forget(KEYS) } else { remember(KEYS, "off") }
}

pub(crate) fn start(store: Store) {
    listen(&document(), "keydown", move |event: KeyboardEvent| {
        if store.phase.get_untracked() != Phase::Open || event.default_prevented() || event.is_composing() {
            return;
        }
        if event.key() == "Escape" {
            return escape(store, &event);
        }
        let is_chord = event.ctrl_key() || event.meta_key() || event.alt_key();
        if !is_chord && are_on() && !is_writing(&event) && press(store, &event.key()) {
            event.prevent_default();
        }
    });
}

fn escape(store: Store, event: &KeyboardEvent) {
    // An open menu is nearer than the sheet, and closes by itself.
    if query(":popover-open:not(#toast)").is_some() {
        return;
    }
    if store.sheet.get_untracked().is_some() {
        store.sheet.set(None);
        event.prevent_default();
    } else if is_writing(event) {
        focus_away();
    }
}

fn press(store: Store, key: &str) -> bool {
    match key {
        "n" | "N" => open_add(store),
        "e" | "E" => return edit(store),
        "/" => search(store),
        "j" | "J" => step(1),
        "k" | "K" => step(-1),
        _ => return false,
    }
    true
}

/// What is open, where it is something that can be edited.
fn edit(store: Store) -> bool {
    let button = query("#edit-transaction, #edit-person").filter(|_| store.sheet.get_untracked().is_none());
    button.iter().for_each(|button| button.click());
    button.is_some()
}

fn search(store: Store) {
    if store.route.get_untracked() != Route::Transactions {
        router::go(store, Route::Contacts);
    }
    crate::app::driver::after_ms(0, || focus(query("#search")));
}

/// To the next row of the list, or the one before.
fn step(by: i32) {
    let Ok(rows) = document().query_selector_all("#people .row, #transactions .row-link") else { return };
    let rows: Vec<HtmlElement> = (0..rows.length()).filter_map(|place| rows.get(place)?.dyn_into().ok()).collect();
    let active = document().active_element();
    let here = rows.iter().position(|row| active.as_ref() == Some(row.as_ref()));
    let place = match (here, by) {
        (Some(here), 1) => here + 1,
        (Some(here), _) => here.saturating_sub(1),
        // The first in sight; those above it are drawn as well.
        (None, _) => rows.iter().position(|row| row.get_bounding_client_rect().top() >= 0.0).unwrap_or(0),
    };
    focus(rows.get(place).cloned());
}

fn is_writing(event: &KeyboardEvent) -> bool {
    let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
    target.is_some_and(|target| {
        target.matches("input:not([type=radio], [type=checkbox]), textarea, select").unwrap_or(false)
    })
}

fn focus_away() {
    if let Some(active) = document().active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails for no element that is there.
        let _ = active.blur();
    }
}
