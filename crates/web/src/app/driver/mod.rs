//! Drives one person's replica: gives it what happened, does what it asks for, and tells the store what changed.
//!
//! Everything goes through [`Driver::step`]: one event in, then what the replica wants sent, done and timed.

mod clock;
mod database;
mod history;
mod http;
mod keeper;
mod keeping;
mod news;
mod socket;
mod task;
mod timer;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tidebook_book::{BookId, ReplicaId, UserId};
use tidebook_ledger::Ledger;
use tidebook_replica::{BookCopy, Event, Keeps, Monotonic, Replica, ReplicaConfig};

pub(crate) use clock::{day_of, monotonic, new_id, now, today};
pub(crate) use database::Fault;
pub(crate) use history::{BookEntry, earlier_entries};
pub(crate) use http::{Call, HttpError, sentence};
pub(crate) use keeper::{ALONE, BOOKS, Keeper, LOST, PERSON, device_fact, keep_device_facts};
pub(crate) use news::News;
pub(crate) use task::spawn;
pub(crate) use timer::{Alarm, after_ms};

use socket::{Socket, SocketEvent};

use crate::app::alone::Brought;
use crate::app::store::Me;

/// How long a socket may take to open before it counts as dead; browsers themselves wait for minutes.
const OPEN_WITHIN_MS: u64 = 10_000;

/// Owns one person's replica, and its line to the server.
pub(crate) struct Driver {
    replica: RefCell<Replica<Ledger>>,
    socket: RefCell<Option<Socket>>,
    /// The books this driver was asked to follow.
    books: RefCell<Vec<BookId>>,
    alarm: RefCell<Alarm>,
    /// When the alarm rings.
    due: Cell<Option<Monotonic>>,
    /// By when the socket that opens must be open.
    opens_by: Cell<Option<Monotonic>>,
    /// The first attempt to connect has ended, one way or the other.
    reached: Cell<bool>,
    /// The account's store on this device, as long as it works.
    keeper: RefCell<Option<Rc<Keeper>>>,
    /// Why there is none.
    fault: Cell<Option<Fault>>,
    /// Something is being written.
    is_keeping: Cell<bool>,
    asked_to_stay: Cell<bool>,
    /// There is no account, and so nothing to connect to.
    is_alone: bool,
    /// What comes from a book without an account, until it is in this account's store.
    brought: RefCell<Option<Brought>>,
    tell: Box<dyn Fn(News)>,
}

impl Driver {
    /// A driver that tells `tell` what changed; never while the replica is in use.
    pub(crate) fn new(me: &Me, kept: Result<Keeper, Fault>, tell: impl Fn(News) + 'static) -> Rc<Self> {
        let (replica, keeps) = match &kept {
            Ok(keeper) => (keeper.replica, Keeps::InStore),
            Err(_) => (ReplicaId(new_id()), Keeps::InMemory),
        };
        let client = concat!("tidebook-web/", env!("CARGO_PKG_VERSION")).to_owned();
        let config = ReplicaConfig { replica, user: me.id, client, token: None, seed: clock::random_seed(), keeps };
        let fault = kept.as_ref().err().copied();
        let driver = Rc::new(Self {
            replica: RefCell::new(Replica::new(config)),
            socket: RefCell::default(),
            books: RefCell::default(),
            alarm: RefCell::default(),
            due: Cell::default(),
            opens_by: Cell::default(),
            reached: Cell::default(),
            keeper: RefCell::new(kept.ok().map(Rc::new)),
            fault: Cell::new(fault),
            is_keeping: Cell::default(),
            asked_to_stay: Cell::default(),
            is_alone: me.is_alone(),
            brought: RefCell::default(),
            tell: Box::new(tell),
        });
        driver.listen_to_other_tabs();
        driver
    }

