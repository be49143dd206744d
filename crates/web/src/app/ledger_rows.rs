//! The lines of a contact's page, by month: the newest first, more of them as one scrolls.

use leptos::html;
use leptos::prelude::*;
use tidebook_ledger::{ContactId, Direction, TransactionId};

use crate::app::contact_list::Gauge;
use crate::app::contact_row::waiting_mark;
use crate::app::erased::{attr, effect, memo, part, text, when};
use crate::app::format;
use crate::app::keyed::KeyedRows;
use crate::app::parts::colour;
use crate::app::sentinel::Sentinel;
use crate::app::store::Store;
use crate::ledger_page::{Line, Month, MonthLines, draw};
use crate::window::{ROWS_STEP, rows_to_draw};

#[component]
pub(crate) fn LedgerRows(id: ContactId) -> impl IntoView {
    let store = expect_context::<Store>();
    let wanted = RwSignal::new(ROWS_STEP);
    let last = StoredValue::new(None::<TransactionId>);
    let page = memo(move || {
        store.track_contact(id);
        store.waiting.with(|waiting| {
            let read = |state: &tidebook_ledger::LedgerState| {
                let mut newest = state.transactions_of(id).rev().take(2 * wanted.get());
                let place = last.get_value().and_then(|last| newest.position(|it| it.id == last));
                let rows = rows_to_draw(wanted.get(), place, usize::MAX);
                draw(state, id, rows, &waiting.transactions)
            };
            store.view(read).unwrap_or_default()
        })
    });
    let place = NodeRef::<html::Div>::new();
    let owner = Owner::current().expect("a component has an owner");
    let months = StoredValue::new_local(None::<KeyedRows<Month, MonthLines>>);
    effect(move || {
        let Some(place) = place.get() else { return };
        let items = page.with(|page| page.months.iter().map(|month| (month.month, month.clone())).collect());
        last.set_value(page.with(|page| Some(page.months.last()?.lines.last()?.0)));
        months.update_value(|months| {
            let months = months.get_or_insert_with(|| KeyedRows::new(place.into(), "section", owner.clone()));
            months.show(items, move |month, lines| month_rows(store, month, lines));
        });
    });
    let drawn = memo(move || page.with(|page| page.drawn));
    let is_all = memo(move || page.with(|page| page.is_all));
    view! {
        {when(move || drawn.get() == 0, || view! { <NothingYet/> })}
        <div node_ref=place class="ledger"></div>
        <Sentinel drawn is_all more=move || wanted.set(drawn.get_untracked() + ROWS_STEP)/>
    }
}

#[component]
fn NothingYet() -> impl IntoView {
    view! {
        <div class="empty">
            <Gauge/>
            <h3 class="title-2">"Nothing between you yet"</h3>
            <p class="quiet">"Write down the first thing you gave or got; the balance keeps itself."</p>
        </div>
    }
}

fn month_rows(store: Store, month: Month, lines: RwSignal<MonthLines>) -> impl IntoView {
    let place = NodeRef::<html::Ul>::new();
    let owner = Owner::current().expect("a row has an owner");
    let rows = StoredValue::new_local(None::<KeyedRows<TransactionId, Line>>);
    effect(move || {
        let Some(place) = place.get() else { return };
        let items = lines.with(|lines| lines.lines.clone());
        rows.update_value(|rows| {
            let rows = rows.get_or_insert_with(|| KeyedRows::new(place.into(), "li", owner.clone()));
            rows.show(items, move |id, line| transaction_row(store, id, line));
        });
    });
    view! {
        <div class="month">
            <h3>{format::month(month)}</h3>
            <span class="col word" aria-hidden="true">"Gave"</span>
            <span class="col word" aria-hidden="true">"Got"</span>
            <span class="col word" aria-hidden="true">"Balance"</span>
        </div>
        <ul node_ref=place></ul>
    }
}

fn transaction_row(store: Store, id: TransactionId, line: RwSignal<Line>) -> impl IntoView {
    let class = attr(move || Some(if line.with(|line| line.first) { "row txn first" } else { "row txn" }));
    let same_day = attr(move || line.with(|line| line.same_day).then_some(""));
    let after = text(move || line.with(|line| format::money(line.after, line.currency).signed()));
    view! {
        <div class=class data-transaction=id.to_string() data-same-day=same_day>
            {part(move || line.with(day))}
            <span class="row-main">
                <span class="row-name">{text(move || line.with(name))}</span>
                <span class="row-sub">
                    <span>{text(move || line.with(|line| verb_and_author(line, store)))}</span>
                    {when(move || line.with(|line| line.waiting), waiting_mark)}
                </span>
            </span>
            <span class="row-end">
                {part(move || line.with(amount))}
                <span class="after amt"><span class="word">"then "</span>{after}</span>
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

/// "You gave, by Jun"; one's own need no name.
fn verb_and_author(line: &Line, store: Store) -> String {
    let is_mine = store.me.with(|me| me.as_ref().is_none_or(|me| me.id == line.by));
    store.people.with(|people| match people.iter().find(|person| person.id == line.by && !is_mine) {
        Some(person) => format!("{}, by {}", verb(line), person.name),
        None => verb(line).to_owned(),
    })
}

fn day(line: &Line) -> impl IntoView + use<> {
    let number = line.date.date().day().to_string();
    view! {
        <time class="txn-date" datetime=line.date.to_string()>
            <b>{number}</b>
            {format::weekday(line.date)}
        </time>
    }
}

fn amount(line: &Line) -> impl IntoView + use<> {
    let signed = line.direction.signed(line.amount);
    let text = format::money(signed, line.currency).signed();
    view! { <data class=colour(signed) value=signed.to_string()>{text}</data> }
}
