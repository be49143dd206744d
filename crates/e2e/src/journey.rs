//! A test that goes through the app: what it stands on, and what it leaves behind when it fails.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::FutureExt;
use tokio::time::timeout;

use crate::{Account, App, Browser, Expected, Front, Server, Size, Writer, gave, person, places};
use tidebook_book::BookId;

/// How long a browser may take to tell how it stands once its journey has failed: it may be the one that hangs.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(10);

/// Whether other journeys may run meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alone {
    /// It measures time.
    Yes,
    No,
}

/// A server of the journey's own, and the browsers it opened.
#[derive(Debug)]
pub struct Stage {
    pub server: Server,
    name: &'static str,
    browsers: Mutex<Vec<Arc<Browser>>>,
}

/// Runs a journey. It fails when `walk` does, and when the console of one of its browsers complained.
///
/// # Panics
///
/// With all that is known of the failure: screenshots are in `target/e2e-shots`.
pub fn journey(name: &'static str, alone: Alone, walk: impl AsyncFnOnce(&Stage) -> Result<()>) {
    let _turn = wait_for_turn(alone).expect("journeys share a file in the target folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.expect("a runtime starts").block_on(run(name, walk));
    if let Err(error) = outcome {
        // Without a backtrace: where in the harness it failed is no news.
        let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
        panic!("{}", causes.join("\nbecause "));
    }
}

/// Held for as long as the journey takes.
fn wait_for_turn(alone: Alone) -> Result<File> {
    let path = places::shared()?.join("e2e-turn");
    let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
    match alone {
        Alone::Yes => file.lock()?,
        Alone::No => file.lock_shared()?,
    }
    Ok(file)
}

async fn run(name: &'static str, walk: impl AsyncFnOnce(&Stage) -> Result<()>) -> Result<()> {
    let stage = Stage { server: Server::start().await?, name, browsers: Mutex::default() };
    let walked = AssertUnwindSafe(walk(&stage)).catch_unwind().await;
    let walked = walked.unwrap_or_else(|panic| Err(anyhow::anyhow!("{}", words_of(&*panic))));
    let outcome = match walked {
        Ok(()) => stage.check_consoles().await,
        failed => failed,
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => Err(error.context(stage.last_words().await)),
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().cloned();
    words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned())).unwrap_or_default()
}

impl Stage {
    /// Opens a browser on an empty page.
    pub async fn browser(&self, name: &'static str, size: Size) -> Result<Arc<Browser>> {
        let browser = Arc::new(Browser::open(name, size).await?);
        self.browsers.lock().expect("no panic holds it").push(Arc::clone(&browser));
        Ok(browser)
    }

    /// Ends a browser as a power cut would, and goes on in another with what it left behind.
    pub async fn kill_and_open_again(&self, app: &App) -> Result<App> {
        let browser = Arc::new(app.browser.kill_and_open_again().await?);
        self.browsers.lock().expect("no panic holds it").push(Arc::clone(&browser));
        let app = App::new(browser, self.server.origin());
        app.arrive().await?;
        Ok(app)
    }

    /// Opens a browser on the app's first screen, with nobody signed in.
    pub async fn app(&self, name: &'static str, size: Size) -> Result<App> {
        let app = App::new(self.browser(name, size).await?, self.server.origin());
        app.arrive().await?;
        Ok(app)
    }

    /// Opens a browser in which somebody is signed in and sees their book.
    pub async fn app_of(&self, name: &'static str, size: Size, account: &Account) -> Result<App> {
        let app = self.app(name, size).await?;
        app.sign_in(&account.email, &account.password).await?;
        app.wait_for_book().await?;
        Ok(app)
    }

    /// The same behind a front, on an empty page and with the book kept on the device: its line may come and go from now
    /// on. Somebody of this name is in the book.
    pub async fn browser_behind(
        &self,
        name: &'static str,
        front: &Front,
        account: &Account,
        person: &str,
    ) -> Result<Arc<Browser>> {
        let app = App::new(self.browser(name, Size::Desktop).await?, front.origin());
        app.arrive().await?;
        app.sign_in(&account.email, &account.password).await?;
        app.wait_for_person(person).await?;
        app.wait_until_kept().await?;
        app.browser.expect(Expected::LostConnection);
        app.browser.goto("about:blank").await?;
        Ok(app.browser)
    }

    /// Mira, and a book of hers.
    pub async fn mira(&self) -> Result<(Account, BookId)> {
        let mira = Account::make(&self.server, "Mira").await?;
        let book = mira.make_book("Harbour Street 12").await?;
        Ok((mira, book))
    }

    /// Mira, Ben, and a book of hers that he may write in, each in a browser on the page of Ana, who owes for a taxi.
    pub async fn mira_and_ben(&self) -> Result<(App, App)> {
        let (mira, book) = self.mira().await?;
        let ben = Account::make(&self.server, "Ben").await?;
        mira.let_in(book, &ben, "editor").await?;
        let (ana, op) = person("Ana Kovač");
        let line = gave(ana, 2050, "EUR", "2026-11-22", "Taxi")?;
        self.writer(&mira, book).await?.write(vec![op, line]).await?;
        let here = self.app_of("mira", Size::Desktop, &mira).await?;
        let there = self.app_of("ben", Size::Phone, &ben).await?;
        for app in [&here, &there] {
            app.open_person("Ana Kovač").await?;
            app.wait_for_line("Taxi").await?;
        }
        Ok((here, there))
    }

    /// Somebody who writes to a book without a browser.
    pub async fn writer(&self, account: &Account, book: BookId) -> Result<Writer> {
        Writer::open(&self.server, account, book).await
    }

    async fn check_consoles(&self) -> Result<()> {
        for browser in self.open_browsers() {
            let complaints = browser.complaints().await?;
            anyhow::ensure!(complaints.is_empty(), "{}'s console: {}", browser.name, complaints.join("\n"));
        }
        Ok(())
    }

    /// What helps to find out why it failed.
    async fn last_words(&self) -> String {
        let mut words = format!("{} failed", self.name);
        for browser in self.open_browsers() {
            let looking = timeout(LAST_WORDS_WITHIN, self.look_at(&browser)).await;
            let seen = match looking {
                Ok(Ok(seen)) => seen,
                Ok(Err(error)) => format!("nothing to be learnt: {error:#}"),
                Err(_) => "no answer".into(),
            };
            words += &format!("\n{}: {seen}", browser.name);
        }
        format!("{words}\nthe server's log ends:\n{}", self.server.log_end())
    }

    async fn look_at(&self, browser: &Browser) -> Result<String> {
        let shot = places::shots()?.join(format!("failed-{}-{}.png", self.name, browser.name));
        browser.screenshot(&shot).await?;
        let console = browser.console().await?.join("\n");
        let kept = browser.kept().await.unwrap_or_else(|error| format!("{error:#}"));
        Ok(format!("see {}; it keeps:\n{kept}\nits console:\n{console}", shot.display()))
    }

    fn open_browsers(&self) -> Vec<Arc<Browser>> {
        let browsers = self.browsers.lock().expect("no panic holds it");
        browsers.iter().filter(|browser| !browser.is_killed()).cloned().collect()
    }
}
