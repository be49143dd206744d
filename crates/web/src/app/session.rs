//! Coming and going: from an address to an open book, and back to the welcome page.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tidebook_book::{BookId, read_by_name};
use tidebook_ledger::Currency;

use crate::app::alone::{self, Alone, Brought};
use crate::app::driver::{self, BOOKS, Call, Fault, HttpError, Keeper, LOST, PERSON};
use crate::app::router;
use crate::app::store::{BookItem, Me, Phase, Store};
use crate::app::unsent::Lost;
use crate::route::Route;

struct Account {
    user: Me,
}

read_by_name!(Account { user });

pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    next_cursor: Option<String>,
}

read_by_name!(Page<T: DeserializeOwned> { items; next_cursor });

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
    /// Nobody is; perhaps somebody was, or there is a book on this device that needs nobody.
    SignedOut {
        was_here: bool,
        alone: Option<Alone>,
    },
    Unreachable,
    Here {
        me: Me,
        books: Vec<BookItem>,
        kept: Result<Keeper, Fault>,
        known: Known,
        brought: Option<Brought>,
    },
}

/// Who says so.
pub(crate) enum Known {
    Server,
    Device {
        lost: Option<Lost>,
    },
    /// Who is here has no account.
    Nobody(Alone),
}

/// Who is here: as the device knows it, or else as the server does.
pub(crate) async fn start() -> Start {
    let alone = alone::remembered().await;
    let last = driver::device_fact::<Option<Me>>(PERSON).await.flatten();
    let was_here = last.as_ref().is_some_and(|me| !me.is_alone());
    if let Some(me) = last
        && let Ok(keeper) = Keeper::open(me.id).await
        && let Some(books) = keeper.fact(BOOKS).await
    {
        let known = match alone.filter(|_| me.is_alone()) {
            Some(alone) => Known::Nobody(alone),
            None => Known::Device { lost: keeper.fact::<Option<Lost>>(LOST).await.flatten() },
        };
        let brought = alone::left_behind(me.id).await;
        return Start::Here { me, books, kept: Ok(keeper), known, brought };
    }
    let me = match Call::get("/accounts/me").json::<Account>().await {
        Ok(account) => account.user,
        Err(error) if error.is_unauthenticated() => return Start::SignedOut { was_here, alone },
        Err(_) if was_here => return Start::Unreachable,
        // To begin, nobody needs a server.
        Err(_) => return Start::SignedOut { was_here, alone },
    };
    match all_books().await {
        Ok(books) => {
            let (kept, brought) = (Keeper::open(me.id).await, alone::left_behind(me.id).await);
            let books = with_what_waits(books, &kept).await;
            Start::Here { me, books, kept, known: Known::Server, brought }
        }
        Err(error) if error.is_unauthenticated() => Start::SignedOut { was_here, alone },
        Err(_) => Start::Unreachable,
    }
}

/// Shows what was found at the start.
pub(crate) fn arrive(store: Store, start: Start) {
    match start {
        Start::SignedOut { was_here, alone } => {
            store.was_here.update(|known| *known |= was_here);
            store.alone.set(alone);
            store.phase.set(Phase::SignedOut);
        }
        Start::Unreachable => store.phase.set(Phase::Unreachable),
        Start::Here { me, books, kept, known: Known::Nobody(alone), .. } => {
            store.alone.set(Some(alone));
            enter(store, me, books, kept, None);
            if store.invite.with_untracked(Option::is_some) {
                store.phase.set(Phase::SignedOut);
            }
        }
        Start::Here { me, .. } if store.invite.with_untracked(Option::is_some) => driver::spawn(async move {
            if let Err(error) = come_in(store, me, false).await {
                store.phase.set(if error.is_unauthenticated() { Phase::SignedOut } else { Phase::Unreachable });
            }
        }),
        Start::Here { me, books, kept, known, brought } => {
            enter(store, me, books, kept, brought);
            if let Known::Device { lost } = known {
                lost.filter(|lost| !is_told_in_vain(store, lost)).into_iter().for_each(|lost| store.show_lost(lost));
                driver::spawn(look_for_books(store));
            }
        }
    }
}

