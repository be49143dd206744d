//! The home screen: what all owe together, and everybody in the book.

use std::sync::Arc;

use reactive_graph::owner::expect_context;
use reactive_graph::traits::Track;
use tidebook_ledger::ContactId;
use uuid::Uuid;

use crate::app::browser::{element, remember, remembered};
use crate::app::contact_row::{RowData, contact_row};
use crate::app::deleted::deleted_contacts;
use crate::app::drawn::{Draw, Drawn, click, part, text, value, view, when};
use crate::app::driver::Fault;
use crate::app::format::fold;
use crate::app::long_list::long_list;
use crate::app::parts::{hero, icon, in_order};
use crate::app::store::{Sheet, Store};
use crate::app::watched::{Derived, Watched, memo};
use crate::name::matches;
use crate::order::{Order, arrange, as_before};
use crate::route::Route;
use crate::window::Listing;

const ORDER: &str = "tidebook-order";

pub(crate) fn contact_list() -> Drawn {
    let store = expect_context::<Store>();
    let query = Watched::new(String::new());
    let order = Watched::new(remembered(ORDER).and_then(|word| Order::parse(&word)).unwrap_or_default());
    let is_home = memo(move || store.route.get() == Route::Contacts);
    let before = Watched::new(Vec::new());
    let arranged = memo(move || {
        store.contacts_changed.track();
        let (order, own) = (order.get(), store.currency());
        let arranged =
            store.summaries(|all| arrange(before.with_untracked(|before| as_before(all, before)), order, own));
        before.update_untracked(|before| before.clone_from(&arranged));
        arranged
    });
    let found = memo(move || {
        // The order may be the same while a name is another.
        store.contacts_changed.track();
        let (query, order) = (fold(&query.get()), order.get());
        store.summaries(|all| {
            let is_found = |id: &&ContactId| all.get(id).is_some_and(|summary| matches(&summary.folded, &query));
            let found = |people: &Vec<ContactId>| {
                let keys = people.iter().filter(|id| query.is_empty() || is_found(id)).map(|id| id.0);
                Listing::of_lines(keys, format!("{} {query}", order.word()))
            };
            arranged.with(found)
        })
    });
    let is_empty = memo(move || {
        store.contacts_changed.track();
        store.summaries(|summaries| summaries.is_empty())
    });
    view! {
        <section class="pane list" aria-label="Contacts">
            {part(move || store.fault.get().map(storage_banner))}
            {when(move || !store.may_write(), || view! {
                <p class="banner" data-kind="storage">{icon("lock")}"You can look but not change."</p>
            })}
            {part(move || if is_home.get() {
                view! { <h1 class="unseen" tabindex="-1" data-arrival>"Contacts"</h1> }
            } else {
                view! { <h2 class="unseen">"Contacts"</h2> }
            })}
            {part(move || match (is_empty.get(), store.was_current.get()) {
                (true, true) => nobody().drawn(),
                (true, false) => bones().drawn(),
                (false, _) => view! {
                    <Totals/>
                    <Tools query order/>
                    <Rows found/>
                    <NoneFound query found/>
                }.drawn(),
            })}
            {deleted_contacts(store)}
        </section>
    }
}

fn totals() -> Drawn {
    let store = expect_context::<Store>();
    let own = memo(move || store.currency());
    let balances = memo(move || store.totals.with(|totals| in_order(totals, own.get())));
    view! {
        <section id="totals" class="balance" aria-label="Totals, per currency">
            <Hero balances own words=total_words words_rest=total_words_rest/>
        </section>
    }
}

fn total_words(amount: i128) -> &'static str {
    match amount {
        0 => "In all, you are even",
        1.. => "In all, you are owed",
        _ => "In all, you owe",
    }
}

fn total_words_rest(amount: i128) -> &'static str {
    if amount > 0 { "you are owed" } else { "you owe" }
}

fn tools(query: Watched<String>, order: Watched<Order>) -> Drawn {
    let store = expect_context::<Store>();
    let options = Order::ALL.map(|choice| {
        view! { <option value=choice.word() selected=choice == order.get_untracked()>{choice.word()}</option> }
    });
    let choose = value(move |word| {
        if let Some(choice) = Order::parse(&word) {
            remember(ORDER, choice.word());
            order.set(choice);
        }
    });
    view! {
        <div class="tools">
            <search class="search">
                {icon("search")}
                <input
                    id="search"
                    type="search"
                    placeholder="Search"
                    aria-label="Search people"
                    autocomplete="off"
                    prop:value=text(move || query.get())
                    on:input=value(move |typed| query.set(typed))
                />
                <kbd aria-hidden="true">"/"</kbd>
            </search>
            <span class="pick">
                <select id="order" aria-label="Order" on:change=choose>{options}</select>
                {icon("down")}
            </span>
            {when(move || store.may_write(), move || view! {
                <button
                    id="add-person"
                    class="icon-btn"
                    type="button"
                    aria-label="Add person"
                    title="Add person"
                    on:click=click(move || store.sheet.set(Some(Sheet::Person)))
                >
                    {icon("invite")}
                </button>
            })}
        </div>
    }
}

