//! The frame around every screen of a book: bar, navigation, and what is in the middle.

use reactive_graph::owner::{expect_context, on_cleanup};
use reactive_graph::traits::Track;
use tidebook_ledger::{ContactId, LedgerState, TransactionId};

use crate::app::browser::document;
use crate::app::drawn::{AllDrawn, Draw, Drawn, attr, click, part, part_of, text, view, when};
use crate::app::driver::spawn;
use crate::app::parts::icon;
use crate::app::presence::{people, tell_others};
use crate::app::sheet::sheet_host;
use crate::app::store::{Sheet, Store};
use crate::app::sync_menu::{sync_chip, sync_menu, undecided};
use crate::app::watched::{Derived, Watched, effect, memo};
use crate::app::{attention, contact_list, contact_page, router, session, settings, transactions};
use crate::chip::chip;
use crate::route::Route;

/// How many humps the wave has: enough for the widest screen at 32 px each.
const HUMPS: usize = 126;

/// What is in the middle. Contacts, one contact and one transaction are one screen, whose list stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Middle {
    Book,
    Transactions,
    Attention,
    Settings,
    Unknown,
}

pub(crate) fn frame() -> Drawn {
    let store = expect_context::<Store>();
    let middle = memo(move || match store.route.get() {
        Route::Contacts | Route::Contact(_) | Route::Transaction(_) => Middle::Book,
        Route::Transactions => Middle::Transactions,
        Route::Attention => Middle::Attention,
        Route::Settings => Middle::Settings,
        Route::Unknown => Middle::Unknown,
    });
    let view_name = memo(move || match store.route.get() {
        Route::Contacts => "list",
        Route::Contact(_) | Route::Transaction(_) => "detail",
        Route::Transactions | Route::Attention | Route::Settings | Route::Unknown => "page",
    });
    title_follows(store);
    tell_others(store);
    view! {
        <a class="skip unseen" href="#main" target="_self">"Skip to content"</a>
        <div class="app" data-view=attr(move || Some(view_name.get()))>
            <Bar/>
            <Nav/>
            <main id="main" class="panes" tabindex="-1">
                {part(move || match middle.get() {
                    Middle::Book => view! {
                        <contact_list::ContactList/>
                        <contact_page::Detail/>
                    }.drawn(),
                    Middle::Transactions => transactions::transactions().drawn(),
                    Middle::Attention => attention::attention().drawn(),
                    Middle::Settings => settings::settings().drawn(),
                    Middle::Unknown => no_such_page().drawn(),
                })}
                <SheetHost/>
            </main>
        </div>
    }
}

/// The window's title names the screen, for those who hear it and for the list of tabs.
fn title_follows(store: Store) {
    let title = memo(move || match store.route.get() {
        Route::Contacts => format!("Contacts · {}", store.book_name()),
        Route::Contact(id) => {
            store.track_contact(id);
            let name = store.view(|state| state.contact(id).map(|contact| contact.name.clone())).flatten();
            name.unwrap_or_else(|| "Not here".into())
        }
        Route::Transactions => "Transactions".into(),
        Route::Transaction(id) => {
            store.changed.track();
            let note = store.view(|state| Some(state.transaction(id)?.note.clone())).flatten();
            note.map_or("Not here".into(), |note| note.unwrap_or_else(|| "Transaction".into()))
        }
        Route::Attention => "Needs attention".into(),
        Route::Settings => "Settings".into(),
        Route::Unknown => "Not here".into(),
    });
    effect(move || document().set_title(&format!("{} · Tidebook", title.get())));
    on_cleanup(|| document().set_title("Tidebook"));
}

fn bar() -> Drawn {
    let store = expect_context::<Store>();
    let state = memo(move || chip(store.status.get(), store.reached.get(), undecided(store), store.waits()).state);
    let name = memo(move || store.book_name());
    let back = way_back(store);
    let wave = format!("M-32 4q8 -4 16 0{}", "t16 0".repeat(2 * HUMPS));
    view! {
        <header class="bar" data-sync=attr(move || Some(state.get()))>
            <button class="bar-book" type="button" popovertarget="book-menu">
                <span>{text(move || name.get())}</span>
                {icon("down")}
            </button>
            {part_of(move || back.get(), |back| back.map(|(to, words)| view! {
                <a class="bar-back" href=to.path()>{icon("back")}<span>{words}</span></a>
            }))}
            <People/>
            <SyncChip/>
            <svg class="tide" aria-hidden="true">
                <path class="flat" d="M0 4H4000"></path>
                <path class="wave" d=wave></path>
            </svg>
        </header>
        <BookMenu/>
        <SyncMenu/>
    }
}

/// From one contact to all of them; from one transaction to all of them or to its contact, whichever led there.
fn way_back(store: Store) -> Derived<Option<(Route, String)>> {
    let from_all = Watched::new(false);
    effect(move || match store.route.get() {
        Route::Transactions => from_all.set(true),
        Route::Transaction(_) => {}
        _ => from_all.set(false),
    });
    memo(move || match store.route.get() {
        Route::Contact(_) => Some((Route::Contacts, "Contacts".into())),
        Route::Transaction(id) => {
            store.changed.track();
            let with = contact_of(store, id).filter(|_| !from_all.get());
            Some(with.map_or((Route::Transactions, "Transactions".into()), |(id, name)| (Route::Contact(id), name)))
        }
        _ => None,
    })
}

