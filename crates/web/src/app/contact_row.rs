//! One row of the list of contacts.

use tidebook_ledger::{ContactId, Currency, Direction, RecordRef};

use crate::app::drawn::{AllDrawn, Drawn, attr, part_of, text, view, when};
use crate::app::format;
use crate::app::parts::{amount_in, avatar, contact_word, icon, money};
use crate::app::presence::editing_mark;
use crate::app::store::Store;
use crate::app::watched::{Derived, Watched, memo};
use crate::route::Route;
use crate::summary::LastLine;

/// How many balances a row has room for.
const BALANCES_MAX: usize = 2;

/// What a row shows; two rows that are equal look equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowData {
    pub(crate) name: String,
    pub(crate) balances: Vec<(Currency, i128)>,
    pub(crate) own: Option<Currency>,
    pub(crate) last: Option<LastLine>,
    pub(crate) is_waiting: bool,
    /// Of something with them there are two versions.
    pub(crate) is_split: bool,
    pub(crate) is_open: bool,
}

pub(crate) fn contact_row(store: Store, id: ContactId, data: Watched<RowData>) -> Drawn {
    let line = text(move || data.with(|data| last_line(data.last.as_ref(), store)));
    view! {
        <a
            class="row"
            href=Route::Contact(id).path()
            data-contact=id.to_string()
            aria-current=attr(move || data.with(|data| data.is_open).then_some("true"))
        >
            {part_of(move || data.with(|data| data.name.clone()), |name| avatar(&name))}
            <span class="row-main">
                <span class="row-name">{text(move || data.with(|data| data.name.clone()))}</span>
                <span class="row-sub">
                    <span>{line}</span>
                    {when(move || data.with(|data| data.is_waiting), waiting_mark)}
                    {when(move || data.with(|data| data.is_split), split_mark)}
                    {editing_mark(store, RecordRef::Contact(id))}
                </span>
            </span>
            {part_of(move || data.with(Shape::of), move |shape| ends(shape, data))}
        </a>
    }
}

/// "Taxi from the airport, today"
fn last_line(last: Option<&LastLine>, store: Store) -> String {
    let Some(last) = last else { return "Nothing written yet".into() };
    let what = last.note.as_deref().and_then(|note| note.lines().next()).unwrap_or(match last.direction {
        Direction::Gave => "You gave",
        Direction::Got => "You got",
    });
    format!("{what}, {}", format::day(last.date, store.today.get()))
}

pub(crate) fn waiting_mark() -> Drawn {
    view! { <span class="mark">{icon("wait")}"Waiting"</span> }
}

pub(crate) fn split_mark() -> Drawn {
    view! { <span class="mark mark-split">{icon("fork")}"Two versions"</span> }
}

/// Which currencies stand at the end of a row, and how many have no room there.
#[derive(Clone, PartialEq)]
struct Shape {
    shown: Vec<Currency>,
    more: usize,
}

impl Shape {
    fn of(data: &RowData) -> Self {
        let open = data.balances.iter().map(|(currency, _)| *currency);
        let shown: Vec<Currency> =
            if data.balances.is_empty() { data.own.into_iter().collect() } else { open.collect() };
        let more = shown.len().saturating_sub(BALANCES_MAX);
        Self { shown: shown.into_iter().take(BALANCES_MAX).collect(), more }
    }
}

fn ends(Shape { shown, more }: Shape, data: Watched<RowData>) -> Drawn {
    let amount_of = move |currency| memo(move || data.with(|data| amount_in(&data.balances, currency)));
    let word =
        |amount: Derived<i128>| view! { <span class="word">{text(move || contact_word(amount.get()).into())}</span> };
    if let [currency] = shown[..] {
        let amount = amount_of(currency);
        return view! { <span class="row-end">{money(currency, amount)}{word(amount)}</span> };
    }
    let shown = shown.into_iter().map(|currency| {
        let amount = amount_of(currency);
        view! { {word(amount)} {money(currency, amount)} }
    });
    let more = (more > 0).then(|| view! { <span></span><span class="word">{format!("and {more} more")}</span> });
    view! { <span class="row-both">{shown.all_drawn()}{more}</span> }
}
