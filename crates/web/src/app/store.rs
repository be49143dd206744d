//! What the screens read: signals over the replica, owned by the root and handed down as one `Copy` handle.
//!
//! The replica tells what changed in steps; [`Store::hear`] looks at just that and sets each signal only when its value
//! is another. Lists and pages then read the replica's view themselves, no more of it than they draw.

mod listening;
mod undoing;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use reactive_graph::signal::{ArcTrigger, Trigger};
use reactive_graph::traits::Track;
use send_wrapper::SendWrapper;
use serde::Serialize;
use tidebook_book::{BookId, MutationId, Person, Role, Seq, UnixMillis, UserId, read_by_name};
use tidebook_ledger::{
    Balances, BookFacts, CivilDate, ConflictId, ContactId, Currency, Ledger, LedgerOp, LedgerState, RecordRef, Touched,
    TransactionId,
};
use tidebook_replica::{BookCopy, Seen, SyncStatus};

use crate::app::alone::{Alone, Brought};
use crate::app::browser;
use crate::app::driver::{self, Alarm, BOOKS, Driver, Fault, Keeper, PERSON};
use crate::app::unsent::{Lost, RejectedChange};
use crate::app::watched::Watched;
use crate::chip::Waits;
use crate::conflict::Card;
use crate::presence::Here;
use crate::route::Route;
use crate::summary::ContactSummary;
use crate::transactions::Filter;
use crate::undo::Steps;
use crate::waiting::Waiting;

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Me {
    pub(crate) id: UserId,
    /// Empty where there is no account.
    pub(crate) email: String,
    pub(crate) name: String,
}

read_by_name!(Me { id, email, name });