fn contact_of(store: Store, id: TransactionId) -> Option<(ContactId, String)> {
    let contact = |state: &LedgerState| {
        let contact = state.contact(state.transaction(id)?.contact)?;
        Some((contact.id, contact.name.clone()))
    };
    store.view(contact).flatten()
}

fn book_menu() -> Drawn {
    let store = expect_context::<Store>();
    let books = part(move || {
        let books = store.books.get();
        let items = books.into_iter().map(|book| {
            let id = book.id;
            let is_open = attr(move || (store.book.get() == Some(id)).then_some("true"));
            view! {
                <li>
                    <button
                        class="option"
                        type="button"
                        data-book=id.to_string()
                        aria-current=is_open
                        popovertarget="book-menu"
                        popovertargetaction="hide"
                        on:click=click(move || {
                            store.open_book(id);
                            router::go(store, Route::Contacts);
                        })
                    >
                        {icon("ledger")}
                        <span class="row-main">
                            <span class="row-name">{book.name}</span>
                            <span class="word">{book.currency.to_string()}</span>
                        </span>
                        <span class="chosen">{icon("check")}</span>
                    </button>
                </li>
            }
        });
        items.all_drawn()
    });
    view! {
        <div id="book-menu" class="menu menu-book" popover="auto">
            <ul aria-label="Books">{books}</ul>
            {when(move || !store.is_alone(), move || view! {
                <button
                    class="option"
                    type="button"
                    id="new-book"
                    popovertarget="book-menu"
                    popovertargetaction="hide"
                    on:click=click(move || store.sheet.set(Some(Sheet::Book)))
                >
                    {icon("plus")}
                    <span>"New book"</span>
                </button>
            })}
        </div>
    }
}

fn nav() -> Drawn {
    let store = expect_context::<Store>();
    let is_book = move || matches!(store.route.get(), Route::Contacts | Route::Contact(_) | Route::Transaction(_));
    let contacts = attr(move || is_book().then_some("page"));
    let transactions = attr(move || (store.route.get() == Route::Transactions).then_some("page"));
    let attention = attr(move || (store.route.get() == Route::Attention).then_some("page"));
    let count = memo(move || undecided(store) + store.rejected.with(Vec::len));
    let badge = when(
        move || count.get() > 0,
        move || {
            view! {
                <span class="badge">{text(move || count.get().to_string())}<span class="unseen">" to decide"</span></span>
            }
        },
    );
    let settings = attr(move || (store.route.get() == Route::Settings).then_some("page"));
    view! {
        <nav class="nav" aria-label="Main">
            <ul>
                <li>
                    <a href="/" aria-current=contacts>
                        {icon("people")}
                        <span>"Contacts"</span>
                    </a>
                </li>
                <li>
                    <a href="/transactions" aria-current=transactions>{icon("ledger")}<span>"Transactions"</span></a>
                </li>
                {when(move || store.may_write(), move || view! {
                    <li>
                        <button id="add" class="nav-add" type="button" on:click=click(move || open_add(store))>
                            {icon("plus")}
                            <span>"Add"</span>
                            <kbd class="only-wide" aria-hidden="true">"N"</kbd>
                        </button>
                    </li>
                })}
                <li>
                    <a href="/attention" aria-current=attention>
                        {icon("attention")}
                        <span class="only-wide">"Needs attention"</span>
                        <span class="only-narrow">"To decide"</span>
                        {badge}
                    </a>
                </li>
                <li><a href="/settings" aria-current=settings>{icon("settings")}<span>"Settings"</span></a></li>
            </ul>
        </nav>
    }
}

/// Opens the sheet for a new transaction; on a contact's page, or a transaction's of theirs, it is about them.
pub(crate) fn open_add(store: Store) {
    if !store.role.get_untracked().is_none_or(tidebook_book::Role::may_write) {
        return;
    }
    let contact = match store.route.get_untracked() {
        Route::Contact(id) => store.view(|state| state.contact(id).map(|contact| contact.id)).flatten(),
        Route::Transaction(id) => contact_of(store, id).map(|(contact, _)| contact),
        _ => None,
    };
    store.sheet.set(Some(Sheet::Transaction { contact, got: false }));
}

fn no_such_page() -> Drawn {
    view! {
        <div class="page narrow">
            <div class="empty">
                <h1 class="title" tabindex="-1" data-arrival>"There is nothing at this address"</h1>
                <p class="quiet">"It may have been mistyped, or made by a newer version of Tidebook."</p>
                <div class="btn-row"><a class="btn btn-solid" href="/">"To the contacts"</a></div>
            </div>
        </div>
    }
}

/// Asks again who is here, after the server did not answer.
pub(crate) fn try_again(store: Store, then: impl FnOnce() + 'static) {
    spawn(async move {
        let start = session::start().await;
        session::arrive(store, start);
        then();
    });
}
