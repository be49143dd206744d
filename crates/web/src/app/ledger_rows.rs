//! The lines of a contact's page, by month: the newest first, more of them as one scrolls.

use leptos::prelude::*;
use tidebook_ledger::{CivilDate, ContactId, Currency, Direction, TransactionId};
use uuid::Uuid;

use crate::app::browser::element;
use crate::app::contact_list::gauge;
use crate::app::contact_row::{split_mark, waiting_mark};
use crate::app::drawn::{Draw, Drawn, attr, click, part_of, text, view, when};
use crate::app::format;
use crate::app::keyed::KeyedRows;
use crate::app::parts::colour;
use crate::app::sentinel::sentinel;
use crate::app::store::{Sheet, Store};
use crate::app::watched::{Watched, effect, memo};
use crate::ledger_page::{Line, MonthLines, draw as draw_page};
use crate::window::{ROWS_STEP, rows_to_draw};

pub(crate) fn ledger_rows(id: ContactId) -> Drawn {
    let store = expect_context::<Store>();
    let wanted = Watched::new(ROWS_STEP);
    let last = Watched::new(None::<TransactionId>);
    let page = memo(move || {
        store.track_contact(id);
        store.conflicts.track();
        store.waiting.with(|waiting| {
            let read = |state: &tidebook_ledger::LedgerState| {
                let mut newest = state.transactions_of(id).rev().take(2 * wanted.get());
                let place = last.get_untracked().and_then(|last| newest.position(|it| it.id == last));
                let rows = rows_to_draw(wanted.get(), place, usize::MAX);
                draw_page(state, id, rows, &waiting.transactions)
            };
            store.view(read).unwrap_or_default()
        })
    });
    let place = element("div", &[("class", "ledger")]);
    let mut months = KeyedRows::new(place.clone(), "section");
    let draw = move |_, lines| month_rows(store, lines).drawn();
    effect(move || {
        let items = page.with(|page| page.months.iter().map(|month| (month_key(month), month.clone())).collect());
        last.set(page.with(|page| Some(page.months.last()?.lines.last()?.0)));
        months.show(items, &draw);
    });
    let drawn = memo(move || page.with(|page| page.drawn));
    let is_all = memo(move || page.with(|page| page.is_all));
    view! {
        {when(move || drawn.get() == 0, nothing_yet)}
        {Drawn::element(place)}
        <Sentinel drawn is_all more=move || wanted.set(drawn.with_untracked(|drawn| *drawn) + ROWS_STEP)/>
    }
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

/// A month has no id; it gets one that no other has.
fn month_key(month: &MonthLines) -> Uuid {
    let (year, month) = month.month;
    Uuid::from_u64_pair(u64::from(year.unsigned_abs()), u64::from(month.unsigned_abs()))
}

fn month_rows(store: Store, lines: Watched<MonthLines>) -> Drawn {
    let place = element("ul", &[]);
    let mut rows = KeyedRows::new(place.clone(), "li");
    let draw = move |id, line| transaction_row(store, TransactionId(id), line).drawn();
    effect(move || {
        let items = lines.with(|lines| lines.lines.iter().map(|(id, line)| (id.0, line.clone())).collect());
        rows.show(items, &draw);
    });
    let month = lines.with_untracked(|lines| lines.month);
    view! {
        <div class="month">
            <h3>{format::month(month)}</h3>
            <span class="col word" aria-hidden="true">"Gave"</span>
            <span class="col word" aria-hidden="true">"Got"</span>
            <span class="col word" aria-hidden="true">"Balance"</span>
        </div>
        {Drawn::element(place)}
    }
}

fn transaction_row(store: Store, id: TransactionId, line: Watched<Line>) -> Drawn {
    let class = attr(move || Some(if line.with(|line| line.first) { "row txn first" } else { "row txn" }));
    let same_day = attr(move || line.with(|line| line.same_day).then_some(""));
    let after = text(move || line.with(|line| format::money(line.after, line.currency).signed()));
    view! {
        <div class=class data-transaction=id.to_string() data-same-day=same_day>
            {part_of(move || line.with(|line| line.date), day)}
            <span class="row-main">
                <span class="row-name">
                    {part_of(move || store.may_write(), move |may_write| {
                        let name = text(move || line.with(name));
                        if may_write {
                            let open = move || store.sheet.set(Some(Sheet::EditTransaction(id)));
                            view! { <button class="row-link" type="button" on:click=click(open)>{name}</button> }
                        } else {
                            name.drawn()
                        }
                    })}
                </span>
                <span class="row-sub">
                    <span>{text(move || line.with(|line| verb_and_author(line, store)))}</span>
                    {when(move || line.with(|line| line.waiting), waiting_mark)}
                    {when(move || line.with(|line| line.split), split_mark)}
                </span>
            </span>
            <span class="row-end">
                {part_of(move || line.with(|line| (line.direction.signed(line.amount), line.currency)), amount)}
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
