//! Lines of transactions by month, the newest first, as many of them as are in sight: of one contact, or of all.

use std::collections::HashSet;
use std::sync::Arc;

use reactive_graph::owner::expect_context;
use reactive_graph::traits::Track;
use tidebook_ledger::{CivilDate, ContactId, Currency, Direction, LedgerState, RecordRef, TransactionId};
use web_sys::Element;

use crate::app::browser::element;
use crate::app::contact_list::gauge;
use crate::app::contact_row::{split_mark, waiting_mark};
use crate::app::drawn::{Drawn, attr, part_of, text, view, when};
use crate::app::format;
use crate::app::long_list::long_list;
use crate::app::parts::colour;
use crate::app::presence::editing_mark;
use crate::app::store::Store;
use crate::app::watched::{Derived, Watched, memo};
use crate::ledger_page::{Line, Month, Spot, line, outline};
use crate::route::Route;
use crate::window::Listing;

/// Whose transactions stand in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Each has the balance after it.
    One(ContactId),
    /// Each tells whom it is with.
    Everybody,
}

impl Whose {
    fn track(self, store: Store) {
        match self {
            Self::One(id) => store.track_contact(id),
            Self::Everybody => store.changed.track(),
        }
    }
}

pub(crate) fn ledger_rows(id: ContactId) -> Drawn {
    let store = expect_context::<Store>();
    let outline = memo(move || {
        store.track_contact(id);
        store.view(|state| outline(state, id)).unwrap_or_default()
    });
    let listing = memo(move || {
        let rows = outline.with(|outline| outline.iter().map(|spot| spot.row()).collect());
        Arc::new(Listing { rows, asked: String::new() })
    });
    let spots = move |places: &[usize]| outline.with(|outline| places.iter().map(|at| outline[*at]).collect());
    let list = element("ul", &[("class", "ledger")]);
    view! {
        {when(move || listing.with(|listing| listing.rows.is_empty()), nothing_yet)}
        {long_ledger(list, Whose::One(id), listing, spots, Watched::new(None))}
    }
}

/// What stands at some places of a list.
type SpotsAt = Box<dyn Fn(&[usize]) -> Vec<Spot>>;

/// Rows of transactions under their months. `spots` tells what stands at these places; a place that `jump` is set to
/// comes into sight.
pub(crate) fn long_ledger(
    list: Element,
    whose: Whose,
    listing: Derived<Arc<Listing>>,
    spots: impl Fn(&[usize]) -> Vec<Spot> + 'static,
    jump: Watched<Option<usize>>,
) -> Drawn {
    let store = expect_context::<Store>();
    let spots: SpotsAt = Box::new(spots);
    let values = move |places: &[usize]| {
        let spots = spots(places);
        // The order may be the same while what a line says is not.
        whose.track(store);
        store.conflicts.track();
        store.waiting.with(|waiting| {
            let items = |state: &LedgerState| {
                let item = |spot: &Spot| Some((spot.row().key, item(state, whose, *spot, &waiting.transactions)?));
                spots.iter().filter_map(item).collect()
            };
            store.view(items).unwrap_or_default()
        })
    };
    let draw = move |id, item: Watched<Item>| match item.get_untracked() {
        Item::Month(month) => month_head(whose, month),
        Item::Line(_) => transaction_row(store, whose, TransactionId(id), item),
    };
    long_list(list, listing, values, draw, jump)
}

fn item(state: &LedgerState, whose: Whose, spot: Spot, waiting: &HashSet<TransactionId>) -> Option<Item> {
    let spot = match spot {
        Spot::Month(month) => return Some(Item::Month(month)),
        Spot::Line(spot) => spot,
    };
    let mut line = line(state, spot, waiting)?;
    if whose == Whose::Everybody {
        let with = state.transaction(spot.id).and_then(|transaction| state.contact(transaction.contact));
        line.with = with.map(|contact| contact.name.clone());
    }
    Some(Item::Line(line))
}

