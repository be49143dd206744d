//! The field for a person: those in the book by a part of their name, or somebody new.

use reactive_graph::owner::expect_context;
use reactive_graph::traits::Track;
use tidebook_ledger::ContactId;
use web_sys::KeyboardEvent;

use crate::app::drawn::{AllDrawn, Draw, Drawn, Reactive, attr, flag, part, text, value, view};
use crate::app::format::fold;
use crate::app::parts::{avatar, field_error, icon};
use crate::app::store::Store;
use crate::app::watched::{Derived, Watched, effect, memo};
use crate::entry::Who;
use crate::name::matches;
use crate::order::{Order, arrange};

/// How many people the list offers: what a phone shows above its keyboard.
const OFFERED_MAX: usize = 5;

/// What the list offers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Offer {
    Known(ContactId, String),
    New(String),
}

/// The field and its list while they are on the screen.
#[derive(Clone, Copy)]
struct WhoField {
    store: Store,
    who: Watched<Who>,
    /// What is written in the field.
    name: Watched<String>,
    is_open: Watched<bool>,
    offers: Derived<Vec<Offer>>,
    /// The place in the list that the arrows have come to.
    chosen: Watched<usize>,
}

impl WhoField {
    fn new(store: Store, who: Watched<Who>) -> Self {
        let name = Watched::new(String::new());
        let is_open = Watched::new(false);
        let chosen = Watched::new(0_usize);
        // The form may learn of somebody by itself: who was preset, and who was just made.
        effect(move || {
            if let Who::Known(id) = who.get() {
                name.set(name_of(store, id).unwrap_or_default());
            }
        });
        let offers = memo(move || {
            store.contacts_changed.track();
            if is_open.get() { offers(store, &name.get()) } else { Vec::new() }
        });
        Self { store, who, name, is_open, offers, chosen }
    }

    fn typed(self, now: String) {
        self.who.set(exactly(self.store, &now).map_or_else(|| Who::New(now.clone()), Who::Known));
        self.name.set(now);
        self.chosen.set(0);
        self.is_open.set(true);
    }

    fn pressed(self, event: &KeyboardEvent) {
        let Self { is_open, chosen, offers, .. } = self;
        let count = offers.with(Vec::len);
        match event.key().as_str() {
            "ArrowDown" | "ArrowUp" if !is_open.get() => is_open.set(true),
            "ArrowDown" if count > 0 => chosen.update(|place| *place = (*place + 1) % count),
            "ArrowUp" if count > 0 => chosen.update(|place| *place = (*place + count - 1) % count),
            "Enter" if count > 0 => {
                let offer = offers.with(|offers| offers.get(chosen.get()).cloned());
                offer.into_iter().for_each(|offer| self.take(offer));
            }
            "Escape" if is_open.get() && count > 0 => is_open.set(false),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    }

    fn take(self, offer: Offer) {
        match offer {
            Offer::Known(id, known) => {
                self.name.set(known);
                self.who.set(Who::Known(id));
            }
            Offer::New(new) => self.who.set(Who::New(new)),
        }
        self.is_open.set(false);
    }
}

pub(crate) fn who_field(who: Watched<Who>, fault: Derived<Option<String>>) -> Drawn {
    let field = WhoField::new(expect_context::<Store>(), who);
    let WhoField { name, is_open, offers, chosen, .. } = field;
    let is_expanded = memo(move || offers.with(|offers| !offers.is_empty()));
    let active: Reactive<Option<String>> = Box::new(move || is_expanded.get().then(|| format!("who-{}", chosen.get())));
    view! {
        <div class="field who-field">
            <label class="label" for="who">"Who"</label>
            <input
                id="who"
                role="combobox"
                aria-expanded=text(move || is_expanded.get().to_string())
                aria-controls="who-list"
                aria-autocomplete="list"
                aria-activedescendant=active
                aria-describedby="who-error"
                aria-invalid=attr(move || fault.with(Option::is_some).then_some("true"))
                autocomplete="off"
                placeholder="A name, new or known"
                prop:value=text(move || name.get())
                on:input=value(move |now| field.typed(now))
                on:keydown=move |event| field.pressed(&event)
                on:focus=move |_| is_open.set(matches!(who.get_untracked(), Who::New(_)))
                on:blur=move |_| is_open.set(false)
            />
            <ul
                id="who-list"
                class="menu who-list"
                role="listbox"
                aria-label="People"
                hidden=flag(move || !is_expanded.get())
            >
                {part(move || {
                    let offers = offers.get().into_iter().enumerate();
                    offers.map(|(place, offer)| option(place, offer, field)).all_drawn()
                })}
            </ul>
            {field_error("who-error", move || fault.get())}
        </div>
    }
}

fn option(place: usize, offer: Offer, field: WhoField) -> Drawn {
    let picture = match &offer {
        Offer::Known(_, name) => avatar(name).drawn(),
        Offer::New(_) => icon("plus").drawn(),
    };
    let words = match &offer {
        Offer::Known(_, name) => name.clone(),
        Offer::New(name) => format!("Add “{name}” as new"),
    };
    view! {
        <li
            id=format!("who-{place}")
            class="option"
            role="option"
            aria-selected=text(move || (field.chosen.get() == place).to_string())
            // Before the field loses its focus, which would close the list.
            on:pointerdown=move |event| {
                event.prevent_default();
                field.take(offer.clone());
            }
        >
            {picture}
            <span class="row-name">{words}</span>
        </li>
    }
}

fn offers(store: Store, text: &str) -> Vec<Offer> {
    let (folded, name) = (fold(text), text.trim());
    let found = store.summaries(|summaries| {
        let found = summaries.values().filter(|summary| matches(&summary.folded, &folded)).collect();
        let found = arrange(found, Order::Recent, None);
        let names = found.iter().take(OFFERED_MAX).filter_map(|id| summaries.get(id));
        names.map(|summary| Offer::Known(summary.id, summary.name.clone())).collect::<Vec<_>>()
    });
    let is_new = !name.is_empty() && exactly(store, text).is_none();
    found.into_iter().chain(is_new.then(|| Offer::New(name.to_owned()))).collect()
}

/// The one person of this name; nobody where there are two.
fn exactly(store: Store, text: &str) -> Option<ContactId> {
    let folded = fold(text.trim());
    store.summaries(|summaries| {
        let mut same = summaries.values().filter(|summary| summary.folded == folded);
        same.next().filter(|_| same.next().is_none()).map(|summary| summary.id)
    })
}

fn name_of(store: Store, id: ContactId) -> Option<String> {
    store.summaries(|summaries| summaries.get(&id).map(|summary| summary.name.clone()))
}
