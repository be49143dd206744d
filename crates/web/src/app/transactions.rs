//! All transactions of the book, by month, and the filters over them.

use std::sync::Arc;

use reactive_graph::graph::untrack;
use reactive_graph::owner::expect_context;
use reactive_graph::traits::Track;
use tidebook_ledger::{Currency, Direction};

use crate::app::browser::element;
use crate::app::contact_list::{gauge, write_it_down};
use crate::app::drawn::{AllDrawn, Draw, Drawn, attr, click, part, part_of, text, value, view, when};
use crate::app::format::{self, fold};
use crate::app::ledger_rows::{Whose, long_ledger};
use crate::app::parts::{colour, icon, in_order};
use crate::app::store::Store;
use crate::app::watched::{Derived, Watched, effect, memo};
use crate::ledger_page::Month;
use crate::order::{Order, arrange};
use crate::transactions::{AllTransactions, Filter, Found};
use crate::window::Listing;

/// A list to choose from that is longer than this helps nobody; the others are found by their names.
const PEOPLE_OFFERED_MAX: usize = 500;

pub(crate) fn transactions() -> Drawn {
    let store = expect_context::<Store>();
    let all = Watched::new(AllTransactions::default());
    effect(move || {
        store.changed.track();
        all.update(|all| {
            let before = std::mem::take(all);
            *all = store.view(|state| AllTransactions::of(state, before, fold)).unwrap_or_default();
        });
    });
    let is_empty = memo(move || all.with(AllTransactions::is_empty));
    view! {
        <div class="page">
            <header class="page-head"><h1 class="title" tabindex="-1" data-arrival>"Transactions"</h1></header>
            {part(move || if is_empty.get() { nothing_yet(store) } else { filtered(store, all) })}
        </div>
    }
}

/// Nothing is written yet, or nothing of it has arrived.
fn nothing_yet(store: Store) -> Drawn {
    part_of(
        move || store.was_current.get(),
        move |was_current| {
            if !was_current {
                return view! { <p class="quiet" role="status">"The book is on its way here."</p> };
            }
            view! {
                <div class="empty">
                    <Gauge/>
                    <h2 class="title-2">"Nothing written yet"</h2>
                    <p class="quiet">"Whatever you give or get stands here, the newest first."</p>
                    {when(move || store.may_write(), move || view! {
                        <div class="btn-row">
                            {write_it_down(store)}
                        </div>
                    })}
                </div>
            }
        },
    )
    .drawn()
}

fn filtered(store: Store, all: Watched<AllTransactions>) -> Drawn {
    let found = memo(move || {
        let filter = store.filter.get();
        all.with(|all| all.find(&Filter { text: fold(&filter.text), ..filter }))
    });
    let listing = memo(move || {
        let rows = found.with(|found| found.rows.iter().map(|spot| spot.row()).collect());
        Arc::new(Listing { rows, asked: store.filter.with(Filter::words) })
    });
    let spots = move |places: &[usize]| found.with(|found| places.iter().map(|at| found.rows[*at]).collect());
    let list = element("ul", &[("id", "transactions"), ("class", "ledger all"), ("aria-label", "Transactions")]);
    let jump = Watched::new(None);
    view! {
        <div class="tools">
            <search class="search">
                {icon("search")}
                <input
                    id="search"
                    type="search"
                    placeholder="Search notes and names"
                    aria-label="Search notes and names"
                    autocomplete="off"
                    prop:value=text(move || store.filter.with(|filter| filter.text.clone()))
                    on:input=value(move |typed| store.filter.update(|filter| filter.text = typed))
                />
                <kbd aria-hidden="true">"/"</kbd>
            </search>
            {month_jump(found, jump)}
        </div>
        {filters(store, all)}
        {sums(store, found)}
        {long_ledger(list, Whose::Everybody, listing, spots, jump)}
        {when(move || found.with(|found| found.count == 0), move || view! {
            <div class="empty">
                <p class="quiet">"Nothing here is like that."</p>
                <div class="btn-row">
                    <button class="btn btn-line" type="button" on:click=click(move || store.filter.set(Filter::default()))>
                        "Show everything"
                    </button>
                </div>
            </div>
        })}
    }
}

fn month_jump(found: Derived<Found>, jump: Watched<Option<usize>>) -> Drawn {
    let months = memo(move || found.with(|found| found.months().map(|(_, month)| month).collect::<Vec<Month>>()));
    let chosen = Watched::new(String::new());
    let options = part_of(
        move || months.get(),
        |months| {
            let months = months.into_iter().enumerate();
            months.map(|(at, month)| view! { <option value=at.to_string()>{format::month(month)}</option> }).all_drawn()
        },
    );
    let choose = value(move |at: String| {
        let row = |found: &Found| found.months().nth(at.parse().ok()?).map(|(row, _)| row);
        jump.set(untrack(|| found.with(row)));
        // It leads somewhere, and holds nothing.
        chosen.set(String::new());
    });
    view! {
        <span class="pick">
            <select id="month" aria-label="Go to a month" on:change=choose prop:value=text(move || chosen.get())>
                <option value="">"Month"</option>
                {options}
            </select>
            {icon("down")}
        </span>
    }
}

/// Words of a choice, and its value.
type Choice = (String, String);

