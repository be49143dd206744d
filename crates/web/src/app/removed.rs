//! No longer in a book: nothing of it is left to see, and what was not sent yet is handed back.

use reactive_graph::owner::expect_context;

use crate::app::browser::copy;
use crate::app::drawn::{AllDrawn, Draw, Drawn, click, view};
use crate::app::parts::icon;
use crate::app::store::Store;

pub(crate) fn removed() -> Drawn {
    let store = expect_context::<Store>();
    let Some(lost) = store.lost.get_untracked() else { return ().drawn() };
    let leave = move || store.leave_lost_book();
    let unsent = lost.unsent.clone();
    let text = unsent.join("\n");
    let kept = match unsent.len() {
        0 => "Nothing of yours was on its way.".into(),
        1 => "One change of yours never came into it. It is kept here, on this device.".into(),
        count => format!("{count} changes of yours never came into it. They are kept here, on this device."),
    };
    let copy_all = move || {
        copy(&text);
        store.say("Copied");
    };
    let rows = unsent.iter().map(|words| {
        view! { <li><div class="row">{icon("wait")}<span class="row-main">{words.clone()}</span></div></li> }
    });
    let rows = rows.all_drawn();
    let buttons = if unsent.is_empty() {
        view! { <button id="go-on" class="btn btn-solid" type="button" on:click=click(leave)>"Go on"</button> }
    } else {
        view! {
            <button id="copy-unsent" class="btn btn-solid" type="button" on:click=click(copy_all)>"Copy as text"</button>
            <button id="discard-unsent" class="btn btn-line btn-danger" type="button" on:click=click(leave)>
                "Discard and go on"
            </button>
        }
    };
    view! {
        <main id="main" class="page narrow removed">
            <p class="brand">{icon("mark")}"Tidebook"</p>
            <h1 class="title" tabindex="-1" data-arrival>{format!("You are no longer in “{}”", lost.name)}</h1>
            <p class="lead">"An owner took you out of this book, or you left it. What is in it is not shown here any more."</p>
            <p>{kept}</p>
            <ul id="unsent" class="rows">{rows}</ul>
            <div class="btn-row">{buttons}</div>
        </main>
    }
}
