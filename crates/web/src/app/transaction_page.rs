//! The page of one transaction: what it says, what can be done about it, both versions where there are two, and its
//! history.

use reactive_graph::owner::expect_context;
use reactive_graph::traits::Track;
use tidebook_ledger::{CivilDate, ContactId, Direction, Field, LedgerOp, RecordRef, Transaction, TransactionId};

use crate::app::conflict_card::conflict_cards;
use crate::app::contact_page::not_here;
use crate::app::contact_row::{split_mark, waiting_mark};
use crate::app::drawn::{Drawn, Reactive, click, part, part_of, text, view, when};
use crate::app::format;
use crate::app::history::history;
use crate::app::parts::{avatar, icon, large_figure};
use crate::app::presence::editing_mark;
use crate::app::router::keep_focus;
use crate::app::store::{Sheet, Store};
use crate::app::watched::{Derived, memo};
use crate::route::Route;

pub(crate) fn transaction_page(id: TransactionId) -> Reactive<Drawn> {
    let store = expect_context::<Store>();
    let now = memo(move || {
        store.changed.track();
        store.view(|state| state.transaction(id).cloned()).flatten()
    });
    let is_here = memo(move || now.with(Option::is_some));
    part(move || if is_here.get() { page(id, now) } else { nothing_here() })
}

fn page(id: TransactionId, now: Derived<Option<Transaction>>) -> Drawn {
    let store = expect_context::<Store>();
    // Once gone, the page goes too; until then it is as it was.
    let with = memo(move || now.with(|now| now.as_ref().map(|now| now.contact)));
    let name = memo(move || with.get().map(|with| name_of(store, with)).unwrap_or_default());
    let title = memo(move || now.with(|now| now.as_ref().map(title_of)).unwrap_or_default());
    let is_deleted = memo(move || now.with(|now| now.as_ref().is_some_and(|now| now.deleted)));
    let cards = memo(move || {
        let is_own = |card: &&crate::conflict::Card| card.conflict.record == RecordRef::Transaction(id);
        store.conflicts.with(|cards| cards.iter().filter(is_own).cloned().collect::<Vec<_>>())
    });
    let is_split = move || cards.with(|cards| !cards.is_empty());
    let is_waiting = move || store.waiting.with(|waiting| waiting.transactions.contains(&id));
    view! {
        <section class="pane detail" aria-label=text(move || title.get())>
            {part_of(move || (with.get(), name.get()), |(with, name)| with.map(|with| back(with, &name)))}
            <div class="who">
                <div class="who-name">
                    {part_of(move || name.get(), |name| avatar(&name))}
                    <h1 class="title" tabindex="-1" data-arrival>{text(move || title.get())}</h1>
                </div>
                <div class="balance">
                    {figure(now)}
                    <div class="row-sub">
                        {when(is_waiting, waiting_mark)}
                        {when(is_split, split_mark)}
                        {editing_mark(store, RecordRef::Transaction(id))}
                    </div>
                </div>
                {part_of(move || now.get(), move |now| now.map(|now| facts(store, &now, name)))}
                {when(move || store.may_write() && !is_deleted.get(), move || actions(store, id))}
            </div>
            {when(move || is_deleted.get(), move || deleted(store, id, now))}
            {when(is_split, || view! { <h2 class="unseen">"Two versions"</h2> })}
            {conflict_cards(store, cards)}
            {history(id, now)}
        </section>
    }
}

/// To whom it belongs, where no bar leads there.
fn back(with: ContactId, name: &str) -> Drawn {
    view! { <a class="detail-back" href=Route::Contact(with).path()>{icon("back")}<span>{name.to_owned()}</span></a> }
}

fn title_of(now: &Transaction) -> String {
    now.note.clone().unwrap_or_else(|| verb(now.signed_amount()).to_owned())
}

fn verb(amount: i128) -> &'static str {
    if amount < 0 { "You got" } else { "You gave" }
}

fn figure(now: Derived<Option<Transaction>>) -> Reactive<Drawn> {
    let amount = memo(move || now.with(|now| now.as_ref().map_or(0, Transaction::signed_amount)));
    part_of(
        move || now.with(|now| now.as_ref().map(|now| now.currency)),
        move |currency| currency.map(|currency| large_figure(currency, amount, verb)),
    )
}

fn name_of(store: Store, id: ContactId) -> String {
    store.track_contact(id);
    store.view(|state| Some(state.contact(id)?.name.clone())).flatten().unwrap_or_default()
}

fn facts(store: Store, now: &Transaction, name: Derived<String>) -> Drawn {
    let day = |date: CivilDate| format!("{} {}", format::weekday(date), format::full_day(date));
    let due = now.due.map(|due| view! { <dt>"Due"</dt><dd>{day(due)}</dd> });
    let (by, at) = (now.created.by, now.created.at);
    let direction = match now.direction {
        Direction::Gave => "To",
        Direction::Got => "From",
    };
    view! {
        <dl class="facts">
            <dt>{direction}</dt>
            <dd>
                <a class="text-link" href=Route::Contact(now.contact).path()>{text(move || name.get())}</a>
            </dd>
            <dt>"Date"</dt>
            <dd>{day(now.date)}</dd>
            {due}
            <dt>"Written by"</dt>
            <dd>{text(move || format!("{}, {}", store.who(by, "you"), format::moment(at, store.today.get())))}</dd>
        </dl>
    }
}

fn actions(store: Store, id: TransactionId) -> Drawn {
    let delete = move || {
        let (delete, undo) = (LedgerOp::DeleteTransaction { id }, LedgerOp::RestoreTransaction { id });
        store.delete(store.seen(), delete, undo, "The transaction is deleted".into());
        keep_focus();
    };
    let edit = move || store.sheet.set(Some(Sheet::EditTransaction(id)));
    view! {
        <div class="btn-row">
            <button id="edit-transaction" class="btn btn-line" type="button" on:click=click(edit)>
                {icon("edit")}
                "Edit"
            </button>
            <button id="delete-transaction" class="btn btn-line" type="button" on:click=click(delete)>
                {icon("trash")}
                "Delete"
            </button>
        </div>
    }
}

fn deleted(store: Store, id: TransactionId, now: Derived<Option<Transaction>>) -> Drawn {
    let by = move || {
        let by = now.with(|now| now.as_ref().and_then(|now| Some(now.changed.get(&Field::Deleted)?.by)));
        by.map(|by| format!("Deleted by {}.", store.who(by, "you"))).unwrap_or_default()
    };
    let restore = move || {
        store.act(store.seen(), LedgerOp::RestoreTransaction { id });
        keep_focus();
    };
    view! {
        <div class="banner" data-kind="storage" id="deleted">
            {icon("trash")}
            <div><strong>{text(by)}</strong>" It counts in no balance."</div>
            {when(move || store.may_write(), move || view! {
                <button id="restore" class="btn btn-quiet" type="button" on:click=click(restore)>"Restore"</button>
            })}
        </div>
    }
}

fn nothing_here() -> Drawn {
    let words = "It may be in another book, or the link was cut short.";
    not_here("No transaction by this address", words, ("/transactions", "All transactions"))
}
