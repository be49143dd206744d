//! The page of one contact: who, how it stands, and every line between you.

use reactive_graph::owner::expect_context;
use reactive_graph::traits::Track;
use tidebook_ledger::ContactId;

use crate::app::conflict_card::conflict_cards;
use crate::app::contact_list::{arriving, gauge};
use crate::app::deleted::deleted_transactions;
use crate::app::drawn::{Draw, Drawn, Reactive, click, part, part_of, text, view, when};
use crate::app::ledger_rows::ledger_rows;
use crate::app::parts::{avatar, contact_word, hero, icon, in_order};
use crate::app::store::{Sheet, Store};
use crate::app::transaction_page::transaction_page;
use crate::app::watched::{Derived, memo};
use crate::conflict::Card;
use crate::route::Route;

/// What stands beside the list: the contact or the transaction that is open, or, where there is
/// room, that none is.
pub(crate) fn detail() -> Reactive<Drawn> {
    let store = expect_context::<Store>();
    let open = memo(move || store.route.get());
    part(move || match open.get() {
        Route::Contact(id) => contact_page(id).drawn(),
        Route::Transaction(id) => transaction_page(id).drawn(),
        _ => nobody_chosen().drawn(),
    })
}

fn nobody_chosen() -> Drawn {
    let store = expect_context::<Store>();
    let is_anybody = move || {
        store.contacts_changed.track();
        store.summaries(|summaries| !summaries.is_empty())
    };
    view! {
        <section class="pane blank" aria-label="No contact chosen">
            {when(is_anybody, || view! {
                <div class="empty">
                    <Gauge/>
                    <p class="title-2">"Choose somebody"</p>
                    <p class="quiet">"Every line between you stands here, with the balance after it."</p>
                </div>
            })}
        </section>
    }
}

fn contact_page(id: ContactId) -> Reactive<Drawn> {
    let store = expect_context::<Store>();
    let name = memo(move || {
        store.track_contact(id);
        let standing = |name: &tidebook_ledger::Contact| (!name.deleted).then(|| name.name.clone());
        store.view(|state| state.contact(id).and_then(standing)).flatten()
    });
    let is_here = memo(move || name.with(Option::is_some));
    part(move || {
        if is_here.get() {
            view! { <Page id name=memo(move || name.get().unwrap_or_default())/> }
        } else {
            nobody_here().drawn()
        }
    })
}

fn page(id: ContactId, name: Derived<String>) -> Drawn {
    let store = expect_context::<Store>();
    let own = memo(move || store.currency());
    let balances = memo(move || {
        store.track_contact(id);
        let balances = store.view(|state| state.balances_of(id)).unwrap_or_default();
        in_order(&balances, own.get())
    });
    let cards = memo(move || store.conflicts.with(|cards| cards_of(cards, id)));
    view! {
        <section class="pane detail" aria-label=text(move || name.get())>
            <div class="who">
                <div class="who-name">
                    {part_of(move || name.get(), |name| avatar(&name))}
                    <h1 class="title" tabindex="-1" data-arrival>{text(move || name.get())}</h1>
                </div>
                <div class="who-tools">
                    {when(move || store.may_write(), move || view! {
                        <button
                            id="edit-person"
                            class="icon-btn"
                            type="button"
                            aria-label="Edit person"
                            title="Edit person"
                            on:click=click(move || store.sheet.set(Some(Sheet::EditPerson(id))))
                        >
                            {icon("edit")}
                        </button>
                    })}
                </div>
                <div class="balance"><Hero balances own words=contact_word words_rest=contact_word/></div>
                {when(move || store.may_write(), move || view! { <div class="btn-row act-wide"><GaveGot id/></div> })}
            </div>
            {when(move || !cards.with(Vec::is_empty), || view! { <h2 class="unseen">"Two versions"</h2> })}
            {conflict_cards(store, cards)}
            <h2 class="unseen">"Transactions"</h2>
            <LedgerRows id/>
            {deleted_transactions(store, id)}
            {when(move || store.may_write(), move || view! { <div class="act"><GaveGot id/></div> })}
        </section>
    }
}

fn cards_of(cards: &[Card], id: ContactId) -> Vec<Card> {
    cards.iter().filter(|card| card.contact == Some(id)).cloned().collect()
}

pub(crate) fn gave_got(id: ContactId) -> Drawn {
    let store = expect_context::<Store>();
    let open = move |got| store.sheet.set(Some(Sheet::Transaction { contact: Some(id), got }));
    view! {
        <button class="btn btn-gave" type="button" data-direction="gave" on:click=click(move || open(false))>
            {icon("gave")}
            "I gave"
        </button>
        <button class="btn btn-got" type="button" data-direction="got" on:click=click(move || open(true))>
            {icon("got")}
            "I got"
        </button>
    }
}

fn nobody_here() -> Drawn {
    not_here("Nobody by this address", "They may be in another book, or the link was cut short.", ("/", "All contacts"))
}

/// An address of something that is not in this book. While the book is still arriving it may yet come. `way_out`: an
/// address, and its words.
pub(crate) fn not_here(title: &'static str, words: &'static str, way_out: (&'static str, &'static str)) -> Drawn {
    let store = expect_context::<Store>();
    view! {
        <section class="pane detail" aria-label="Not here">
            {part(move || if store.was_current.get() {
                view! {
                    <div class="empty">
                        <Gauge/>
                        <h1 class="title-2" tabindex="-1" data-arrival>{title}</h1>
                        <p class="quiet">{words}</p>
                        <div class="btn-row"><a class="btn btn-line" href=way_out.0>{way_out.1}</a></div>
                    </div>
                }
            } else {
                arriving()
            })}
        </section>
    }
}
