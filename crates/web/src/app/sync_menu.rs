//! The sync chip, and what it opens: the state in words, and what a person can do about it.

use reactive_graph::owner::expect_context;
use tidebook_replica::SyncStatus;
use wasm_bindgen::prelude::*;

use crate::app::drawn::{Drawn, attr, click, part_of, text, view, when};
use crate::app::format;
use crate::app::parts::{error_line, icon};
use crate::app::store::Store;
use crate::app::unsent::save_button;
use crate::app::watched::{Watched, memo};
use crate::chip::{chip, sentence};

pub(crate) fn sync_chip() -> Drawn {
    let store = expect_context::<Store>();
    let chip = memo(move || chip(store.status.get(), store.reached.get(), undecided(store), store.waits()));
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
pub(crate) fn sync_menu() -> Drawn {
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
            {when(move || is_open.get(), move || inside(store))}
        </div>
    }
}

fn inside(store: Store) -> Drawn {
    let chip = memo(move || chip(store.status.get(), store.reached.get(), undecided(store), store.waits()));
    let last = text(move || {
        store.status.track();
        let at = store.last_synced().map(|at| format::moment(at, store.today.get()));
        at.map_or_else(|| "Not synced yet".into(), |at| format!("Last synced {at}"))
    });
    let is_asked = move || undecided(store) > 0 || store.rejected.with(|rejected| !rejected.is_empty());
    view! {
        <h2 class="label">{text(move || chip.with(|chip| chip.words.clone()))}</h2>
        <p>{text(move || sentence(store.status.get(), undecided(store), store.waits()))}</p>
        {error_line(memo(move || store.held.get()))}
        {(!store.is_alone()).then(|| view! { <p class="small quiet">{last}</p> })}
        {when(move || matches!(store.status.get(), SyncStatus::Offline(_)) && !store.is_alone(), move || view! {
            <button id="retry" class="btn btn-line" type="button" on:click=click(move || store.connect_now())>
                {icon("retry")}
                "Try now"
            </button>
        })}
        {when(move || store.waits_here(), save_button)}
        {when(is_asked, || view! {
            <a id="to-attention" class="btn btn-line" href="/attention">{icon("attention")}"See what to decide"</a>
        })}
    }
}

/// How many conflicts of the open book nobody has decided yet.
pub(crate) fn undecided(store: Store) -> usize {
    store.conflicts.with(Vec::len)
}
