//! Needs attention: what somebody has to decide, and what has not come into the book yet.

use reactive_graph::owner::expect_context;

use crate::app::conflict_card::conflict_cards;
use crate::app::drawn::{AllDrawn, Drawn, click, part, text, view, when};
use crate::app::parts::icon;
use crate::app::store::Store;
use crate::app::sync_menu::undecided;
use crate::app::unsent::{RejectedChange, save_button};
use crate::app::watched::{Derived, memo};
use crate::chip::sentence;

pub(crate) fn attention() -> Drawn {
    let store = expect_context::<Store>();
    let waiting = memo(move || store.waiting_words());
    let rejected =
        part(move || store.rejected.get().into_iter().map(move |change| rejected_row(store, change)).all_drawn());
    view! {
        <div class="page narrow">
            <header class="page-head">
                <h1 class="title" tabindex="-1" data-arrival>"Needs attention"</h1>
                <p class="small quiet">{text(move || sentence(store.status.get(), undecided(store), store.waits()))}</p>
            </header>
            {when(move || undecided(store) > 0, || view! {
                <div class="section-head"><h2 class="label">"Two versions"</h2></div>
            })}
            {conflict_cards(store, memo(move || store.conflicts.get()))}
            {when(move || store.rejected.with(|rejected| !rejected.is_empty()), || view! {
                <div class="section-head"><h2 class="label">"Not accepted"</h2></div>
            })}
            {rejected}
            {when(move || waiting.with(|(named, _)| !named.is_empty()), move || queue(waiting))}
            {when(move || undecided(store) + store.rejected.with(Vec::len) == 0, || view! {
                <div class="empty">
                    <p class="title-2">"Nothing to decide"</p>
                    <p class="quiet">"Where two people write different things in the same place, both stand here."</p>
                </div>
            })}
        </div>
    }
}

/// What waits for the book, oldest first.
fn queue(waiting: Derived<(Vec<String>, usize)>) -> Drawn {
    let rows = part(move || {
        let (named, more) = waiting.get();
        let more = (more > 0).then(|| format!("and {more} more"));
        let rows = named.into_iter().chain(more).map(|words| {
            view! { <li><div class="row">{icon("wait")}<span class="row-main">{words}</span></div></li> }
        });
        rows.all_drawn()
    });
    view! {
        <div class="section-head"><h2 class="label">"Waiting"</h2></div>
        <ul id="queue" class="rows" aria-label="Waiting">{rows}</ul>
        <div class="btn-row"><SaveButton/></div>
    }
}

fn rejected_row(store: Store, change: RejectedChange) -> Drawn {
    let mutation = change.mutation;
    view! {
        <div class="banner" data-kind="failed">
            {icon("alert")}
            <div><strong>{change.ops.join("; ")}</strong><br/>{change.reason}</div>
            <button class="btn btn-quiet" type="button" on:click=click(move || store.discard(mutation))>"Discard"</button>
        </div>
    }
}
