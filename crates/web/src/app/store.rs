//! What the screens read: signals over the replica, owned by the root and handed down as one `Copy` handle.
//!
//! The replica tells what changed in steps; [`Store::hear`] looks at just that and sets each signal only when its value
//! is another. Lists and pages then read the replica's view themselves, no more of it than they draw.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use leptos::prelude::*;
use send_wrapper::SendWrapper;
use serde::Deserialize;
use tidebook_book::{BookId, MutationId, Person, Role, Seq, UnixMillis, UserId};
use tidebook_ledger::{
    Balances, BookFacts, BookRecord, CivilDate, ContactId, Currency, Ledger, LedgerOp, LedgerState, Touched,
    TransactionId,
};
use tidebook_replica::{BookCopy, NewMutation, SyncStatus};

use crate::app::browser;
use crate::app::driver::{self, Alarm, Driver, News};
use crate::app::format::Surrounding;
use crate::app::unsent::{Lost, RejectedChange, rejected_changes, unsent_words};
use crate::app::watched::Watched;
use crate::conflict::{Card, cards};
use crate::route::Route;
use crate::summary::{ContactSummary, summarise};
use crate::waiting::{Waiting, waiting};

const LAST_BOOK: &str = "tidebook-book";

/// Where the person stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    SignedOut,
    /// The server did not answer at the start.
    Unreachable,
    FirstBook,
    Open,
    /// No longer a member of the book that was open.
    Removed,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Me {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct BookItem {
    pub(crate) id: BookId,
    pub(crate) name: String,
    pub(crate) currency: Currency,
}

/// What the sheet is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sheet {
    Transaction { contact: Option<ContactId>, got: bool },
    EditTransaction(TransactionId),
    Person,
    EditPerson(ContactId),
    Book,
}

/// A line that comes and goes.
#[derive(Debug, Clone)]
pub(crate) struct Toast {
    pub(crate) words: String,
    /// What takes back what it speaks of.
    pub(crate) undo: Option<LedgerOp>,
}

/// Rows to flash. The number tells two flashes of the same rows apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flash {
    pub(crate) number: u64,
    pub(crate) rows: BTreeSet<Touched>,
}

/// There is one thread, but what is watched may be asked for from any.
type Employed = SendWrapper<Rc<Driver>>;

#[derive(Clone, Copy)]
pub(crate) struct Store {
    pub(crate) phase: Watched<Phase>,
    pub(crate) route: Watched<Route>,
    pub(crate) me: Watched<Option<Me>>,
    pub(crate) books: Watched<Vec<BookItem>>,
    pub(crate) book: Watched<Option<BookId>>,
    /// Of the open book, once its first entry is here.
    pub(crate) facts: Watched<Option<BookFacts>>,
    pub(crate) people: Watched<Vec<Person>>,
    pub(crate) role: Watched<Option<Role>>,
    pub(crate) totals: Watched<Balances>,
    /// The open book's log has been here up to its head.
    pub(crate) was_current: Watched<bool>,
    pub(crate) status: Watched<SyncStatus>,
    pub(crate) reached: Watched<bool>,
    pub(crate) rejected: Watched<Vec<RejectedChange>>,
    pub(crate) held: Watched<Option<String>>,
    pub(crate) waiting: Watched<Waiting>,
    pub(crate) flash: Watched<Flash>,
    pub(crate) today: Watched<CivilDate>,
    pub(crate) sheet: Watched<Option<Sheet>>,
    pub(crate) toast: Watched<Option<Toast>>,
    /// Of the open book, in the order they were raised.
    pub(crate) conflicts: Watched<Vec<Card>>,
    pub(crate) lost: Watched<Option<Lost>>,
    /// The token of an invite that is still to be accepted.
    pub(crate) invite: Watched<Option<String>>,
    /// Something in the list of contacts changed.
    pub(crate) contacts_changed: Trigger,
    contact_changed: Watched<HashMap<ContactId, ArcTrigger>>,
    summaries: Watched<HashMap<ContactId, ContactSummary>>,
    last_synced: Watched<Option<UnixMillis>>,
    driver: Watched<Option<Employed>>,
    /// Drivers of people whose session ended while something of theirs was only here.
    parked: Watched<Vec<Employed>>,
    mark_alarm: Watched<SendWrapper<Alarm>>,
    /// Somebody was signed in in this window before.
    pub(crate) was_here: Watched<bool>,
}

