//! What the screens read: signals over the replica, owned by the root and handed down as one `Copy` handle.
//!
//! The replica tells what changed in steps; [`Store::hear`] looks at just that and sets each signal only when its value
//! is another. Lists and pages then read the replica's view themselves, no more of it than they draw.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use leptos::prelude::*;
use serde::Deserialize;
use tidebook_book::{BookId, MutationId, Person, Role, Seq, UnixMillis, UserId};
use tidebook_ledger::{Balances, BookFacts, CivilDate, ContactId, Currency, Ledger, LedgerOp, LedgerState, Touched};
use tidebook_replica::{BookCopy, NewMutation, SyncStatus};

use crate::app::browser;
use crate::app::driver::{self, Alarm, Driver, News};
use crate::app::format::Surrounding;
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

/// What a person has to decide on: a change the book did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedChange {
    pub(crate) mutation: MutationId,
    pub(crate) ops: Vec<String>,
    pub(crate) reason: String,
}

/// What the sheet is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sheet {
    Transaction { contact: Option<ContactId>, got: bool },
    Person,
    Book,
}

/// Rows to flash. The number tells two flashes of the same rows apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flash {
    pub(crate) number: u64,
    pub(crate) rows: BTreeSet<Touched>,
}

#[derive(Clone, Copy)]
pub(crate) struct Store {
    pub(crate) phase: RwSignal<Phase>,
    pub(crate) route: RwSignal<Route>,
    pub(crate) me: RwSignal<Option<Me>>,
    pub(crate) books: RwSignal<Vec<BookItem>>,
    pub(crate) book: RwSignal<Option<BookId>>,
    /// Of the open book, once its first entry is here.
    pub(crate) facts: RwSignal<Option<BookFacts>>,
    pub(crate) people: RwSignal<Vec<Person>>,
    pub(crate) role: RwSignal<Option<Role>>,
    pub(crate) totals: RwSignal<Balances>,
    /// The open book's log has been here up to its head.
    pub(crate) was_current: RwSignal<bool>,
    pub(crate) status: RwSignal<SyncStatus>,
    pub(crate) reached: RwSignal<bool>,
    pub(crate) rejected: RwSignal<Vec<RejectedChange>>,
    pub(crate) held: RwSignal<Option<String>>,
    pub(crate) waiting: RwSignal<Waiting>,
    pub(crate) flash: RwSignal<Flash>,
    pub(crate) today: RwSignal<CivilDate>,
    pub(crate) sheet: RwSignal<Option<Sheet>>,
    pub(crate) toast: RwSignal<Option<String>>,
    /// Something in the list of contacts changed.
    pub(crate) contacts_changed: Trigger,
    contact_changed: StoredValue<HashMap<ContactId, ArcTrigger>>,
    summaries: StoredValue<HashMap<ContactId, ContactSummary>>,
    last_synced: StoredValue<Option<UnixMillis>>,
    driver: StoredValue<Option<Rc<Driver>>, LocalStorage>,
    /// Drivers of people whose session ended while something of theirs was only here.
    parked: StoredValue<Vec<Rc<Driver>>, LocalStorage>,
    mark_alarm: StoredValue<Alarm, LocalStorage>,
    /// Somebody was signed in in this window before.
    pub(crate) was_here: StoredValue<bool>,
}