    /// Reads the replica.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&Replica<Ledger>) -> R) -> R {
        read(&self.replica.borrow())
    }

    pub(crate) fn user(&self) -> UserId {
        self.replica.borrow().user()
    }

    pub(crate) fn reached(&self) -> bool {
        self.reached.get()
    }

    /// How many changes, in whatever book, are not in the book yet.
    pub(crate) fn unsent(&self) -> usize {
        self.count(|copy| copy.pending().filter(|pending| !pending.is_withdrawn()).count())
    }

    /// How many changes would be lost with this window.
    pub(crate) fn unsaved(&self) -> usize {
        self.count(BookCopy::unsaved)
    }

    fn count(&self, of_book: impl Fn(&BookCopy<Ledger>) -> usize) -> usize {
        let replica = self.replica.borrow();
        self.books.borrow().iter().filter_map(|book| replica.book(*book)).map(of_book).sum()
    }

    /// Takes over what was written without an account, once its book is open.
    pub(crate) fn bring(&self, brought: Brought) {
        *self.brought.borrow_mut() = Some(brought);
    }

    /// Follows a book from now on.
    pub(crate) fn open_book(self: &Rc<Self>, book: BookId) {
        let is_new = !self.books.borrow().contains(&book);
        if is_new {
            self.books.borrow_mut().push(book);
        }
        if self.keeper.borrow().is_some() && self.read(|replica| replica.book(book).is_none()) {
            // What the store has of it comes first, and is read once.
            if is_new {
                spawn(self.clone().open_kept_book(book));
            }
            return;
        }
        self.follow_book(book);
        self.take_over(book);
    }

    fn follow_book(self: &Rc<Self>, book: BookId) {
        self.step(|replica, _| {
            replica.open_book(book);
            // Who comes back after a removal, by another invite, asks for the book anew.
            if replica.book(book).is_some_and(BookCopy::is_removed) {
                replica.subscribe_again(book);
            }
        });
    }

    /// Forgets a book and what was written for it.
    pub(crate) fn let_go_of(self: &Rc<Self>, book: BookId) {
        self.books.borrow_mut().retain(|known| *known != book);
        self.step(|replica, _| {
            let Some(copy) = replica.book(book) else { return };
            let pending: Vec<_> = copy.pending().map(|pending| pending.mutation.id).collect();
            let rejected: Vec<_> = copy.rejections().iter().map(|rejection| rejection.mutation.id).collect();
            pending.into_iter().for_each(|id| drop(replica.withdraw(book, id)));
            rejected.into_iter().for_each(|id| drop(replica.discard_rejection(book, id)));
            replica.close_book(book);
        });
        spawn(self.clone().forget_kept_book(book));
    }

    pub(crate) fn connect_now(self: &Rc<Self>) {
        self.step(Replica::connect_now);
    }

    /// The browser says that there is no network. A socket would only notice after minutes.
    pub(crate) fn network_lost(self: &Rc<Self>) {
        if self.socket.take().is_some() {
            self.reached.set(true);
            self.step(|replica, now| replica.handle_closed(now, None));
        }
    }

    /// Hangs up. The replica stays as it is.
    pub(crate) fn stop(&self) {
        self.socket.take();
        self.due.set(None);
        self.alarm.borrow_mut().clear();
    }

    /// One event: `act` gives it to the replica, and what follows is done.
    pub(crate) fn step<R>(self: &Rc<Self>, act: impl FnOnce(&mut Replica<Ledger>, Monotonic) -> R) -> R {
        let (result, news) = {
            let mut replica = self.replica.borrow_mut();
            let behind = self.books_behind(&replica);
            let result = act(&mut replica, monotonic());
            (result, self.follow_up(&mut replica, &behind))
        };
        (self.tell)(news);
        self.keep();
        result
    }

    /// What follows from an event is the same for all of them.
    #[inline(never)]
    fn follow_up(self: &Rc<Self>, replica: &mut Replica<Ledger>, behind: &[BookId]) -> News {
        let mut news = News::default();
        while let Some(event) = replica.poll_event() {
            self.follow(replica, event, &mut news);
        }
        self.send(replica);
        self.wind_up(replica);
        news.forget_what_was_missed(behind);
        news
    }

    /// The books whose log is not here up to the head: what comes there is no news but catching up.
    fn books_behind(&self, replica: &Replica<Ledger>) -> Vec<BookId> {
        let is_behind = |book: &BookId| replica.book(*book).is_some_and(|copy| copy.seq() < copy.head());
        self.books.borrow().iter().copied().filter(is_behind).collect()
    }

    fn send(&self, replica: &mut Replica<Ledger>) {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else { return };
        while let Some(text) = replica.poll_transmit(monotonic()) {
            socket.send(&text);
        }
    }

    fn follow(self: &Rc<Self>, replica: &mut Replica<Ledger>, event: Event<Ledger>, news: &mut News) {
        match event {
            Event::Connect => self.connect(replica),
            Event::Disconnect { .. } => {
                self.socket.take();
                replica.handle_closed(monotonic(), None);
            }
            Event::FetchSnapshot { book } => spawn(self.clone().fetch_snapshot(book)),
            Event::NewReplicaNeeded => self.renew_replica(replica),
            other => news.add(other),
        }
    }

    fn connect(self: &Rc<Self>, replica: &mut Replica<Ledger>) {
        if self.is_alone {
            // The replica waits for a line that nobody opens.
            return;
        }
        let driver = Rc::downgrade(self);
        let socket = Socket::connect(move |event| {
            if let Some(driver) = driver.upgrade() {
                driver.hear(event);
            }
        });
        self.opens_by.set(Some(monotonic().plus_ms(OPEN_WITHIN_MS)));
        match socket {
            Ok(socket) => drop(self.socket.replace(Some(socket))),
            Err(_) => replica.handle_closed(monotonic(), None),
        }
    }

    fn hear(self: &Rc<Self>, event: SocketEvent) {
        self.opens_by.set(None);
        match event {
            SocketEvent::Opened => self.step(Replica::handle_opened),
            SocketEvent::Text(text) => {
                self.reached.set(true);
                self.step(|replica, now| {
                    replica.handle_text(now, &text);
                });
            }
            SocketEvent::Closed(code) => {
                self.reached.set(true);
                self.socket.take();
                self.step(|replica, now| replica.handle_closed(now, Some(code)));
            }
        }
    }

    async fn fetch_snapshot(self: Rc<Self>, book: BookId) {
        let answer = Call::get(&format!("/books/{book}/snapshot")).text().await;
        self.step(|replica, now| match answer {
            Ok(text) => replica.handle_snapshot_text(now, book, &text),
            Err(_) => replica.handle_snapshot_failed(now, book),
        });
    }

    /// Sets the alarm for whatever is due next.
    fn wind_up(self: &Rc<Self>, replica: &Replica<Ledger>) {
        if self.socket.borrow().is_none() {
            self.opens_by.set(None);
        }
        let due = [replica.poll_timeout(), self.opens_by.get()].into_iter().flatten().min();
        if self.due.replace(due) == due {
            return;
        }
        let Some(at) = due else { return self.alarm.borrow_mut().clear() };
        let driver = Rc::downgrade(self);
        self.alarm.borrow_mut().set(at.0.saturating_sub(monotonic().0), move || {
            if let Some(driver) = driver.upgrade() {
                driver.ring();
            }
        });
    }

    fn ring(self: &Rc<Self>) {
        self.due.set(None);
        let is_late = self.opens_by.get().is_some_and(|at| at <= monotonic());
        if is_late && self.socket.take().is_some() {
            self.reached.set(true);
            self.step(|replica, now| replica.handle_closed(now, None));
        } else {
            self.step(Replica::handle_timeout);
        }
    }
}
