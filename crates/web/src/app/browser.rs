//! The few things of the browser that everything needs.

use js_sys::JsString;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, Storage, Window};

pub(crate) fn window() -> Window {
    web_sys::window().expect("this runs in a page")
}

pub(crate) fn document() -> Document {
    window().document().expect("this runs in a page")
}

pub(crate) fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

pub(crate) fn query(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Makes an element that views take in as it is.
pub(crate) fn element(tag: &str, attributes: &[(&str, &str)]) -> Element {
    let element = document().create_element(tag).expect("the name of an element");
    for (name, value) in attributes {
        // Fails only for names that attributes cannot have.
        let _ = element.set_attribute(name, value);
    }
    element
}

/// What stands in the field that an event is about. Other fields than inputs keep it under the same name.
pub(crate) fn event_target_value(event: &Event) -> String {
    event_target(event).value()
}

pub(crate) fn event_target_checked(event: &Event) -> bool {
    event_target(event).checked()
}

fn event_target(event: &Event) -> HtmlInputElement {
    event.target().expect("what happens, happens to something").unchecked_into()
}

/// Puts a text on the clipboard, where the browser has one for this page: not without TLS.
pub(crate) fn copy(text: &str) {
    let clipboard = js_sys::Reflect::get(&window().navigator(), &"clipboard".into()).unwrap_or_default();
    let write = js_sys::Reflect::get(&clipboard, &"writeText".into()).ok().and_then(|it| it.dyn_into().ok());
    if let Some(write) = write {
        let write: js_sys::Function = write;
        // The browser may forbid it; then nothing is on the clipboard, and the text stands there still.
        let _ = write.call1(&clipboard, &text.into());
    }
}

pub(crate) fn focus(element: Option<HtmlElement>) {
    if let Some(element) = element {
        // Fails for no element that is there.
        let _ = element.focus();
    }
}

/// Whether the window is as wide as the layout that shows a list and its detail side by side (56.25em).
pub(crate) fn is_wide() -> bool {
    window().match_media("(min-width: 56.25em)").ok().flatten().is_some_and(|query| query.matches())
}

/// Listens for as long as the page lives.
pub(crate) fn listen<E: wasm_bindgen::convert::FromWasmAbi + 'static>(
    target: &web_sys::EventTarget,
    event: &str,
    handle: impl FnMut(E) + 'static,
) {
    let handle = Closure::<dyn FnMut(E)>::new(handle);
    // Fails only with wrong arguments.
    let _ = target.add_event_listener_with_callback(event, handle.as_ref().unchecked_ref());
    handle.forget();
}

pub(crate) fn set_class(element: &Element, class: &str, on: bool) {
    let classes = element.class_list();
    // Fails only for names that classes cannot have.
    let _ = if on { classes.add_1(class) } else { classes.remove_1(class) };
}

/// What the browser remembers for this page; nothing where the person forbids it.
fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

pub(crate) fn remembered(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

pub(crate) fn remember(key: &str, value: &str) {
    if let Some(storage) = storage() {
        // A full or forbidden storage loses a preference, no more.
        let _ = storage.set_item(key, value);
    }
}

pub(crate) fn forget(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

/// How much of a long text comes over from the browser at a time, in UTF-16 units. For a text that is not all ASCII three
/// bytes a unit are set aside on the way, and what the module once had of memory it never gives back.
const PIECE_LENGTH: u32 = 1 << 20;

/// A text of the browser's, piece by piece.
pub(crate) fn text_of(value: &JsValue) -> Option<String> {
    let text = value.dyn_ref::<JsString>()?;
    let length = text.length();
    let mut whole = String::with_capacity(length as usize + length as usize / 8);
    let mut start = 0;
    while start < length {
        let mut end = length.min(start + PIECE_LENGTH);
        // A character of two units stays in one piece.
        if end < length && matches!(text.char_code_at(end - 1) as u32, 0xd800..=0xdbff) {
            end -= 1;
        }
        whole.push_str(&String::from(text.substring(start, end)));
        start = end;
    }
    Some(whole)
}
