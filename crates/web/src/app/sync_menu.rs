//! The sync chip, and what it opens: the state in words, and what a person can do about it.

use leptos::prelude::*;
use tidebook_ledger::{Direction, LedgerOp};
use tidebook_replica::SyncStatus;
use wasm_bindgen::prelude::*;

use crate::app::drawn::{attr, click, part, part_of, text, when};
use crate::app::format;
use crate::app::parts::{error_line, icon};
use crate::app::store::{RejectedChange, Store};
use crate::app::watched::{Watched, memo};
use crate::chip::{chip, sentence};

#[component]
pub(crate) fn SyncChip() -> impl IntoView {
    let store = expect_context::<Store>();
    let chip = memo(move || chip(store.status.get(), store.reached.get()));
    view! {
        <button
            id="sync"
            class="sync"
            type="button"
            popovertarget="sync-menu"
            data-state=attr(move || Some(chip.with(|chip| chip.state)))
        >
            {part_of(move || chip.with(|chip| chip.icon), icon)}
            <span role="status">{text(move || chip.with(|chip| chip.words.clone()))}</span>
        </button>
    }
}

/// Drawn only while it is open: nobody sees it change otherwise.
#[component]
pub(crate) fn SyncMenu() -> impl IntoView {
    let store = expect_context::<Store>();
    let is_open = Watched::new(false);
    let toggled = move |event: web_sys::Event| {
        let state = js_sys::Reflect::get(&event, &"newState".into()).ok().and_then(|state| state.as_string());
        is_open.set(state.as_deref() == Some("open"));
    };
    view! {
        <div
            id="sync-menu"
            class="menu menu-sync"
            popover="auto"
            on:toggle=move |event| toggled(event.unchecked_into())
        >
            {when(move || is_open.get(), move || view! { <Inside store/> })}
        </div>
    }
}

#[component]
fn Inside(store: Store) -> impl IntoView {
    let chip = memo(move || chip(store.status.get(), store.reached.get()));
    let last = text(move || {
        store.status.track();
        let at = store.last_synced().map(|at| format::moment(at, store.today.get()));
        at.map_or_else(|| "Not synced yet".into(), |at| format!("Last synced {at}"))
    });
    let rejected = part(move || {
        let rejected = store.rejected.get();
        rejected.into_iter().map(|change| view! { <Rejected store change/> }).collect_view()
    });
    view! {
        <h2 class="label">{text(move || chip.with(|chip| chip.words.clone()))}</h2>
        <p>{text(move || sentence(store.status.get()))}</p>
        {error_line(memo(move || store.held.get()))}
        <p class="small quiet">{last}</p>
        {when(move || matches!(store.status.get(), SyncStatus::Offline(_)), move || view! {
            <button id="retry" class="btn btn-line" type="button" on:click=click(move || store.connect_now())>
                {icon("retry")}
                "Try now"
            </button>
        })}
        <ul class="rejected">{rejected}</ul>
    }
}

#[component]
fn Rejected(store: Store, change: RejectedChange) -> impl IntoView {
    let mutation = change.mutation;
    view! {
        <li>
            <p>{change.ops.join("; ")}</p>
            <p class="error">{icon("alert")}<span>{change.reason}</span></p>
            <button class="btn btn-quiet" type="button" on:click=click(move || store.discard(mutation))>
                "Discard"
            </button>
        </li>
    }
}

/// What an op asked for, in a few words.
pub(crate) fn op_words(op: &LedgerOp) -> String {
    if let LedgerOp::CreateContact { name, .. } = op {
        return format!("New person: {name}");
    }
    if let LedgerOp::CreateTransaction { direction, amount, currency, note, .. } = op {
        let verb = match direction.valid() {
            Some(Direction::Got) => "I got",
            _ => "I gave",
        };
        let amount = currency.valid().map(|currency| format::money(i128::from(*amount), *currency).unsigned());
        let note = note.as_deref().map(|note| format!(", {note}")).unwrap_or_default();
        return format!("{verb} {}{note}", amount.unwrap_or_default());
    }
    "A change".into()
}
