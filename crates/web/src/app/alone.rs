//! A book before any account: begun on this device, and brought into an account later.
//!
//! It is a book like any other whose log has no entries yet, so all that is written in it waits in the outbox. An account
//! takes it over in steps, each of which can be repeated, and the device forgets it only once the account's own store
//! has everything: whoever dies in between goes on at the next start. Ids stay as they are, so nothing enters twice.

use std::rc::Rc;

use serde::Serialize;
use tidebook_book::{BookId, UserId, read_by_name};
use tidebook_ledger::{Currency, LedgerOp};
use tidebook_replica::NewMutation;

use crate::app::driver::{self, ALONE, Driver, HttpError, Keeper, PERSON};
use crate::app::session;
use crate::app::store::{BookItem, Me, Store, json};

/// What the device remembers of a book that belongs to no account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Alone {
    /// Whoever writes in it, by an id of this device's making.
    me: UserId,
    pub(crate) book: BookItem,
    /// The account that takes it over, and the book's id there.
    becomes: Option<(UserId, BookId)>,
}

read_by_name!(Alone { me, book; becomes });

/// What an account takes over.
pub(crate) struct Brought {
    /// Whose store on this device it comes from.
    pub(crate) from: UserId,
    pub(crate) book: BookId,
    pub(crate) mutations: Vec<NewMutation<LedgerOp>>,
    /// Its store was read to the end, and is needed no more once all of this is kept elsewhere.
    pub(crate) is_whole: bool,
}

/// Begins a book that is on this device alone, and opens it; or opens the one that there is, which this window may not know
/// of: another window began it, or whoever signed in since left it here.
pub(crate) async fn begin(store: Store, id: BookId, name: &str, currency: Currency) {
    if let Some(alone) = remembered().await {
        open(store, alone).await;
        return store.say("This book was on this device already");
    }
    let name = if name.is_empty() { "My book" } else { name }.to_owned();
    let book = BookItem { id, name, currency };
    open(store, Alone { me: UserId(driver::new_id()), book, becomes: None }).await;
}

/// Opens the book that is on this device alone. Where an account had begun to take it over, it may do so again.
pub(crate) async fn open(store: Store, mut alone: Alone) {
    alone.becomes = None;
    let kept = Keeper::open(alone.me).await;
    keep(&[(ALONE, json(&alone))]).await;
    store.alone.set(Some(alone.clone()));
    session::enter(store, Me::alone(alone.me), vec![alone.book], kept, None);
}

/// The book on this device that belongs to no account, or not with all that is in it.
pub(crate) async fn remembered() -> Option<Alone> {
    driver::device_fact::<Option<Alone>>(ALONE).await.flatten()
}

/// Makes the book on the server, which the session that just began may do, and takes what is in it away from here.
pub(crate) async fn hand_over(mut alone: Alone, to: &Me, driver: &Rc<Driver>) -> Result<Brought, HttpError> {
    let mut book = alone.book.clone();
    while let Err(error) = session::create_book(&book).await {
        if error.code() != "id_taken" {
            return Err(error);
        }
        book.id = session::new_book_id();
    }
    alone.becomes = Some((to.id, book.id));
    keep(&[(ALONE, json(&alone)), (PERSON, json(to))]).await;
    Ok(brought(&alone, book.id, driver).await)
}

async fn brought(alone: &Alone, book: BookId, driver: &Rc<Driver>) -> Brought {
    let mutations = driver.hand_over(alone.book.id).await;
    Brought { from: alone.me, book, mutations, is_whole: driver.fault().is_none() }
}

/// What this account was about to take over when the app ended.
pub(crate) async fn left_behind(me: UserId) -> Option<Brought> {
    let alone = remembered().await?;
    let (_, book) = alone.becomes.filter(|(owner, _)| *owner == me)?;
    let driver = Driver::new(&Me::alone(alone.me), Keeper::open(alone.me).await, |_| {});
    driver.clone().open_kept_book(alone.book.id).await;
    Some(brought(&alone, book, &driver).await)
}

/// The account's store has all of it: what the device had before can go.
pub(crate) async fn forget(from: UserId) {
    keep(&[(ALONE, json(&None::<Alone>))]).await;
    Keeper::delete(from).await;
}

async fn keep(facts: &[(&str, String)]) {
    // Where nothing is kept, the open book says so itself.
    let _nothing_is_kept = driver::keep_device_facts(facts).await;
}