fn filters(store: Store, all: Watched<AllTransactions>) -> Drawn {
    let people = memo(move || {
        store.contacts_changed.track();
        store.summaries(|summaries| {
            let all = arrange(summaries.values().collect(), Order::Name, None);
            let people = all.iter().take(PEOPLE_OFFERED_MAX).filter_map(|id| summaries.get(id));
            let people = people.map(|person| (person.name.clone(), person.id.to_string()));
            std::iter::once(("Everybody".into(), String::new())).chain(people).collect::<Vec<Choice>>()
        })
    });
    let currencies = memo(move || all.with(AllTransactions::currencies));
    let currency_choices = memo(move || {
        let codes = currencies.get().into_iter().map(|currency| (currency.to_string(), currency.to_string()));
        std::iter::once(("Every currency".into(), String::new())).chain(codes).collect::<Vec<Choice>>()
    });
    let directions = memo(|| {
        let choices = [("Gave and got", ""), ("I gave", "gave"), ("I got", "got")];
        choices.map(|(words, value)| (words.to_owned(), value.to_owned())).to_vec()
    });
    view! {
        <div class="filters" role="group" aria-label="Show">
            {pick(store, "filter-person", "Person", people, Ask::Person)}
            {pick(store, "filter-direction", "Direction", directions, Ask::Direction)}
            {when(move || currencies.with(|all| all.len() > 1), move || {
                pick(store, "filter-currency", "Currency", currency_choices, Ask::Currency)
            })}
            {day(store, "filter-from", "From", Ask::From)}
            {day(store, "filter-to", "To", Ask::To)}
            {when(move || store.filter.with(|filter| *filter != Filter::default()), move || view! {
                <button
                    id="clear-filters"
                    class="btn btn-quiet"
                    type="button"
                    on:click=click(move || {
                        store.filter.set(Filter::default());
                        crate::app::router::keep_focus();
                    })
                >
                    "Clear"
                </button>
            })}
        </div>
    }
}

/// A part of a filter, as a control holds it.
#[derive(Clone, Copy)]
enum Ask {
    Person,
    Direction,
    Currency,
    From,
    To,
}

impl Ask {
    fn get(self, filter: &Filter) -> String {
        let text = match self {
            Self::Person => filter.person.map(|it| it.to_string()),
            Self::Direction => filter.direction.map(|it| it.to_string()),
            Self::Currency => filter.currency.map(|it| it.to_string()),
            Self::From => filter.from.map(|it| it.to_string()),
            Self::To => filter.to.map(|it| it.to_string()),
        };
        text.unwrap_or_default()
    }

    fn set(self, filter: &mut Filter, text: &str) {
        match self {
            Self::Person => filter.person = text.parse().ok(),
            Self::Direction => filter.direction = text.parse::<Direction>().ok(),
            Self::Currency => filter.currency = text.parse::<Currency>().ok(),
            Self::From => filter.from = text.parse().ok(),
            Self::To => filter.to = text.parse().ok(),
        }
    }
}

fn held(store: Store, ask: Ask) -> Derived<String> {
    memo(move || store.filter.with(|filter| ask.get(filter)))
}

fn pick(store: Store, id: &'static str, label: &'static str, choices: Derived<Vec<Choice>>, ask: Ask) -> Drawn {
    let held = held(store, ask);
    let options = part_of(
        move || choices.get(),
        move |choices| {
            let option = |(words, value): Choice| {
                let is_held = untrack(|| held.with(|held| *held == value));
                view! { <option value=value selected=is_held>{words}</option> }
            };
            choices.into_iter().map(option).all_drawn()
        },
    );
    view! {
        <span class="pick" data-set=attr(move || held.with(|held| !held.is_empty()).then_some(""))>
            <select
                id=id
                aria-label=label
                on:change=value(move |chosen| store.filter.update(|filter| ask.set(filter, &chosen)))
                prop:value=text(move || held.get())
            >
                {options}
            </select>
            {icon("down")}
        </span>
    }
}

fn day(store: Store, id: &'static str, label: &'static str, ask: Ask) -> Drawn {
    let held = held(store, ask);
    view! {
        <label class="day" data-set=attr(move || held.with(|held| !held.is_empty()).then_some(""))>
            {label}
            <input
                id=id
                type="date"
                on:change=value(move |chosen| store.filter.update(|filter| ask.set(filter, &chosen)))
                prop:value=text(move || held.get())
            />
        </label>
    }
}

/// How many they are, and what they come to in each currency.
fn sums(store: Store, found: Derived<Found>) -> Drawn {
    let count = memo(move || found.with(|found| found.count));
    let sums = memo(move || found.with(|found| in_order(&found.sums, store.currency())));
    let count = text(move || match count.get() {
        1 => "1 transaction".into(),
        count => format!("{count} transactions"),
    });
    view! {
        <div class="section-head sums">
            <h2 class="label"><span role="status" id="found">{count}</span></h2>
            {part_of(move || sums.get(), |sums| {
                let sum = |(currency, sum): (Currency, i128)| {
                    let words = match sum {
                        0 => "even",
                        1.. => "you are owed",
                        _ => "you owe",
                    };
                    view! {
                        <li data-currency=currency.to_string()>
                            <span class="word">{words}</span>
                            <data class=colour(sum) value=sum.to_string()>{format::money(sum, currency).signed()}</data>
                        </li>
                    }
                };
                view! { <ul class="balance-rest">{sums.into_iter().map(sum).all_drawn()}</ul> }
            })}
        </div>
    }
}