impl Store {
    pub(crate) fn new(phase: Phase) -> Self {
        Self {
            phase: Watched::new(phase),
            route: Watched::new(Route::Contacts),
            me: Watched::new(None),
            books: Watched::new(Vec::new()),
            book: Watched::new(None),
            facts: Watched::new(None),
            people: Watched::new(Vec::new()),
            role: Watched::new(None),
            totals: Watched::new(Balances::new()),
            was_current: Watched::new(false),
            status: Watched::new(SyncStatus::Offline(0)),
            reached: Watched::new(false),
            rejected: Watched::new(Vec::new()),
            held: Watched::new(None),
            waiting: Watched::new(Waiting::default()),
            flash: Watched::new(Flash::default()),
            today: Watched::new(driver::today()),
            sheet: Watched::new(None),
            toast: Watched::new(None),
            conflicts: Watched::new(Vec::new()),
            lost: Watched::new(None),
            invite: Watched::new(None),
            contacts_changed: Trigger::new(),
            contact_changed: Watched::new(HashMap::new()),
            summaries: Watched::new(HashMap::new()),
            last_synced: Watched::new(None),
            driver: Watched::new(None),
            parked: Watched::new(Vec::new()),
            mark_alarm: Watched::new(SendWrapper::new(Alarm::default())),
            was_here: Watched::new(Self::remembered_book().is_some()),
        }
    }

    // Reading.

    /// Reads what the screen shows of the open book. Not tracked: the caller tracks what it depends on.
    pub(crate) fn view<R>(self, read: impl FnOnce(&LedgerState) -> R) -> Option<R> {
        self.copy(|copy| read(&copy.view().domain))
    }

    fn copy<R>(self, read: impl FnOnce(&BookCopy<Ledger>) -> R) -> Option<R> {
        let book = self.book.get_untracked()?;
        self.driver()?.read(|replica| replica.book(book).map(read))
    }

    pub(crate) fn summaries<R>(self, read: impl FnOnce(&HashMap<ContactId, ContactSummary>) -> R) -> R {
        self.summaries.with_untracked(read)
    }

    /// Makes the caller run again when something about this contact or its transactions changes.
    pub(crate) fn track_contact(self, id: ContactId) {
        let mut trigger = None;
        self.contact_changed.update_untracked(|triggers| trigger = Some(triggers.entry(id).or_default().clone()));
        trigger.into_iter().for_each(|trigger| trigger.track());
    }

    pub(crate) fn driver(self) -> Option<Rc<Driver>> {
        self.driver.with_untracked(|driver| driver.as_deref().cloned())
    }

    /// The open book's own currency.
    pub(crate) fn currency(self) -> Option<Currency> {
        let from_view = self.facts.with(|facts| facts.as_ref().map(|facts| facts.currency));
        from_view.or_else(|| self.book_item().map(|item| item.currency))
    }

    pub(crate) fn book_name(self) -> String {
        let from_view = self.facts.with(|facts| facts.as_ref().map(|facts| facts.name.clone()));
        from_view.or_else(|| self.book_item().map(|item| item.name)).unwrap_or_default()
    }

    fn book_item(self) -> Option<BookItem> {
        let book = self.book.get();
        self.books.with(|items| items.iter().find(|item| Some(item.id) == book).cloned())
    }

    /// Somebody by name; `you` is the word for the person themselves.
    pub(crate) fn who(self, user: UserId, you: &str) -> String {
        if self.is_me(user) {
            return you.to_owned();
        }
        let name = |people: &Vec<Person>| Some(people.iter().find(|person| person.id == user)?.name.clone());
        self.people.with(name).unwrap_or_else(|| "somebody".into())
    }

    pub(crate) fn is_me(self, user: UserId) -> bool {
        self.me.with(|me| me.as_ref().is_some_and(|me| me.id == user))
    }

    /// Whether the person may write; until the server has told, nothing speaks against it.
    pub(crate) fn may_write(self) -> bool {
        self.role.get().is_none_or(Role::may_write)
    }

    /// The seq at which a form reads what it shows.
    pub(crate) fn seq(self) -> Seq {
        self.copy(BookCopy::seq).unwrap_or(Seq::ZERO)
    }

    pub(crate) fn last_synced(self) -> Option<UnixMillis> {
        self.last_synced.get_untracked()
    }

    /// How many changes are only in this window, of whoever.
    pub(crate) fn unsent(self) -> usize {
        let parked: usize = self.parked.with_untracked(|parked| parked.iter().map(|driver| driver.unsent()).sum());
        parked + self.driver().map_or(0, |driver| driver.unsent())
    }

    // Doing.

