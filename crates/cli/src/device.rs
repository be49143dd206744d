//! A person's copy of their books on this device, as commands use it: open, look, write, and tell how far it came.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tidebook_book::{BookId, MutationId, UnixMillis, UserId};
use tidebook_client::{ApiError, BookItem, Driver, Reached, Store, new_replica, unix_now};
use tidebook_ledger::{Currency, Ledger, LedgerOp, LedgerState};
use tidebook_replica::BookCopy;

use crate::account::Account;
use crate::arguments::Asked;
use crate::exit::{Form, note};
use crate::say;

/// What this program calls itself to the server.
const CLIENT: &str = concat!("tidebook-cli/", env!("CARGO_PKG_VERSION"));

/// How long a command waits for a server that is there but slow. What is on the device can be shown, and waits, without.
const PATIENCE: Duration = Duration::from_secs(5);

/// The list of books, as the server last told it.
const BOOKS: &str = "books";
/// The book that commands are about where they name none.
const CHOSEN: &str = "chosen";
/// Before the id of a book that was made here and that the server has not heard of.
const UNMADE: &str = "unmade:";
/// Before the id of a book: when it was last up to date here.
const SYNCED: &str = "synced:";

/// A book that the server has not heard of.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Unmade {
    name: String,
    currency: Currency,
}

/// Whether the network is to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Network {
    Allowed,
    /// The person wants none.
    Unwanted,
    /// It was tried and is not there, for this reason.
    Lost(String),
}

/// One person's books on this device.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) driver: Driver,
    pub(crate) form: Form,
    network: Network,
}

impl Device {
    pub(crate) async fn open(asked: &Asked) -> Result<Self> {
        let account = Account::find(&asked.target).await?;
        let store = Store::open(&account.store_path()?, new_replica())?;
        let driver = Driver::new(account.api, store, account.user, CLIENT)?;
        let form = if asked.json { Form::Json } else { Form::Words };
        let network = if asked.offline { Network::Unwanted } else { Network::Allowed };
        let mut device = Self { driver, form, network };
        device.make_unmade().await?;
        Ok(device)
    }

    pub(crate) fn user(&self) -> UserId {
        self.driver.replica().user()
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.network != Network::Allowed
    }

    /// For what cannot be done without the server.
    pub(crate) fn require_network(&self, what: &str) -> Result<()> {
        match &self.network {
            Network::Allowed => Ok(()),
            Network::Unwanted => bail!("{what} needs the server; try again without --offline"),
            Network::Lost(reason) => bail!("{what} needs the server, which cannot be reached: {reason}"),
        }
    }

    /// For who wants to try again what was tried.
    pub(crate) fn hope_for_a_network(&mut self) {
        if let Network::Lost(_) = self.network {
            self.network = Network::Allowed;
        }
    }