/// What a row of the page shows.
#[derive(Clone, PartialEq)]
enum Item {
    Month(Month),
    Line(Line),
}

/// Reads the line that a row shows.
fn with<R>(item: Watched<Item>, read: impl FnOnce(&Line) -> R) -> R {
    item.with(|item| match item {
        Item::Line(line) => read(line),
        Item::Month(_) => unreachable!("months have keys of their own"),
    })
}

fn nothing_yet() -> Drawn {
    view! {
        <div class="empty">
            <Gauge/>
            <h3 class="title-2">"Nothing between you yet"</h3>
            <p class="quiet">"Write down the first thing you gave or got; the balance keeps itself."</p>
        </div>
    }
}

fn month_head(whose: Whose, month: Month) -> Drawn {
    let balance = matches!(whose, Whose::One(_));
    let balance = balance.then(|| view! { <span class="col word" aria-hidden="true">"Balance"</span> });
    view! {
        <h3>{format::month(month)}</h3>
        <span class="col word" aria-hidden="true">"Gave"</span>
        <span class="col word" aria-hidden="true">"Got"</span>
        {balance}
    }
}

fn transaction_row(store: Store, whose: Whose, id: TransactionId, line: Watched<Item>) -> Drawn {
    let class = attr(move || Some(if with(line, |line| line.first) { "row txn first" } else { "row txn" }));
    let same_day = attr(move || with(line, |line| line.same_day).then_some(""));
    let after = matches!(whose, Whose::One(_)).then(|| {
        let after = text(move || with(line, |line| format::money(line.after, line.currency).signed()));
        view! { <span class="after amt"><span class="word">"then "</span>{after}</span> }
    });
    view! {
        <div class=class data-transaction=id.to_string() data-same-day=same_day>
            {part_of(move || with(line, |line| line.date), day)}
            <span class="row-main">
                <span class="row-name">
                    <a class="row-link" href=Route::Transaction(id).path()>{text(move || with(line, name))}</a>
                </span>
                <span class="row-sub">
                    <span>{text(move || with(line, |line| verb_and_author(line, store)))}</span>
                    {when(move || with(line, |line| line.waiting), waiting_mark)}
                    {when(move || with(line, |line| line.split), split_mark)}
                    {editing_mark(store, RecordRef::Transaction(id))}
                </span>
            </span>
            <span class="row-end">
                {part_of(move || with(line, |line| (line.direction.signed(line.amount), line.currency)), amount)}
                {after}
            </span>
        </div>
    }
}

fn verb(line: &Line) -> &'static str {
    match line.direction {
        Direction::Gave => "You gave",
        Direction::Got => "You got",
    }
}

fn name(line: &Line) -> String {
    line.note.clone().unwrap_or_else(|| verb(line).to_owned())
}

/// "You gave, by Jun"; one's own need no name. Among those of several people: "Ana, you gave".
fn verb_and_author(line: &Line, store: Store) -> String {
    let is_mine = store.me.with(|me| me.as_ref().is_none_or(|me| me.id == line.by));
    let deed = match (&line.with, line.direction) {
        (Some(name), Direction::Gave) => format!("{name}, you gave"),
        (Some(name), Direction::Got) => format!("{name}, you got"),
        (None, _) => verb(line).to_owned(),
    };
    store.people.with(|people| match people.iter().find(|person| person.id == line.by && !is_mine) {
        Some(person) => format!("{deed}, by {}", person.name),
        None => deed,
    })
}

fn day(date: CivilDate) -> Drawn {
    let number = date.date().day().to_string();
    view! {
        <time class="txn-date" datetime=date.to_string()>
            <b>{number}</b>
            {format::weekday(date)}
        </time>
    }
}

fn amount((signed, currency): (i128, Currency)) -> Drawn {
    let text = format::money(signed, currency).signed();
    view! { <data class=colour(signed) value=signed.to_string()>{text}</data> }
}
