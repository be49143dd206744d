//! The form with hardly anything on it: a book.

use reactive_graph::owner::expect_context;
use tidebook_book::BookId;
use tidebook_ledger::Currency;

use crate::app::alone;
use crate::app::drawn::{Drawn, attr, click, text, value, view};
use crate::app::driver::spawn;
use crate::app::parts::{currency_select, field_error};
use crate::app::store::Store;
use crate::app::watched::Watched;
use crate::app::{format, router, session};
use crate::entry::name_fault;
use crate::route::Route;

pub(crate) fn book_form() -> Drawn {
    view! {
        <form novalidate on:submit=|event| event.prevent_default()>
            <BookFields label="Name" action="Make the book"/>
        </form>
    }
}

/// The fields of a book that is about to be made.
#[derive(Clone, Copy)]
struct NewBook {
    store: Store,
    /// One id for one form: pressing twice makes one book.
    id: BookId,
    name: Watched<String>,
    currency: Watched<Currency>,
    fault: Watched<Option<String>>,
    is_busy: Watched<bool>,
}

impl NewBook {
    fn new(store: Store) -> Self {
        Self {
            store,
            id: session::new_book_id(),
            name: Watched::new(String::new()),
            currency: Watched::new(format::home_currency()),
            fault: Watched::new(None),
            is_busy: Watched::new(false),
        }
    }

    fn make(self) {
        let typed = self.name.get_untracked();
        let needs_no_account = self.store.me.with_untracked(Option::is_none);
        // Who tries it out needs no name for it.
        self.fault.set(name_fault(&typed).filter(|_| !(needs_no_account && typed.trim().is_empty())));
        if self.fault.with_untracked(Option::is_some) || self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        spawn(async move {
            let Self { store, id, currency, .. } = self;
            if needs_no_account {
                return alone::begin(store, id, typed.trim(), currency.get_untracked()).await;
            }
            let made = session::make_book(store, id, &typed, currency.get_untracked()).await;
            match made {
                Ok(()) => {
                    store.sheet.set(None);
                    router::go(store, Route::Contacts);
                }
                Err(error) => self.fault.set(Some(error.words())),
            }
            self.is_busy.set(false);
        });
    }
}

/// The fields of a new book and their button; it makes the book and opens it.
pub(crate) fn book_fields(label: &'static str, action: &'static str) -> Drawn {
    let book = NewBook::new(expect_context::<Store>());
    let NewBook { name, currency, fault, is_busy, .. } = book;
    view! {
        <div class="field">
            <label class="label" for="book-name">{label}</label>
            <input
                id="book-name"
                data-first
                autocomplete="off"
                placeholder="Flat, club, shop, trip"
                aria-describedby="book-name-error"
                aria-invalid=attr(move || fault.with(Option::is_some).then_some("true"))
                prop:value=text(move || name.get())
                on:input=value(move |typed| name.set(typed))
                on:keydown=move |event| {
                    if event.key() == "Enter" && !event.is_composing() {
                        event.prevent_default();
                        book.make();
                    }
                }
            />
            {field_error("book-name-error", move || fault.get())}
        </div>
        <div class="field currency-field">
            <label class="label" for="book-currency">"Currency of new amounts"</label>
            <CurrencySelect id="book-currency" value=currency named=true/>
            <p class="help">"Others can be used beside it at any time."</p>
        </div>
        <div class="sheet-foot">
            <button
                id="make-book"
                class="btn btn-solid"
                type="button"
                aria-disabled=attr(move || is_busy.get().then_some("true"))
                on:click=click(move || book.make())
            >
                {action}
            </button>
        </div>
    }
}
