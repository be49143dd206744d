//! A line that comes and goes: what happened, never the only way to learn of it.

use reactive_graph::owner::expect_context;
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::app::browser::by_id;
use crate::app::drawn::{Drawn, click, text, view, when};
use crate::app::driver::Alarm;
use crate::app::parts::icon;
use crate::app::router::keep_focus;
use crate::app::store::Store;
use crate::app::watched::effect;

/// How long it stays: the look's line at its foot takes as long to ebb away.
const STAYS_MS: u64 = 8_000;

pub(crate) fn toast() -> Drawn {
    let store = expect_context::<Store>();
    let mut alarm = Alarm::default();
    effect(move || {
        let is_shown = store.toast.with(Option::is_some);
        by_id("toast").iter().for_each(|toast| show(toast, is_shown));
        match is_shown {
            true => alarm.set(STAYS_MS, move || store.toast.set(None)),
            false => alarm.clear(),
        }
    });
    let undo = move || {
        let op = store.toast.get_untracked().and_then(|toast| toast.undo);
        store.toast.set(None);
        op.into_iter().for_each(|op| store.act(store.seen(), op));
        keep_focus();
    };
    view! {
        <div id="toast" class="toast" popover="manual" role="status">
            <span>{text(move || store.toast.get().map(|toast| toast.words).unwrap_or_default())}</span>
            {when(move || store.toast.with(|toast| toast.as_ref().is_some_and(|toast| toast.undo.is_some())), move || view! {
                <button id="undo" class="btn btn-quiet" type="button" on:click=click(undo)>"Undo"</button>
            })}
            <button
                class="btn btn-quiet"
                type="button"
                aria-label="Dismiss"
                on:click=click(move || store.toast.set(None))
            >
                {icon("close")}
            </button>
        </div>
    }
}

/// `showPopover` and `hidePopover`, which throw where nothing would change.
fn show(element: &HtmlElement, is_shown: bool) {
    let method = if is_shown { "showPopover" } else { "hidePopover" };
    let function =
        js_sys::Reflect::get(element, &method.into()).ok().and_then(|it| it.dyn_into::<js_sys::Function>().ok());
    if let Some(function) = function {
        let _ = function.call0(element);
    }
}
