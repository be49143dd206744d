//! Screens by address, over the browser's own history.

use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, HtmlAnchorElement, MouseEvent, PopStateEvent};

use crate::app::browser::{document, focus, listen, query, window};
use crate::app::driver::after_ms;
use crate::app::store::Store;
use crate::route::Route;

/// Where a screen's focus goes when one comes to it.
pub(crate) const ARRIVAL: &str = "[data-arrival]";

/// Follows addresses from now on, and links clicked.
pub(crate) fn start(store: Store) {
    store.route.set(current());
    listen(&window(), "popstate", move |event: PopStateEvent| {
        store.route.set(current());
        let scroll = event.state().as_f64().unwrap_or(0.0);
        // The screen is drawn first; it has to be as long as it was.
        after_ms(0, move || window().scroll_to_with_x_and_y(0.0, scroll));
    });
    listen(&document(), "click", move |event: MouseEvent| {
        if let Some(route) = route_of_click(&event) {
            event.prevent_default();
            go(store, route);
        }
    });
}

/// Goes to a screen, as a link to it would.
pub(crate) fn go(store: Store, route: Route) {
    if store.route.get_untracked() == route {
        return;
    }
    if let Ok(history) = window().history() {
        // Where this page was scrolled to is kept with it. Both fail only for pages made by the hundred a second.
        let _ = history.replace_state(&window().scroll_y().unwrap_or(0.0).into(), "");
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&route.path()));
    }
    store.route.set(route);
    after_ms(0, || {
        window().scroll_to_with_x_and_y(0.0, 0.0);
        focus(query(ARRIVAL));
    });
}

/// Where what had the focus went, it goes to the head of the screen, not to nowhere.
pub(crate) fn keep_focus() {
    after_ms(0, || {
        let is_lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
        focus(query(ARRIVAL).filter(|_| is_lost));
    });
}

/// Reads the token of an invite from the address, once: it stays neither there nor in the history.
pub(crate) fn take_invite() -> Option<String> {
    let location = window().location();
    location.pathname().ok().filter(|path| path == "/join")?;
    let token = location.hash().ok()?.trim_start_matches('#').to_owned();
    // Fails only for pages made by the hundred a second.
    let _ = window().history().ok()?.replace_state_with_url(&JsValue::NULL, "", Some("/"));
    Some(token).filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn current() -> Route {
    Route::parse(&window().location().pathname().unwrap_or_default())
}

/// The screen a plain click on a link of ours leads to.
fn route_of_click(event: &MouseEvent) -> Option<Route> {
    let is_plain =
        event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
    if !is_plain || AsRef::<Event>::as_ref(event).default_prevented() {
        return None;
    }
    let target: Element = event.target()?.dyn_into().ok()?;
    let link: HtmlAnchorElement = target.closest("a[href^='/']").ok()??.dyn_into().ok()?;
    if !link.target().is_empty() || link.origin() != window().location().origin().ok()? {
        return None;
    }
    Some(Route::parse(&link.pathname()))
}