    /// The books the person is a member of, as far as this device knows.
    pub(crate) fn books(&mut self) -> Result<Vec<BookItem>> {
        let kept = self.driver.store().fact(BOOKS)?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Asks the server for the list, where it can be reached.
    pub(crate) async fn refresh_books(&mut self) -> Result<Vec<BookItem>> {
        if !self.is_offline() {
            match self.driver.api().clone().books().await {
                Ok(books) => {
                    for gone in self.books()?.iter().filter(|known| books.iter().all(|book| book.id != known.id)) {
                        note(&format!("{:?} is not among your books any more", say::one_line(&gone.name)));
                    }
                    self.keep_books(&books)?;
                }
                Err(error) if can_wait(&error) => self.lose_network(&error.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        self.books()
    }

    fn keep_books(&mut self, books: &[BookItem]) -> Result<()> {
        Ok(self.driver.store().keep_fact(BOOKS, &serde_json::to_string(books)?)?)
    }

    fn lose_network(&mut self, reason: &str) {
        note(&format!("offline ({reason}): this is what the device has"));
        self.network = Network::Lost(reason.to_owned());
    }

    /// Makes a book, on this device first.
    pub(crate) async fn make_book(&mut self, name: &str, currency: Currency) -> Result<BookId> {
        let book = BookId(uuid::Uuid::now_v7());
        let unmade = Unmade { name: name.to_owned(), currency };
        self.driver.store().keep_fact(&format!("{UNMADE}{book}"), &serde_json::to_string(&unmade)?)?;
        self.make_unmade().await?;
        Ok(book)
    }

    /// Books that were made here, which the server has not heard of.
    pub(crate) fn unmade(&mut self) -> Result<Vec<(BookId, String, Currency)>> {
        let facts = self.driver.store().read(|rows| rows.facts_from(UNMADE))?;
        let read = |(name, text): (String, String)| {
            let Unmade { name: called, currency } = serde_json::from_str(&text).ok()?;
            Some((name.strip_prefix(UNMADE)?.parse().ok()?, called, currency))
        };
        Ok(facts.into_iter().filter_map(read).collect())
    }

    pub(crate) async fn make_unmade(&mut self) -> Result<()> {
        for (book, name, currency) in self.unmade()? {
            if self.is_offline() {
                return Ok(());
            }
            match self.driver.api().clone().create_book(book, &name, currency.code()).await {
                Ok(_) => self.driver.store().write(|rows| rows.drop_fact(&format!("{UNMADE}{book}")))?,
                Err(error) if can_wait(&error) => self.lose_network(&error.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The book that is meant: by what was asked for, else the chosen one, else the only one.
    pub(crate) async fn find_book(&mut self, wanted: Option<&str>) -> Result<BookId> {
        let chosen = self.driver.store().fact(CHOSEN)?;
        if let Some(found) = choose(&self.named()?, wanted, chosen.as_deref())? {
            return Ok(found);
        }
        self.refresh_books().await?;
        let named = self.named()?;
        if let Some(found) = choose(&named, wanted, chosen.as_deref())? {
            return Ok(found);
        }
        let names: Vec<String> = named.iter().map(|(_, name)| format!("{name:?}")).collect();
        match wanted {
            _ if names.is_empty() => bail!("you have no book yet; make one with `tidebook books --new NAME`"),
            Some(wanted) => bail!("no book {wanted:?}; yours are {}", names.join(", ")),
            None => bail!(
                "which book? Give --book, or choose one for good with `tidebook books --use NAME`; yours are {}",
                names.join(", ")
            ),
        }
    }

    fn named(&mut self) -> Result<Vec<(BookId, String)>> {
        let mut named: Vec<(BookId, String)> = self.books()?.into_iter().map(|book| (book.id, book.name)).collect();
        named.extend(self.unmade()?.into_iter().map(|(book, name, _)| (book, name)));
        Ok(named)
    }

    /// From now on commands are about this book where they name none.
    pub(crate) fn choose(&mut self, book: BookId) -> Result<()> {
        Ok(self.driver.store().keep_fact(CHOSEN, &book.to_string())?)
    }

    pub(crate) fn chosen(&mut self) -> Result<Option<BookId>> {
        Ok(self.driver.store().fact(CHOSEN)?.and_then(|book| book.parse().ok()))
    }

    /// Opens a book with what is on the device, and catches up where there is a network.
    pub(crate) async fn open_book(mut self, book: BookId) -> Result<OpenBook> {
        self.driver.open_book(book)?;
        self.catch_up().await?;
        if self.driver.replica().book(book).is_none() {
            bail!("there is nothing to show of this book");
        }
        let open = OpenBook { device: self, id: book };
        open.require_content()?;
        Ok(open)
    }

    /// Of books that the person was removed from the device keeps nothing but what they wrote and nobody took.
    pub(crate) fn let_go_of_lost_books(&mut self) -> Result<()> {
        let replica = self.driver.replica();
        let is_lost = |book: &BookId| replica.book(*book).is_some_and(BookCopy::is_removed);
        let lost: Vec<BookId> = self.driver.open_books().filter(is_lost).collect();
        for book in lost {
            let item = self.books()?.into_iter().find(|item| item.id == book);
            let name = item.map_or_else(|| book.to_string(), |item| say::one_line(&item.name));
            let kept = match self.forget_book(book)? {
                0 => "this device keeps nothing of it".into(),
                unsent => {
                    let kept = say::count(unsent, "change of yours is", "changes of yours are");
                    format!("{kept} kept here: see `tidebook status`")
                }
            };
            note(&format!("you are not a member of {name:?} any more; {kept}"));
        }
        Ok(())
    }

    /// Forgets a book, in the list as well, unless something of the person's waits in it. Returns how many changes do.
    pub(crate) fn forget_book(&mut self, book: BookId) -> Result<usize> {
        let unsent = self.driver.forget_book(book)?;
        if unsent == 0 {
            let mut books = self.books()?;
            books.retain(|item| item.id != book);
            self.keep_books(&books)?;
        }
        Ok(unsent)
    }

    /// Works until all open books are up to date, or it is clear that they will not be.
    pub(crate) async fn catch_up(&mut self) -> Result<()> {
        if self.is_offline() {
            return Ok(());
        }
        match self.driver.reach(PATIENCE).await? {
            Reached::Unreachable(reason) => self.lose_network(&reason),
            Reached::SignedOut => self.lose_network("the session has ended; run `tidebook login`"),
            Reached::TooSlow(reason) => note(&format!("the server is slow ({reason}); this may not be all of it yet")),
            Reached::Current | Reached::Refused => self.note_synced()?,
        }
        self.let_go_of_lost_books()
    }

    pub(crate) fn note_synced(&mut self) -> Result<()> {
        let books: Vec<BookId> = self.driver.open_books().collect();
        let now = unix_now().0.to_string();
        Ok(self
            .driver
            .store()
            .write(|rows| books.iter().try_for_each(|book| rows.keep_fact(&format!("{SYNCED}{book}"), &now)))?)
    }

    /// When a book was last up to date here.
    pub(crate) fn synced_at(&mut self, book: BookId) -> Result<Option<UnixMillis>> {
        let kept = self.driver.store().fact(&format!("{SYNCED}{book}"))?;
        Ok(kept.and_then(|at| at.parse().ok()).map(UnixMillis))
    }
}

/// A book of a device that is open.
#[derive(Debug)]
pub(crate) struct OpenBook {
    pub(crate) device: Device,
    pub(crate) id: BookId,
}

impl OpenBook {
    /// The book that is asked about.
    pub(crate) async fn of(asked: &Asked) -> Result<Self> {
        Self::named(asked, asked.book.as_deref()).await
    }

    /// The same, where the command names the book itself.
    pub(crate) async fn named(asked: &Asked, wanted: Option<&str>) -> Result<Self> {
        let mut device = Device::open(asked).await?;
        let book = device.find_book(wanted).await?;
        device.open_book(book).await
    }

    fn require_content(&self) -> Result<()> {
        let copy = self.copy();
        if copy.epoch().is_none() && copy.pending().next().is_none() && !self.is_unmade() {
            bail!("this book was never read on this device; connect to the server once");
        }
        Ok(())
    }

    /// A book without a log is one that was made here.
    fn is_unmade(&self) -> bool {
        self.device.is_offline() && self.copy().role().is_none()
    }

    pub(crate) fn copy(&self) -> &BookCopy<Ledger> {
        self.device.driver.replica().book(self.id).expect("the book was opened")
    }

    pub(crate) fn state(&self) -> &LedgerState {
        &self.copy().view().domain
    }

    pub(crate) fn form(&self) -> Form {
        self.device.form
    }

    /// What the book is called.
    pub(crate) fn name(&mut self) -> Result<String> {
        if let Some(book) = self.state().book() {
            return Ok(say::one_line(&book.name));
        }
        let unmade = self.device.unmade()?.into_iter().find(|(id, ..)| *id == self.id);
        Ok(unmade.map_or_else(|| self.id.to_string(), |(_, name, _)| say::one_line(&name)))
    }

    /// What new amounts are in.
    pub(crate) fn currency(&mut self) -> Result<Currency> {
        if let Some(book) = self.state().book() {
            return Ok(book.currency);
        }
        let unmade = self.device.unmade()?.into_iter().find(|(id, ..)| *id == self.id);
        unmade.map(|(.., currency)| currency).ok_or_else(|| anyhow::anyhow!("say which currency, with --currency"))
    }

    /// A person of the book by name, where it is known.
    pub(crate) fn person(&self, user: UserId) -> String {
        let person = self.copy().people().iter().find(|person| person.id == user);
        match person {
            _ if user == self.device.user() => "you".into(),
            Some(person) if !person.name.is_empty() => say::one_line(&person.name),
            _ => "someone".into(),
        }
    }

    /// Writes what a person did: afterwards it is on the disk.
    pub(crate) fn write(&mut self, ops: Vec<LedgerOp>) -> Result<MutationId> {
        Ok(self.device.driver.mutate(self.id, ops)?)
    }

    /// Sends what was written, tells how far it came, and whether the book took it.
    pub(crate) async fn finish(mut self) -> Result<ExitCode> {
        let rejected_before = self.copy().rejections().len();
        if !self.device.is_offline() {
            self.device.catch_up().await?;
        }
        let unsent = self.device.driver.unsent();
        // Of a book that the person is no longer in, and in which nothing waits any more, the device keeps nothing.
        let Some(copy) = self.device.driver.replica().book(self.id) else { return Ok(ExitCode::SUCCESS) };
        if let Some(rejection) = copy.rejections().get(rejected_before) {
            let id = say::short(rejection.mutation.id.0);
            bail!(
                "the book did not take it: {}. It is kept here: `tidebook retry {id}` or `tidebook discard {id}`",
                rejection.rejected.detail
            );
        }
        if let Some(held) = copy.held() {
            note(&format!("saved on this device, but the server does not take it: {}", held.detail));
        } else if unsent > 0 {
            let waiting = say::count(unsent, "change waits", "changes wait");
            note(&format!("saved on this device; {waiting} for the network (`tidebook sync` sends)"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn choose(books: &[(BookId, String)], wanted: Option<&str>, chosen: Option<&str>) -> Result<Option<BookId>> {
    let Some(wanted) = wanted else {
        let is_chosen = |(book, _): &&(BookId, String)| chosen == Some(book.to_string().as_str());
        // One that was chosen and is not there any more is no reason to write in another.
        let only = (books.len() == 1 && chosen.is_none()).then(|| &books[0]);
        return Ok(books.iter().find(is_chosen).or(only).map(|(book, _)| *book));
    };
    let is_it = |(book, name): &&(BookId, String)| book.to_string() == wanted || name == wanted;
    let found: Vec<_> = books.iter().filter(is_it).collect();
    match found[..] {
        [] => Ok(None),
        [(book, _)] => Ok(Some(*book)),
        _ => bail!("{} books are called {wanted:?}; give the id instead", found.len()),
    }
}

/// Whether the server, or what stands before it, may do it another time: until then there is what the device has.
fn can_wait(error: &ApiError) -> bool {
    match error {
        ApiError::Unreachable { .. } | ApiError::Unexpected(_) => true,
        ApiError::Problem { status, .. } => *status >= 500 || *status == 401,
        ApiError::Address(_) => false,
    }
}