/// The books as the server has them now, where it answers. Whether the session still holds the socket finds out.
async fn look_for_books(store: Store) {
    let Ok(mut books) = all_books().await else { return };
    let open = store.book.get_untracked();
    if let Some(driver) = store.driver() {
        for gone in left_out(store.books.get_untracked(), &books) {
            if !driver.unsent_in(gone.id).await.is_empty() {
                books.push(gone);
            }
        }
    }
    store.books.put(books);
    store.keep_books();
    match store.lost.get_untracked() {
        Some(lost) if is_told_in_vain(store, &lost) => store.leave_lost_book(),
        None if open.is_none() => store.first_book().into_iter().for_each(|first| store.open_book(first)),
        _ => {}
    }
}

/// Somebody let them in again: there is nothing to tell but what never came into it.
fn is_told_in_vain(store: Store, lost: &Lost) -> bool {
    lost.unsent.is_empty() && store.is_in(lost.book)
}

/// Books that the person is no longer in. What they wrote for them and never sent, they find there.
fn left_out(known: Vec<BookItem>, books: &[BookItem]) -> Vec<BookItem> {
    known.into_iter().filter(|known| books.iter().all(|book| book.id != known.id)).collect()
}

/// These books, and those in which something waits on this device.
async fn with_what_waits(mut books: Vec<BookItem>, kept: &Result<Keeper, Fault>) -> Vec<BookItem> {
    if let Ok(keeper) = kept {
        for gone in left_out(keeper.fact(BOOKS).await.unwrap_or_default(), &books) {
            if keeper.unsent(gone.id).await.is_ok_and(|unsent| !unsent.is_empty()) {
                books.push(gone);
            }
        }
    }
    books
}

/// Signs in or up at one of the two addresses that answer with an account. `brings`: what was written on this device
/// without one comes along.
pub(crate) async fn sign(store: Store, path: &str, body: &Credentials, brings: bool) -> Result<(), HttpError> {
    let Account { user } = Call::post(path, body).json().await?;
    come_in(store, user, brings).await
}

/// Accepts the invite there is, and shows the books.
async fn come_in(store: Store, me: Me, brings: bool) -> Result<(), HttpError> {
    let refused = accept_invite(store).await.err();
    let mut brought = alone::left_behind(me.id).await;
    let mut came = None;
    if let Some((alone, driver)) = store.alone.get_untracked().zip(store.driver()).filter(|_| brings) {
        let book = alone.book.clone();
        let handed_over = alone::hand_over(alone, &me, &driver).await?;
        came = Some(BookItem { id: handed_over.book, ..book });
        brought = Some(handed_over);
        store.alone.set(None);
        router::go(store, Route::Contacts);
    }
    let books = match (all_books().await, came) {
        (Ok(books), _) => books,
        // Without the account it takes nothing more: there is no way back.
        (Err(_), Some(book)) => vec![book],
        (Err(error), None) => return Err(error),
    };
    let kept = Keeper::open(me.id).await;
    let books = with_what_waits(books, &kept).await;
    enter(store, me, books, kept, brought);
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
    // It stands until somebody who may has asked for it.
    if let Err(error) = &accepted
        && (matches!(error, HttpError::Unreachable) || error.is_unauthenticated())
    {
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
    let book = create_book(&BookItem { id, name: name.trim().to_owned(), currency }).await?;
    store.books.update(|books| {
        if !books.iter().any(|known| known.id == book.id) {
            books.push(book);
        }
    });
    store.keep_books();
    store.open_book(id);
    Ok(())
}

/// Makes a book on the server. The same call again by its owner changes nothing.
pub(crate) async fn create_book(book: &BookItem) -> Result<BookItem, HttpError> {
    Call::post("/books", book).json().await
}

pub(crate) fn new_book_id() -> BookId {
    BookId(driver::new_id())
}

/// Shows the books to whoever is here, with what they brought.
pub(crate) fn enter(store: Store, me: Me, books: Vec<BookItem>, kept: Result<Keeper, Fault>, brought: Option<Brought>) {
    store.toast.set(None);
    store.book.set(None);
    let arrives = brought.as_ref().map(|brought| brought.book);
    store.employ_driver(&me, kept, brought);
    store.me.set(Some(me));
    let remembered = Store::remembered_book().filter(|id| books.iter().any(|book| book.id == *id));
    let open = remembered.or_else(|| books.first().map(|book| book.id));
    store.books.set(books);
    store.keep_books();
    match arrives.or(open) {
        Some(book) => store.open_book(book),
        None => store.phase.set(Phase::FirstBook),
    }
    driver::spawn(store.send_what_waits());
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