    /// What a person did. An error says in words why it could not be.
    pub(crate) fn mutate(self, base: Seq, ops: Vec<LedgerOp>) -> Result<(), String> {
        let (Some(book), Some(driver)) = (self.book.get_untracked(), self.driver()) else {
            return Err("No book is open.".into());
        };
        let new = NewMutation { id: MutationId(driver::new_id()), made_at: driver::now(), base, ops, undoes: None };
        driver.step(|replica, _| replica.mutate(book, new)).map(drop).map_err(|error| error.to_string())
    }

    /// Deletes something as it was at `base`, and offers to take that back.
    pub(crate) fn delete(self, base: Seq, delete: LedgerOp, undo: LedgerOp, words: String) {
        match self.mutate(base, vec![delete]) {
            Ok(()) => self.toast.set(Some(Toast { words, undo: Some(undo) })),
            Err(words) => self.say(words),
        }
    }

    /// What needs no form: an error is told by itself.
    pub(crate) fn act(self, base: Seq, op: LedgerOp) {
        if let Err(words) = self.mutate(base, vec![op]) {
            self.say(words);
        }
    }

    pub(crate) fn discard(self, mutation: MutationId) {
        if let (Some(book), Some(driver)) = (self.book.get_untracked(), self.driver()) {
            driver.step(|replica, _| replica.discard_rejection(book, mutation));
        }
    }

    pub(crate) fn connect_now(self) {
        if let Some(driver) = self.driver() {
            driver.connect_now();
        }
    }

    pub(crate) fn look_at_the_day(self) {
        self.today.put(driver::today());
    }

    pub(crate) fn say(self, words: impl Into<String>) {
        self.toast.set(Some(Toast { words: words.into(), undo: None }));
    }

    pub(crate) fn remembered_book() -> Option<BookId> {
        browser::remembered(LAST_BOOK)?.parse().ok()
    }

    pub(crate) fn remember_book(book: BookId) {
        browser::remember(LAST_BOOK, &book.to_string());
    }

    /// Shows a book, and follows it from now on.
    pub(crate) fn open_book(self, book: BookId) {
        Self::remember_book(book);
        self.book.set(Some(book));
        self.was_current.set(false);
        self.phase.set(Phase::Open);
        if let Some(driver) = self.driver() {
            driver.open_book(book);
        }
        self.look_at_all();
        self.look_at_status();
    }

    /// The person is no longer in the open book: nothing of it stays on the screen, and what of theirs never came into
    /// it is kept apart.
    fn lose(self, book: BookId) {
        let name = self.book_name();
        let unsent = self.copy(unsent_words).unwrap_or_default();
        self.lost.set(Some(Lost { book, name, unsent }));
        self.sheet.set(None);
        self.toast.set(None);
        self.books.update(|books| books.retain(|item| item.id != book));
        browser::forget(LAST_BOOK);
        // The screens go before what they show.
        self.phase.set(Phase::Removed);
        self.book.set(None);
        self.look_at_all();
    }

    /// Lets go of a lost book and what was written for it, and goes to the next one.
    pub(crate) fn leave_lost_book(self) {
        if let (Some(lost), Some(driver)) = (self.lost.get_untracked(), self.driver()) {
            driver.let_go_of(lost.book);
        }
        self.lost.set(None);
        match self.books.with_untracked(|books| books.first().map(|item| item.id)) {
            Some(book) => self.open_book(book),
            None => self.phase.set(Phase::FirstBook),
        }
    }

    // Sessions.

    /// Takes up where the person left off, if they were here before in this window, or starts anew.
    pub(crate) fn employ_driver(self, me: &Me) {
        let mut left = None;
        self.parked.update_untracked(|parked| {
            let place = parked.iter().position(|driver| driver.user() == me.id);
            left = place.map(|place| parked.swap_remove(place).take());
        });
        let driver = left.unwrap_or_else(|| Driver::new(me.id, move |news| self.hear(news)));
        self.driver.set(Some(SendWrapper::new(driver.clone())));
        driver.connect_now();
    }

    /// The session is over. What waits in the outbox stays in memory until the same person signs in again.
    pub(crate) fn park_driver(self) {
        if let Some(driver) = self.driver() {
            driver.stop();
            if driver.unsent() > 0 {
                self.parked.update_untracked(|parked| parked.push(SendWrapper::new(driver)));
            }
        }
        self.leave();
    }

    /// The person signed out: nothing of theirs stays.
    pub(crate) fn dismiss_driver(self) {
        if let Some(driver) = self.driver() {
            driver.stop();
        }
        browser::forget(LAST_BOOK);
        self.leave();
    }