fn rows(found: Derived<Arc<Listing>>) -> Drawn {
    let store = expect_context::<Store>();
    let list = element("ul", &[("id", "people"), ("class", "rows"), ("aria-label", "People")]);
    let values = move |places: &[usize]| {
        let ids: Vec<ContactId> = found.with(|found| places.iter().map(|at| ContactId(found.rows[*at].key)).collect());
        row_data(store, &ids)
    };
    long_list(list, found, values, move |id, data| contact_row(store, ContactId(id), data).drawn(), Watched::new(None))
}

fn row_data(store: Store, ids: &[ContactId]) -> Vec<(Uuid, RowData)> {
    // The order may be the same while what a row says is not.
    store.contacts_changed.track();
    let open = match store.route.get() {
        Route::Contact(id) => Some(id),
        Route::Transaction(id) => store.view(|state| Some(state.transaction(id)?.contact)).flatten(),
        _ => None,
    };
    let own = store.currency();
    let split: Vec<_> = store.conflicts.with(|cards| cards.iter().filter_map(|card| card.contact).collect());
    store.summaries(|summaries| {
        store.waiting.with(|waiting| {
            let data = |id: &ContactId| {
                let summary = summaries.get(id)?;
                let data = RowData {
                    name: summary.name.clone(),
                    balances: in_order(&summary.balances, own),
                    own,
                    last: summary.last.clone(),
                    is_waiting: waiting.contacts.contains(id),
                    is_split: split.contains(id),
                    is_open: open == Some(*id),
                };
                Some((id.0, data))
            };
            ids.iter().filter_map(data).collect()
        })
    })
}

/// A book without anybody in it.
fn nobody() -> Drawn {
    let store = expect_context::<Store>();
    view! {
        <div class="empty">
            <Gauge/>
            <h2 class="title-2">"Nobody here yet"</h2>
            <p class="quiet">
                "Write down the first thing you gave or got. Whoever it was with enters the book along with it."
            </p>
            {when(move || store.may_write(), move || view! {
                <div class="btn-row">
                    {write_it_down(store)}
                    <button
                        id="add-person"
                        class="btn btn-line"
                        type="button"
                        on:click=click(move || store.sheet.set(Some(Sheet::Person)))
                    >
                        {icon("invite")}
                        "Add person"
                    </button>
                </div>
            })}
        </div>
    }
}

/// Of a book that has not come yet: the shell's picture goes on, and no number is said that nobody knows.
fn bones() -> Drawn {
    let store = expect_context::<Store>();
    let rows = ["bone w2", "bone w3", "bone w2", "bone w3"].map(|name| {
        view! {
            <li>
                <div class="row">
                    <span class="bone bone-round"></span>
                    <span class="row-main"><span class=name></span><span class="bone w1"></span></span>
                    <span class="bone w4"></span>
                </div>
            </li>
        }
    });
    view! {
        <div>
            <div aria-hidden="true">
                <span class="bone bone-hero"></span>
                <ul class="rows bones">{rows}</ul>
            </div>
            {when(move || store.reached.get(), || view! {
                <p class="quiet">"This book is not on this device yet. It comes once the server answers."</p>
            })}
        </div>
    }
}

/// The same as a page of its own.
pub(crate) fn arriving() -> Drawn {
    view! {
        <div>
            <h1 class="unseen" tabindex="-1" data-arrival>"Opening the book"</h1>
            <Bones/>
        </div>
    }
}

fn none_found(query: Watched<String>, found: Derived<Arc<Listing>>) -> Drawn {
    let is_none = move || found.with(|found| found.rows.is_empty()) && !query.with(|query| query.trim().is_empty());
    view! {
        <div role="status">
            {when(is_none, move || view! {
                <div class="empty">
                    <p class="quiet">{text(move || format!("Nobody is called “{}”.", query.get().trim()))}</p>
                    <div class="btn-row">
                        <button class="btn btn-line" type="button" on:click=click(move || query.set(String::new()))>
                            "Show everybody"
                        </button>
                    </div>
                </div>
            })}
        </div>
    }
}

/// The button for something new, where there is nothing yet.
pub(crate) fn write_it_down(store: Store) -> Drawn {
    let open = move || store.sheet.set(Some(Sheet::Transaction { contact: None, got: false }));
    view! { <button class="btn btn-solid" type="button" on:click=click(open)>"Write it down"</button> }
}

/// The look's picture for where nothing is: a level at rest.
pub(crate) fn gauge() -> Drawn {
    view! {
        <svg class="gauge" viewBox="0 0 320 104" aria-hidden="true">
            <path d="M36 22H320M36 82H320"></path>
            <path class="tick" d="M2 12v80M2 12h12M2 22h7M2 32h12M2 42h7M2 52h12M2 62h7M2 72h12M2 82h7M2 92h12"></path>
            <path class="water" d="M36 52q18 -8 36 0t36 0t36 0t36 0t36 0t36 0t36 0t36 0"></path>
        </svg>
    }
}

/// What is written here is kept nowhere but in this window, and why.
fn storage_banner(fault: Fault) -> Drawn {
    let why = match fault {
        Fault::Full => "This device is full.",
        Fault::Gone => "This browser keeps nothing for this page.",
        Fault::Newer => "A newer version of Tidebook has this book: reload the page to get it.",
        Fault::Moved => "This book went into an account meanwhile.",
    };
    view! {
        <div class="banner" data-kind="failed" role="status" id="storage">
            {icon("alert")}
            <div><strong>{why}</strong>" What you write is not saved here until it is in the book: keep this window open."</div>
        </div>
    }
}
