//! One row of the list of contacts.

use leptos::prelude::*;
use tidebook_ledger::{ContactId, Currency, Direction};

use crate::app::erased::{attr, part, text, when};
use crate::app::format;
use crate::app::parts::{avatar, colour, contact_word, icon};
use crate::app::store::Store;
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
    pub(crate) is_open: bool,
}

pub(crate) fn contact_row(store: Store, id: ContactId, data: RwSignal<RowData>) -> impl IntoView {
    let line = text(move || data.with(|data| last_line(data.last.as_ref(), store)));
    view! {
        <a
            class="row"
            href=Route::Contact(id).path()
            data-contact=id.to_string()
            aria-current=attr(move || data.with(|data| data.is_open).then_some("true"))
        >
            {part(move || data.with(|data| avatar(&data.name)))}
            <span class="row-main">
                <span class="row-name">{text(move || data.with(|data| data.name.clone()))}</span>
                <span class="row-sub">
                    <span>{line}</span>
                    {when(move || data.with(|data| data.is_waiting), waiting_mark)}
                </span>
            </span>
            {part(move || data.with(|data| ends(&data.balances, data.own)))}
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

pub(crate) fn waiting_mark() -> impl IntoView {
    view! { <span class="mark">{icon("wait")}"Waiting"</span> }
}

fn ends(balances: &[(Currency, i128)], own: Option<Currency>) -> AnyView {
    let amount_of = |currency: Currency, amount: i128| {
        let text = format::money(amount, currency).signed();
        view! { <data class=colour(amount) value=amount.to_string()>{text}</data> }
    };
    match *balances {
        [] => view! {
            <span class="row-end">
                {own.map(|currency| amount_of(currency, 0))}
                <span class="word">{contact_word(0)}</span>
            </span>
        }
        .into_any(),
        [(currency, amount)] => view! {
            <span class="row-end">
                {amount_of(currency, amount)}
                <span class="word">{contact_word(amount)}</span>
            </span>
        }
        .into_any(),
        [..] => {
            let shown = balances.iter().take(BALANCES_MAX).map(|(currency, amount)| {
                view! { <span class="word">{contact_word(*amount)}</span>{amount_of(*currency, *amount)} }
            });
            let more = balances.len().saturating_sub(BALANCES_MAX);
            let more =
                (more > 0).then(|| view! { <span></span><span class="word">{format!("and {more} more")}</span> });
            view! { <span class="row-both">{shown.collect_view()}{more}</span> }.into_any()
        }
    }
}