    fn leave(self) {
        self.was_here.set(true);
        self.driver.set(None);
        self.book.set(None);
        self.books.set(Vec::new());
        self.me.set(None);
        self.sheet.set(None);
        self.lost.set(None);
        self.look_at_all();
        self.look_at_status();
        self.phase.set(Phase::SignedOut);
    }

    // Listening.

    /// Something happened in the replica.
    fn hear(self, news: News) {
        if news.signed_out {
            return self.park_driver();
        }
        news.server_errors.into_iter().for_each(|detail| self.say(driver::sentence(&detail)));
        let open = self.book.get_untracked();
        if let Some((_, of_book)) = news.books.iter().find(|(book, _)| Some(*book) == open) {
            if of_book.is_reset {
                self.look_at_all();
            } else {
                self.look_at(&of_book.touched);
            }
            if of_book.people {
                self.look_at_people();
            }
            if of_book.rejected > 0 {
                self.say("The book did not take something you wrote.");
            }
            if !of_book.from_others.is_empty() {
                let rows = of_book.from_others.clone();
                self.flash.update(|flash| *flash = Flash { number: flash.number + 1, rows });
            }
        }
        self.look_at_status();
    }

    fn look_at(self, touched: &BTreeSet<Touched>) {
        let contacts = touched.iter().filter_map(|touched| match touched {
            Touched::Contact(id) => Some(*id),
            _ => None,
        });
        let contacts: Vec<ContactId> = contacts.collect();
        let summaries = self.view(|state| {
            self.look_at_sums(state);
            contacts.iter().map(|id| (*id, summarise(state, *id, &Surrounding))).collect::<Vec<_>>()
        });
        let mut is_changed = false;
        self.summaries.update_untracked(|known| {
            for (id, summary) in summaries.into_iter().flatten() {
                is_changed |= known.get(&id) != summary.as_ref();
                match summary {
                    Some(summary) => drop(known.insert(id, summary)),
                    None => drop(known.remove(&id)),
                }
            }
        });
        if is_changed {
            self.contacts_changed.notify();
        }
        self.contact_changed.with_untracked(|triggers| {
            contacts.iter().filter_map(|id| triggers.get(id)).for_each(|trigger| trigger.notify());
        });
    }

    fn look_at_all(self) {
        let summaries = self.view(|state| {
            self.look_at_sums(state);
            let contacts = state.contacts().filter_map(|contact| summarise(state, contact.id, &Surrounding));
            contacts.map(|summary| (summary.id, summary)).collect::<HashMap<_, _>>()
        });
        if summaries.is_none() {
            self.totals.put(Balances::new());
            self.facts.put(None);
            self.conflicts.put(Vec::new());
        }
        self.summaries.set(summaries.unwrap_or_default());
        self.contacts_changed.notify();
        self.contact_changed.with_untracked(|triggers| triggers.values().for_each(|trigger| trigger.notify()));
        self.look_at_people();
    }

    fn look_at_sums(self, state: &LedgerState) {
        self.totals.put(state.totals().clone());
        self.facts.put(state.book().map(BookRecord::facts));
        self.conflicts.put(cards(state));
    }

    fn look_at_people(self) {
        let read = |copy: &BookCopy<Ledger>| (copy.people().to_vec(), copy.role(), copy.is_removed());
        let (people, role, is_removed) = self.copy(read).unwrap_or_default();
        self.people.put(people);
        self.role.put(role);
        if let Some(book) = self.book.get_untracked().filter(|_| is_removed) {
            self.lose(book);
        }
    }

    fn look_at_status(self) {
        let Some((book, driver)) = self.book.get_untracked().zip(self.driver()) else {
            return self.waiting.put(Waiting::default());
        };
        let status = driver.read(|replica| replica.sync_status(book));
        self.status.put(status);
        self.reached.put(driver.reached());
        let is_current = self.copy(|copy| copy.epoch().is_some() && copy.seq() >= copy.head()).unwrap_or(false);
        if is_current {
            self.was_current.put(true);
        }
        if status == SyncStatus::Synced {
            self.last_synced.set(Some(driver::now()));
        }
        self.rejected.put(self.copy(rejected_changes).unwrap_or_default());
        self.held.put(self.copy(|copy| copy.held().map(|held| held.detail.clone())).flatten());
        self.look_at_waiting();
    }

    fn look_at_waiting(self) {
        let (waiting, next_in) = self.copy(|copy| waiting(copy.pending(), driver::now())).unwrap_or_default();
        self.waiting.put(waiting);
        self.mark_alarm.update_untracked(|alarm| match next_in.and_then(|ms| u64::try_from(ms).ok()) {
            Some(ms) => alarm.set(ms, move || self.look_at_waiting()),
            None => alarm.clear(),
        });
    }
}
