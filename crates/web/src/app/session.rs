//! Coming and going: from an address to an open book, and back to the welcome page.

use serde::{Deserialize, Serialize};
use tidebook_book::BookId;
use tidebook_ledger::Currency;

use crate::app::driver::{self, BOOKS, Call, Fault, HttpError, Keeper, LOST};
use crate::app::router;
use crate::app::store::{BookItem, Me, Phase, Store};
use crate::app::unsent::Lost;
use crate::route::Route;

#[derive(Deserialize)]
struct Account {
    user: Me,
}

#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct NewBook<'a> {
    id: BookId,
    name: &'a str,
    currency: Currency,
}

/// Who somebody says they are. What makes a new account stays out where one signs in.
#[derive(Serialize)]
pub(crate) struct Credentials {
    pub(crate) email: String,
    pub(crate) password: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) setup_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invite: Option<String>,
}

/// What is known before the first screen is drawn.
pub(crate) enum Start {
    SignedOut,
    Unreachable,
    Here { me: Me, books: Vec<BookItem>, kept: Result<Keeper, Fault>, known: Known },
}

/// Who says so.
pub(crate) enum Known {
    ToServer,
    ToDevice { lost: Option<Lost> },
}

/// Who is here: as the device knows it, or else as the server does.
pub(crate) async fn start() -> Start {
    if let Some(me) = driver::remembered_person::<Me>().await
        && let Ok(keeper) = Keeper::open(me.id).await
        && let Some(books) = keeper.fact(BOOKS).await
    {
        let lost = keeper.fact::<Option<Lost>>(LOST).await.flatten();
        return Start::Here { me, books, kept: Ok(keeper), known: Known::ToDevice { lost } };
    }
    let me = match Call::get("/accounts/me").json::<Account>().await {
        Ok(account) => account.user,
        Err(error) if error.is_unauthenticated() => return Start::SignedOut,
        Err(_) => return Start::Unreachable,
    };
    match all_books().await {
        Ok(books) => Start::Here { kept: Keeper::open(me.id).await, me, books, known: Known::ToServer },
        Err(error) if error.is_unauthenticated() => Start::SignedOut,
        Err(_) => Start::Unreachable,
    }
}

/// Shows what was found at the start.
pub(crate) fn arrive(store: Store, start: Start) {
    match start {
        Start::SignedOut => store.phase.set(Phase::SignedOut),
        Start::Unreachable => store.phase.set(Phase::Unreachable),
        Start::Here { me, .. } if store.invite.with_untracked(Option::is_some) => driver::spawn(async move {
            if come_in(store, me).await.is_err() {
                store.phase.set(Phase::Unreachable);
            }
        }),
        Start::Here { me, books, kept, known } => {
            enter(store, me, books, kept);
            if let Known::ToDevice { lost } = known {
                lost.into_iter().for_each(|lost| store.show_lost(lost));
                driver::spawn(look_for_books(store));
            }
        }
    }
}

/// The books as the server has them now, where it answers. Whether the session still holds the socket finds out.
async fn look_for_books(store: Store) {
    let Ok(books) = all_books().await else { return };
    let open = store.book.get_untracked();
    store.books.put(books);
    store.keep_books();
    if store.lost.with_untracked(Option::is_none)
        && open.is_none()
        && let Some(first) = store.books.with_untracked(|books| books.first().map(|book| book.id))
    {
        store.open_book(first);
    }
}

/// Signs in or up at one of the two addresses that answer with an account.
pub(crate) async fn sign(store: Store, path: &str, body: &Credentials) -> Result<(), HttpError> {
    let Account { user } = Call::post(path, body).json().await?;
    come_in(store, user).await
}

/// Accepts the invite there is, and shows the books.
async fn come_in(store: Store, me: Me) -> Result<(), HttpError> {
    let refused = accept_invite(store).await.err();
    let books = all_books().await?;
    let kept = Keeper::open(me.id).await;
    enter(store, me, books, kept);
    refused.into_iter().for_each(|error| store.say(error.words()));
    Ok(())
}

/// The book that the invite is for becomes the one that opens.
async fn accept_invite(store: Store) -> Result<(), HttpError> {
    #[derive(Deserialize)]
    struct Accepted {
        book: BookId,
    }
    let Some(token) = store.invite.get_untracked() else { return Ok(()) };
    let accepted = Call::send("POST", "/invites/accept", &format!(r#"{{"token":"{token}"}}"#)).json::<Accepted>().await;
    if matches!(accepted, Err(HttpError::Unreachable)) {
        return accepted.map(drop);
    }
    store.invite.set(None);
    Store::remember_book(accepted?.book);
    Ok(())
}

/// The session ends on the server first: an end that did not arrive is none.
pub(crate) async fn sign_out(store: Store) -> Result<(), HttpError> {
    match Call::delete("/sessions/current").text().await {
        Err(error) if !error.is_unauthenticated() => Err(error),
        _ => {
            store.dismiss_driver();
            router::go(store, Route::Contacts);
            Ok(())
        }
    }
}

/// Makes a book and opens it. The id is made here, so that a repeated call makes no second one.
pub(crate) async fn make_book(store: Store, id: BookId, name: &str, currency: Currency) -> Result<(), HttpError> {
    let body = NewBook { id, name: name.trim(), currency };
    let book: BookItem = Call::post("/books", &body).json().await?;
    store.books.update(|books| {
        if !books.iter().any(|known| known.id == book.id) {
            books.push(book);
        }
    });
    store.keep_books();
    store.open_book(id);
    Ok(())
}

pub(crate) fn new_book_id() -> BookId {
    BookId(driver::new_id())
}

fn enter(store: Store, me: Me, books: Vec<BookItem>, kept: Result<Keeper, Fault>) {
    store.toast.set(None);
    store.employ_driver(&me, kept);
    store.me.set(Some(me));
    let remembered = Store::remembered_book().filter(|id| books.iter().any(|book| book.id == *id));
    let open = remembered.or_else(|| books.first().map(|book| book.id));
    store.books.set(books);
    store.keep_books();
    match open {
        Some(book) => store.open_book(book),
        None => store.phase.set(Phase::FirstBook),
    }
}

/// All pages of the list of books, oldest book first.
async fn all_books() -> Result<Vec<BookItem>, HttpError> {
    let mut page: Page<BookItem> = Call::get("/books").json().await?;
    let mut books = page.items;
    while let Some(cursor) = page.next_cursor {
        let cursor = String::from(js_sys::encode_uri_component(&cursor));
        page = Call::get(&format!("/books?cursor={cursor}")).json().await?;
        books.append(&mut page.items);
    }
    Ok(books)
}
