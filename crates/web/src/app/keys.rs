//! Keys that work anywhere, but not where somebody writes.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use crate::app::browser::{document, focus, forget, listen, query, remember, remembered};
use crate::app::drawn::{AllDrawn, Drawn, view};
use crate::app::frame::open_add;
use crate::app::router;
use crate::app::store::{Phase, Sheet, Store};
use crate::route::Route;
use crate::undo::Way;

/// Single keys get in the way of people who dictate; so they can be turned off.
const KEYS: &str = "tidebook-keys";

/// For the help, and the keys of each apart by spaces.
const KEY_WORDS: [(&str, &str); 9] = [
    ("N", "New transaction"),
    ("E", "Edit"),
    ("/", "Search"),
    ("J", "Next row"),
    ("K", "Row before"),
    ("Ctrl/⌘ Z", "Take back the last change"),
    ("Ctrl/⌘ ⇧ Z", "Do it again"),
    ("Esc", "Close, or leave a field"),
    ("?", "These keys"),
];

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
        if is_writing(&event) || event.alt_key() {
            return;
        }
        let is_chord = event.ctrl_key() || event.meta_key();
        let is_ours = if is_chord { press_chord(store, &event) } else { are_on() && press(store, &event.key()) };
        if is_ours {
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

/// A field takes back its own typing; elsewhere it is the last change. Whether it was one of ours.
fn press_chord(store: Store, event: &KeyboardEvent) -> bool {
    match (event.key().as_str(), event.shift_key()) {
        ("z", false) => store.go(Way::Back),
        ("z" | "Z", true) | ("y", false) => store.go(Way::Again),
        _ => false,
    }
}

/// Opens the form of what has the focus, or else of whose page it is.
fn edit(store: Store) -> bool {
    let near = |named: &str| {
        let element = document().active_element()?.closest(&format!("[{named}]")).ok()??;
        element.get_attribute(named)
    };
    let transaction = near("data-transaction").and_then(|id| id.parse().ok()).map(Sheet::EditTransaction);
    let contact = || near("data-contact").and_then(|id| id.parse().ok()).map(Sheet::EditPerson);
    let sheet = transaction.or_else(contact).or_else(|| match store.route.get_untracked() {
        Route::Contact(id) => Some(Sheet::EditPerson(id)),
        Route::Transaction(id) => Some(Sheet::EditTransaction(id)),
        _ => None,
    });
    let is_some = sheet.is_some() && store.role.get_untracked().is_none_or(tidebook_book::Role::may_write);
    if is_some {
        store.sheet.set(sheet);
    }
    is_some
}

/// Which keys there are.
pub(crate) fn key_list() -> Drawn {
    let rows = KEY_WORDS.into_iter().map(|(keys, words)| {
        let keys = keys.split(' ').map(|key| view! { <kbd>{key}</kbd> }).all_drawn();
        view! { <dt>{words}</dt><dd>{keys}</dd> }
    });
    view! {
        <div class="sheet-words">
            <dl id="key-list" class="facts">{rows.all_drawn()}</dl>
            <p class="help">"Single keys can be turned off in Settings."</p>
        </div>
    }
}

fn press(store: Store, key: &str) -> bool {
    match key {
        "n" | "N" => open_add(store),
        "e" | "E" => return edit(store),
        "/" => search(store),
        "j" | "J" => step(1),
        "k" | "K" => step(-1),
        "?" => store.sheet.set(Some(Sheet::Keys)),
        _ => return false,
    }
    true
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