impl Me {
    /// Somebody without an account.
    pub(crate) fn alone(id: UserId) -> Self {
        Self { id, email: String::new(), name: "You".into() }
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.email.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct BookItem {
    pub(crate) id: BookId,
    pub(crate) name: String,
    pub(crate) currency: Currency,
}

read_by_name!(BookItem { id, name, currency });

/// What the sheet is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sheet {
    Transaction {
        contact: Option<ContactId>,
        got: bool,
    },
    EditTransaction(TransactionId),
    Person,
    EditPerson(ContactId),
    /// Which keys there are.
    Keys,
    /// Something else instead of either side of a conflict about this record.
    Decide(ConflictId, RecordRef),
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
    /// The others who are in the open book now.
    pub(crate) here: Watched<Vec<Here>>,
    pub(crate) role: Watched<Option<Role>>,
    pub(crate) totals: Watched<Balances>,
    /// The open book's log has been here up to its head.
    pub(crate) was_current: Watched<bool>,
    pub(crate) status: Watched<SyncStatus>,
    pub(crate) reached: Watched<bool>,
    pub(crate) rejected: Watched<Vec<RejectedChange>>,
    pub(crate) held: Watched<Option<String>>,
    /// How many changes would be lost with this window.
    pub(crate) unsaved_now: Watched<usize>,
    /// Why what is written is kept nowhere but in this window, where that is so.
    pub(crate) fault: Watched<Option<Fault>>,
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
    /// What of all transactions is shown.
    pub(crate) filter: Watched<Filter>,
    /// Something in the open book changed.
    pub(crate) changed: Trigger,
    /// Something in the list of contacts changed.
    pub(crate) contacts_changed: Trigger,
    contact_changed: Watched<HashMap<ContactId, ArcTrigger>>,
    summaries: Watched<HashMap<ContactId, ContactSummary>>,
    last_synced: Watched<Option<UnixMillis>>,
    driver: Watched<Option<Employed>>,
    /// Drivers of people whose session ended while something of theirs was only here.
    parked: Watched<Vec<Employed>>,
    mark_alarm: Watched<SendWrapper<Alarm>>,
    steps: Watched<Steps>,
    /// Somebody was signed in in this window before.
    pub(crate) was_here: Watched<bool>,
    /// The book on this device that belongs to no account.
    pub(crate) alone: Watched<Option<Alone>>,
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
            here: Watched::new(Vec::new()),
            role: Watched::new(None),
            totals: Watched::new(Balances::new()),
            was_current: Watched::new(false),
            status: Watched::new(SyncStatus::Offline(0)),
            reached: Watched::new(false),
            rejected: Watched::new(Vec::new()),
            held: Watched::new(None),
            unsaved_now: Watched::new(0),
            fault: Watched::new(None),
            waiting: Watched::new(Waiting::default()),
            flash: Watched::new(Flash::default()),
            today: Watched::new(driver::today()),
            sheet: Watched::new(None),
            toast: Watched::new(None),
            conflicts: Watched::new(Vec::new()),
            lost: Watched::new(None),
            invite: Watched::new(None),
            filter: Watched::new(Filter::default()),
            changed: Trigger::new(),
            contacts_changed: Trigger::new(),
            contact_changed: Watched::new(HashMap::new()),
            summaries: Watched::new(HashMap::new()),
            last_synced: Watched::new(None),
            driver: Watched::new(None),
            parked: Watched::new(Vec::new()),
            mark_alarm: Watched::new(SendWrapper::new(Alarm::default())),
            steps: Watched::new(Steps::default()),
            was_here: Watched::new(Self::remembered_book().is_some()),
            alone: Watched::new(None),
        }
    }

    // Reading.

    /// Reads what the screen shows of the open book. Not tracked: the caller tracks what it depends on.
    pub(crate) fn view<R>(self, read: impl FnOnce(&LedgerState) -> R) -> Option<R> {
        self.copy(|copy| read(&copy.view().domain))
    }

    pub(crate) fn copy<R>(self, read: impl FnOnce(&BookCopy<Ledger>) -> R) -> Option<R> {
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

    /// Whoever is here has no account, and the open book is on this device alone.
    pub(crate) fn is_alone(self) -> bool {
        self.me.with(|me| me.as_ref().is_some_and(Me::is_alone))
    }

    /// Whether the person may write; until the server has told, nothing speaks against it.
    pub(crate) fn may_write(self) -> bool {
        self.role.get().is_none_or(Role::may_write)
    }

    /// What a form shows that opens now.
    pub(crate) fn seen(self) -> Seen {
        self.copy(BookCopy::seen).unwrap_or_default()
    }

    pub(crate) fn seq(self) -> Seq {
        self.copy(BookCopy::seq).unwrap_or(Seq::ZERO)
    }

    pub(crate) fn last_synced(self) -> Option<UnixMillis> {
        self.last_synced.get_untracked()
    }

    /// Where what is not in the book yet waits.
    pub(crate) fn waits(self) -> Waits {
        match self.unsaved_now.get() == 0 && self.fault.get().is_none() {
            true if self.is_alone() => Waits::ForNobody,
            true => Waits::OnThisDevice,
            false => Waits::InThisWindow,
        }
    }

    /// How many changes are not in the book yet.
    pub(crate) fn unsent(self) -> usize {
        self.count(|driver| driver.unsent())
    }

    /// How many changes would be lost with this window.
    pub(crate) fn unsaved(self) -> usize {
        self.count(|driver| driver.unsaved())
    }

    /// Of whoever was here in this window.
    fn count(self, of: impl Fn(&Driver) -> usize) -> usize {
        let parked: usize = self.parked.with_untracked(|parked| parked.iter().map(|driver| of(driver)).sum());
        parked + self.driver().map_or(0, |driver| of(&driver))
    }

    // Doing.

    /// Deletes something as it was at `base`, and offers to take that back.
    pub(crate) fn delete(self, base: Seen, delete: LedgerOp, undo: LedgerOp, words: String) {
        match self.mutate(base, vec![delete]) {
            Ok(()) => self.toast.set(Some(Toast { words, undo: Some(undo) })),
            Err(words) => self.say(words),
        }
    }

    /// What needs no form: an error is told by itself.
    pub(crate) fn act(self, base: Seen, op: LedgerOp) {
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

    pub(crate) fn forget_last_book() {
        browser::forget(LAST_BOOK);
    }

    /// The device knows the books there are, also without a network.
    pub(crate) fn keep_books(self) {
        if let Some(driver) = self.driver() {
            driver::spawn(driver.keep_fact(BOOKS, json(&self.books.get_untracked())));
        }
    }

    /// Who opens here by themselves next time.
    fn remember_person(me: Option<&Me>) {
        let me = json(&me);
        // A browser that keeps nothing asks who is there each time.
        driver::spawn(async {
            let _nothing_is_kept = driver::keep_device_facts(&[(PERSON, me)]).await;
        });
    }

    /// Shows a book, and follows it from now on.
    pub(crate) fn open_book(self, book: BookId) {
        Self::remember_book(book);
        self.steps.set(Steps::default());
        self.book.set(Some(book));
        self.was_current.set(false);
        self.filter.set(Filter::default());
        self.phase.set(Phase::Open);
        if let Some(driver) = self.driver() {
            driver.open_book(book);
        }
        self.look_at_all();
        self.look_at_status();
    }

    pub(crate) fn first_book(self) -> Option<BookId> {
        self.books.with_untracked(|books| books.first().map(|item| item.id))
    }

    /// Whether the person is in a book, as far as is known here.
    pub(crate) fn is_in(self, book: BookId) -> bool {
        self.books.with_untracked(|books| books.iter().any(|item| item.id == book))
    }

    // Sessions.

    /// Takes up where the person left off, if they were here before in this window; else from what the device keeps.
    pub(crate) fn employ_driver(self, me: &Me, kept: Result<Keeper, Fault>, brought: Option<Brought>) {
        let mut left = None;
        self.parked.update_untracked(|parked| {
            let place = parked.iter().position(|driver| driver.user() == me.id);
            left = place.map(|place| parked.swap_remove(place).take());
        });
        Self::remember_person(Some(me));
        let driver = left.unwrap_or_else(|| Driver::new(me, kept, move |news| self.hear(news)));
        brought.into_iter().for_each(|brought| driver.bring(brought));
        self.driver.set(Some(SendWrapper::new(driver.clone())));
        driver.connect_now();
    }

    /// The session is over. What waits in the outbox is kept until the same person signs in again.
    pub(crate) fn park_driver(self) {
        if let Some(driver) = self.driver() {
            driver.stop();
            if driver.unsent() > 0 {
                self.parked.update_untracked(|parked| parked.push(SendWrapper::new(driver)));
            }
        }
        Self::remember_person(None);
        self.leave();
    }

    /// The person signed out: nothing of theirs stays.
    pub(crate) fn dismiss_driver(self) {
        if let Some(driver) = self.driver() {
            driver.stop();
            let user = driver.user();
            driver::spawn(async move { Keeper::delete(user).await });
        }
        Self::remember_person(None);
        Self::forget_last_book();
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
}

pub(crate) fn json(fact: &impl Serialize) -> String {
    serde_json::to_string(fact).expect("a fact serialises into memory")
}
