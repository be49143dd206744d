//! Keeps what the replica holds in the account's store, and takes in what other tabs put there.

use std::rc::Rc;

use js_sys::{Function, Reflect};
use tidebook_book::{BookId, ReplicaId};
use tidebook_ledger::{Ledger, LedgerOp};
use tidebook_replica::{BookCopy, Lacking, NewMutation, Replica, Seen, Unsent};
use wasm_bindgen::JsCast;

use super::clock::{monotonic, new_id};
use super::database::{Fault, Mode, Rows, Transaction};
use super::keeper::{BOOKS, Keeper, LOST};
use super::{Driver, spawn};
use crate::app::alone::{self, Brought};
use crate::app::browser::window;
use crate::app::store::BookItem;

impl Driver {
    /// Why what is written here is kept nowhere but in this window, where that is so.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.fault.get()
    }

    pub(super) fn listen_to_other_tabs(self: &Rc<Self>) {
        let driver = Rc::downgrade(self);
        let Some(keeper) = self.keeper() else { return };
        keeper.listen(move |book| {
            if let Some(driver) = driver.upgrade() {
                spawn(driver.read_book(book));
            }
        });
    }

    /// Reads what other tabs wrote while this one did not listen.
    pub(crate) fn catch_up(self: &Rc<Self>) {
        for book in self.books.borrow().iter() {
            spawn(self.clone().read_book(*book));
        }
    }

    /// Writes whatever is to be written, unless that is going on.
    pub(super) fn keep(self: &Rc<Self>) {
        let is_due = self.keeper.borrow().is_some() && !self.replica.borrow().to_write().is_empty();
        if is_due && !self.is_keeping.replace(true) {
            spawn(self.clone().keep_all());
        }
    }

    async fn keep_all(self: Rc<Self>) {
        while let Some(keeper) = self.keeper() {
            let Some(book) = self.replica.borrow().to_write().first().copied() else { break };
            if let Err(fault) = self.write_book(&keeper, book).await {
                self.step(|replica, _| replica.handle_write_failed(book));
                self.lose_store(fault);
            }
        }
        self.is_keeping.set(false);
        self.forget_where_it_came_from();
    }

    /// All that was brought is in this store: where it came from has no more use.
    fn forget_where_it_came_from(&self) {
        let is_kept = |brought: &mut Brought| {
            let is_taken = self.read(|replica| replica.book(brought.book).is_some()) && brought.mutations.is_empty();
            brought.is_whole && is_taken && !self.has_unsaved(brought.book)
        };
        if self.keeper.borrow().is_some()
            && let Some(brought) = self.brought.borrow_mut().take_if(is_kept)
        {
            spawn(alone::forget(brought.from));
        }
    }

    /// Reads what others wrote, then writes what is new here, in one transaction.
    async fn write_book(self: &Rc<Self>, keeper: &Keeper, book: BookId) -> Result<(), Fault> {
        // What only arrived here can arrive once more; what was typed here is nowhere else.
        let is_typed = self.has_unsaved(book);
        let transaction = keeper.transaction(if is_typed { Mode::WriteForGood } else { Mode::Write })?;
        let put = match self.take_in(&transaction, book).await {
            // Typed while it began: that needs another kind of transaction.
            Ok(()) if !is_typed && self.has_unsaved(book) => {
                transaction.abort();
                return Ok(());
            }
            Ok(()) => match self.replica.borrow_mut().take_write(book) {
                Some(write) => transaction.write(book, &write),
                None => Ok(()),
            },
            Err(fault) => Err(fault),
        };
        if let Err(fault) = put {
            transaction.abort();
            return Err(fault);
        }
        transaction.done().await?;
        self.step(|replica, _| replica.handle_written(book));
        keeper.tell_others(book);
        if is_typed && !self.asked_to_stay.replace(true) {
            ask_to_stay();
        }
        Ok(())
    }

    fn has_unsaved(&self, book: BookId) -> bool {
        self.read(|replica| replica.book(book).is_some_and(|copy| copy.unsaved() > 0))
    }

    /// Takes in what the store has of a book and this window has not.
    async fn take_in(self: &Rc<Self>, transaction: &Transaction, book: BookId) -> Result<(), Fault> {
        let stored = transaction.replica().await?;
        if stored != self.read(Replica::id) {
            self.step(|replica, now| replica.handle_new_replica(now, stored));
        }
        // What does not read was written by a later version of the app, which is not to be harmed.
        if let Some(head) = transaction.head(book).await?
            && let Some(lacking) = self.read(|replica| replica.lacking(book, &head)).map_err(|_| Fault::Newer)?
        {
            let stored = transaction.read(book, head, lacking).await?;
            self.step(|replica, _| replica.handle_stored(book, &stored)).map_err(|_| Fault::Newer)?;
        }
        // Also of a book of which nothing is stored yet, and which begins with a snapshot: the write waits for it.
        if self.read(|replica| replica.wants_confirmed(book)) {
            let rows = transaction.all_of(Rows::Confirmed, book).await?;
            self.step(|replica, _| replica.handle_confirmed(book, rows)).map_err(|_| Fault::Newer)?;
        }
        Ok(())
    }

    async fn read_book(self: Rc<Self>, book: BookId) {
        let Some(keeper) = self.keeper() else { return };
        let Ok(transaction) = keeper.transaction(Mode::Read) else { return self.lose_store(Fault::Gone) };
        if let Err(fault) = self.take_in(&transaction, book).await {
            self.lose_store(fault);
        }
    }

    /// Opens a book with what the store has of it.
    pub(crate) async fn open_kept_book(self: Rc<Self>, book: BookId) {
        let stored = match self.keeper() {
            Some(keeper) => self.stored(&keeper, book).await,
            None => Ok(None),
        };
        match stored {
            Ok(Some(stored)) => {
                if self.step(|replica, _| replica.open_stored_book(book, &stored)).is_err() {
                    self.lose_store(Fault::Newer);
                }
            }
            Ok(None) => self.follow_book(book),
            Err(fault) => {
                self.lose_store(fault);
                self.follow_book(book);
            }
        }
        self.take_over(book);
    }

    /// Writes what was brought from a book without an account, all but what an earlier attempt has written.
    pub(super) fn take_over(self: &Rc<Self>, book: BookId) {
        let mut brought = self.brought.borrow_mut();
        let Some(brought) = brought.as_mut().filter(|brought| brought.book == book) else { return };
        let mutations = std::mem::take(&mut brought.mutations);
        self.step(|replica, _| {
            for mutation in mutations {
                let is_here = |copy: &BookCopy<Ledger>| copy.pending().any(|it| it.mutation.id == mutation.id);
                if !replica.book(book).is_some_and(is_here) {
                    // What the view refuses is in the book already.
                    let _ = replica.mutate(book, mutation);
                }
            }
        });
    }

    /// Everything that was written in a book here, for another to take over: nobody writes in this store any more.
    pub(crate) async fn hand_over(self: &Rc<Self>, book: BookId) -> Vec<NewMutation<LedgerOp>> {
        // This window writes there no more either.
        if let Some(keeper) = self.keeper.take()
            && let Err(fault) = self.close_for_good(&keeper, book).await
        {
            // What is in memory is all there is for now.
            self.fault.set(Some(fault));
        }
        self.stop();
        self.read(|replica| {
            let pending = replica.book(book).into_iter().flat_map(BookCopy::pending).map(|pending| &pending.mutation);
            let anew = pending.filter(|mutation| !mutation.ops.is_empty()).map(|mutation| NewMutation {
                id: mutation.id,
                made_at: mutation.made_at,
                base: Seen::default(),
                ops: mutation.ops.clone(),
                undoes: None,
            });
            anew.collect()
        })
    }

    async fn close_for_good(self: &Rc<Self>, keeper: &Keeper, book: BookId) -> Result<(), Fault> {
        let transaction = keeper.transaction(Mode::WriteForGood)?;
        self.take_in(&transaction, book).await?;
        transaction.close_for_good()?;
        transaction.done().await?;
        keeper.tell_others(book);
        Ok(())
    }

    async fn stored(&self, keeper: &Keeper, book: BookId) -> Result<Option<tidebook_replica::Stored>, Fault> {
        let transaction = keeper.transaction(Mode::Read)?;
        let Some(head) = transaction.head(book).await? else { return Ok(None) };
        let lacking = Lacking::all_of(&head).map_err(|_| Fault::Newer)?;
        transaction.read(book, head, lacking).await.map(Some)
    }

    /// What the person wrote that is not in its book, also where the book was not opened in this window.
    pub(crate) async fn unsent_in(&self, book: BookId) -> Unsent {
        if let Some(unsent) = self.read(|replica| replica.book(book).map(BookCopy::unsent)) {
            return unsent;
        }
        match self.keeper() {
            Some(keeper) => keeper.unsent(book).await.unwrap_or_default(),
            None => Unsent::default(),
        }
    }

    pub(super) async fn forget_kept_book(self: Rc<Self>, book: BookId) {
        if let Some(keeper) = self.keeper()
            && let Err(fault) = keeper.forget(book).await
        {
            self.lose_store(fault);
        }
    }

    /// Keeps something under a name, with the account.
    pub(crate) async fn keep_fact(self: Rc<Self>, name: &'static str, fact: String) {
        if let Some(keeper) = self.keeper()
            && let Err(fault) = keeper.keep_fact(name, &fact).await
        {
            self.lose_store(fault);
        }
    }

    /// The person's books as any tab knew them last.
    pub(crate) async fn kept_books(&self) -> Option<Vec<BookItem>> {
        self.keeper()?.fact(BOOKS).await
    }

    /// Of this book nothing stays on the device but what is told of it.
    pub(crate) async fn keep_only(self: Rc<Self>, book: BookId, told: String) {
        self.clone().keep_fact(LOST, told).await;
        self.forget_kept_book(book).await;
    }

    /// This device's numbers are another's too: it goes on under a new id, the same in all tabs.
    pub(super) fn renew_replica(self: &Rc<Self>, replica: &mut Replica<Ledger>) {
        let old = replica.id();
        let Some(keeper) = self.keeper() else { return replica.handle_new_replica(monotonic(), fresh()) };
        let driver = self.clone();
        spawn(async move {
            match keeper.renew_replica(old).await {
                Ok(new) => driver.step(|replica, now| replica.handle_new_replica(now, new)),
                Err(fault) => driver.lose_store(fault),
            }
        });
    }

    /// From now on nothing is kept, which the person is told.
    fn lose_store(self: &Rc<Self>, fault: Fault) {
        if self.keeper.take().is_none() {
            return;
        }
        if fault == Fault::Moved && self.unsaved() == 0 {
            // The page comes up again as that account's. A page can always be loaded again.
            let _ = window().location().reload();
        } else {
            self.fault.set(Some(fault));
            self.step(|replica, now| replica.go_on_in_memory(now, fresh()));
        }
    }

    pub(super) fn keeper(&self) -> Option<Rc<Keeper>> {
        self.keeper.borrow().clone()
    }
}

fn fresh() -> ReplicaId {
    ReplicaId(new_id())
}

/// Asks the browser not to throw the store away when the device runs out of room. It may say no, and may ask the person,
/// who has written something by now.
fn ask_to_stay() {
    let storage = Reflect::get(&window().navigator(), &"storage".into()).unwrap_or_default();
    let persist = Reflect::get(&storage, &"persist".into()).ok().and_then(|it| it.dyn_into::<Function>().ok());
    if let Some(persist) = persist {
        // What it answers changes nothing here.
        let _ = persist.call0(&storage);
    }
}