impl Store {
    pub(crate) fn new(phase: Phase) -> Self {
        Self {
            phase: RwSignal::new(phase),
            route: RwSignal::new(Route::Contacts),
            me: RwSignal::new(None),
            books: RwSignal::new(Vec::new()),
            book: RwSignal::new(None),
            facts: RwSignal::new(None),
            people: RwSignal::new(Vec::new()),
            role: RwSignal::new(None),
            totals: RwSignal::new(Balances::new()),
            was_current: RwSignal::new(false),
            status: RwSignal::new(SyncStatus::Offline(0)),
            reached: RwSignal::new(false),
            rejected: RwSignal::new(Vec::new()),
            held: RwSignal::new(None),
            waiting: RwSignal::new(Waiting::default()),
            flash: RwSignal::new(Flash::default()),
            today: RwSignal::new(driver::today()),
            sheet: RwSignal::new(None),
            toast: RwSignal::new(None),
            contacts_changed: Trigger::new(),
            contact_changed: StoredValue::new(HashMap::new()),
            summaries: StoredValue::new(HashMap::new()),
            last_synced: StoredValue::new(None),
            driver: StoredValue::new_local(None),
            parked: StoredValue::new_local(Vec::new()),
            mark_alarm: StoredValue::new_local(Alarm::default()),
            was_here: StoredValue::new(Self::remembered_book().is_some()),
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
        self.summaries.with_value(read)
    }

    /// Makes the caller run again when something about this contact or its transactions changes.
    pub(crate) fn track_contact(self, id: ContactId) {
        let mut trigger = None;
        self.contact_changed.update_value(|triggers| trigger = Some(triggers.entry(id).or_default().clone()));
        trigger.into_iter().for_each(|trigger| trigger.track());
    }

    pub(crate) fn driver(self) -> Option<Rc<Driver>> {
        self.driver.get_value()
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

    /// Whether the person may write; until the server has told, nothing speaks against it.
    pub(crate) fn may_write(self) -> bool {
        self.role.get().is_none_or(Role::may_write)
    }

    /// The seq at which a form reads what it shows.
    pub(crate) fn seq(self) -> Seq {
        self.copy(BookCopy::seq).unwrap_or(Seq::ZERO)
    }

    pub(crate) fn last_synced(self) -> Option<UnixMillis> {
        self.last_synced.get_value()
    }

    /// How many changes are only in this window, of whoever.
    pub(crate) fn unsent(self) -> usize {
        let parked: usize = self.parked.with_value(|parked| parked.iter().map(|driver| driver.unsent()).sum());
        parked + self.driver().map_or(0, |driver| driver.unsent())
    }

    // Doing.

    /// What a person did. An error says in words why it could not be.
    pub(crate) fn mutate(self, base: Seq, ops: Vec<LedgerOp>) -> Result<(), String> {
        let (Some(book), Some(driver)) = (self.book.get_untracked(), self.driver()) else {
            return Err("No book is open.".into());
        };
        let new = NewMutation { id: MutationId(driver::new_id()), made_at: driver::now(), base, ops };
        driver.step(|replica, _| replica.mutate(book, new)).map(drop).map_err(|error| error.to_string())
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
        put(self.today, driver::today());
    }

    pub(crate) fn say(self, words: impl Into<String>) {
        self.toast.set(Some(words.into()));
    }

    pub(crate) fn remembered_book() -> Option<BookId> {
        browser::remembered(LAST_BOOK)?.parse().ok()
    }

    /// Shows a book, and follows it from now on.
    pub(crate) fn open_book(self, book: BookId) {
        browser::remember(LAST_BOOK, &book.to_string());
        self.book.set(Some(book));
        self.was_current.set(false);
        self.phase.set(Phase::Open);
        if let Some(driver) = self.driver() {
            driver.open_book(book);
        }
        self.look_at_all();
        self.look_at_status();
    }

    // Sessions.

    /// Takes up where the person left off, if they were here before in this window, or starts anew.
    pub(crate) fn employ_driver(self, me: &Me) {
        let mut left = None;
        self.parked.update_value(|parked| {
            let place = parked.iter().position(|driver| driver.user() == me.id);
            left = place.map(|place| parked.swap_remove(place));
        });
        let driver = left.unwrap_or_else(|| Driver::new(me.id, move |news| self.hear(news)));
        self.driver.set_value(Some(driver.clone()));
        driver.connect_now();
    }

    /// The session is over. What waits in the outbox stays in memory until the same person signs in again.
    pub(crate) fn park_driver(self) {
        if let Some(driver) = self.driver() {
            driver.stop();
            if driver.unsent() > 0 {
                self.parked.update_value(|parked| parked.push(driver));
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
        self.was_here.set_value(true);
        self.driver.set_value(None);
        self.book.set(None);
        self.books.set(Vec::new());
        self.me.set(None);
        self.sheet.set(None);
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
        let of_book = self.book.get_untracked().and_then(|book| news.books.get(&book));
        if let Some(of_book) = of_book {
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
            put(self.totals, state.totals().clone());
            put(self.facts, state.book().cloned());
            contacts.iter().map(|id| (*id, summarise(state, *id, &Surrounding))).collect::<Vec<_>>()
        });
        let mut is_changed = false;
        self.summaries.update_value(|known| {
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
        self.contact_changed.with_value(|triggers| {
            contacts.iter().filter_map(|id| triggers.get(id)).for_each(|trigger| trigger.notify());
        });
    }

    fn look_at_all(self) {
        let summaries = self.view(|state| {
            put(self.totals, state.totals().clone());
            put(self.facts, state.book().cloned());
            let contacts = state.contacts().filter_map(|contact| summarise(state, contact.id, &Surrounding));
            contacts.map(|summary| (summary.id, summary)).collect::<HashMap<_, _>>()
        });
        if summaries.is_none() {
            put(self.totals, Balances::new());
            put(self.facts, None);
        }
        self.summaries.set_value(summaries.unwrap_or_default());
        self.contacts_changed.notify();
        self.contact_changed.with_value(|triggers| triggers.values().for_each(|trigger| trigger.notify()));
        self.look_at_people();
    }

    fn look_at_people(self) {
        let (people, role) = self.copy(|copy| (copy.people().to_vec(), copy.role())).unwrap_or_default();
        put(self.people, people);
        put(self.role, role);
    }

    fn look_at_status(self) {
        let Some((book, driver)) = self.book.get_untracked().zip(self.driver()) else {
            return put(self.waiting, Waiting::default());
        };
        let status = driver.read(|replica| replica.sync_status(book));
        put(self.status, status);
        put(self.reached, driver.reached());
        let is_current = self.copy(|copy| copy.epoch().is_some() && copy.seq() >= copy.head()).unwrap_or(false);
        if is_current {
            put(self.was_current, true);
        }
        if status == SyncStatus::Synced {
            self.last_synced.set_value(Some(driver::now()));
        }
        put(self.rejected, self.copy(rejected_changes).unwrap_or_default());
        put(self.held, self.copy(|copy| copy.held().map(str::to_owned)).flatten());
        self.look_at_waiting();
    }

    fn look_at_waiting(self) {
        let (waiting, next_in) = self.copy(|copy| waiting(copy.pending(), driver::now())).unwrap_or_default();
        put(self.waiting, waiting);
        self.mark_alarm.update_value(|alarm| match next_in.and_then(|ms| u64::try_from(ms).ok()) {
            Some(ms) => alarm.set(ms, move || self.look_at_waiting()),
            None => alarm.clear(),
        });
    }
}

/// Sets a signal only where its value is another, so that nothing is drawn again for nothing.
fn put<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|old| *old != value) {
        signal.set(value);
    }
}

fn rejected_changes(copy: &BookCopy<Ledger>) -> Vec<RejectedChange> {
    let rejected = copy.rejections().iter().map(|rejection| RejectedChange {
        mutation: rejection.mutation.id,
        ops: rejection.mutation.ops.iter().map(crate::app::sync_menu::op_words).collect(),
        reason: rejection.rejected.detail.clone(),
    });
    rejected.collect()
}
