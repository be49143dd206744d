//! Stands at the end of a long list, and tells when it comes into view.

use wasm_bindgen::prelude::*;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry};

use crate::app::browser::element;
use crate::app::drawn::Drawn;
use crate::app::watched::{Derived, effect};

type Seen = Closure<dyn FnMut(js_sys::Array)>;

/// Watches one element; stops when dropped.
struct Watch {
    observer: IntersectionObserver,
    _seen: Seen,
}

impl Watch {
    fn start(element: &Element, mut seen: impl FnMut() + 'static) -> Option<Self> {
        let seen: Seen = Closure::new(move |entries: js_sys::Array| {
            let is_in_view = |entry: JsValue| entry.unchecked_into::<IntersectionObserverEntry>().is_intersecting();
            if entries.iter().any(is_in_view) {
                seen();
            }
        });
        let observer = IntersectionObserver::new(seen.as_ref().unchecked_ref()).ok()?;
        observer.observe(element);
        Some(Self { observer, _seen: seen })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// Calls `more` when the end of the list comes into view, and again for as long as it stays there. `drawn`: how many
/// rows there are; `is_all`: there are no more.
pub(crate) fn sentinel(drawn: Derived<usize>, is_all: Derived<bool>, more: impl Fn() + Copy + 'static) -> Drawn {
    let place = element("div", &[("class", "sentinel"), ("aria-hidden", "true")]);
    let watched = place.clone();
    let mut watch: Option<Watch> = None;
    effect(move || {
        // A new watch tells at once whether the end is still in view.
        drawn.track();
        drop(watch.take());
        if !is_all.get() {
            watch = Watch::start(&watched, more);
        }
    });
    Drawn::element(place)
}
