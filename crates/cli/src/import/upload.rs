//! Writes many ops into a book through a replica, in batches, telling how far it is.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Result, bail};
use tidebook_book::BookId;
use tidebook_client::{Driver, Happened};
use tidebook_ledger::{LedgerOp, LedgerState};
use tidebook_replica::BookCopy;

use crate::exit::note;

/// What this program calls itself to the server.
pub(super) const CLIENT: &str = concat!("tidebook-cli/", env!("CARGO_PKG_VERSION"));

/// Ops a mutation: few enough that a long import is seen filling, many enough that each commit carries its weight.
const OPS_PER_MUTATION: usize = 100;

/// Mutations on their way at once. Each frame that comes back replays those that are left, so few are best.
const MUTATIONS_PENDING_MAX: usize = 8;

/// How long a server may be silent before the person is told what is being waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// A book that is up to date here and ready to be written to.
pub(super) struct Upload {
    driver: Driver,
    book: BookId,
}

impl Upload {
    /// Opens the book and waits until all of it is here.
    pub(super) async fn open(mut driver: Driver, book: BookId) -> Result<Self> {
        driver.open_book(book);
        let mut upload = Self { driver, book };
        while !upload.copy().is_current() {
            upload.step().await?;
        }
        Ok(upload)
    }

    pub(super) fn view(&self) -> &LedgerState {
        &self.copy().view().domain
    }

    /// Writes all ops, in order, and waits until every one of them is in the log.
    pub(super) async fn write(&mut self, ops: Vec<LedgerOp>) -> Result<()> {
        let all = ops.len();
        let mut batches = ops.chunks(OPS_PER_MUTATION);
        let mut offered = 0;
        let mut progress = Progress::new(all);
        loop {
            while self.pending_mutations() < MUTATIONS_PENDING_MAX
                && let Some(batch) = batches.next()
            {
                self.driver.mutate(self.book, batch.to_vec())?;
                offered += batch.len();
            }
            let pending_ops: usize = self.copy().pending().map(|pending| pending.mutation.ops.len()).sum();
            progress.show(offered - pending_ops);
            if pending_ops == 0 && offered == all {
                return Ok(());
            }
            self.step().await?;
        }
    }

    /// Waits for something to happen, and says what is being waited for where nothing does.
    async fn step(&mut self) -> Result<()> {
        match self.driver.next_within(PATIENCE).await? {
            Some(Happened::Rejected { .. }) => {
                let rejected = self.copy().rejections().first().map(|rejection| rejection.rejected.detail.clone());
                bail!("the server rejected a part of it: {}", rejected.unwrap_or_default());
            }
            Some(_) => {}
            None => {
                let reason = self.driver.last_error().unwrap_or("no answer yet");
                note(&format!("waiting for the server ({reason}) …"));
            }
        }
        match self.copy().held() {
            Some(held) => bail!("the server does not take it: {}", held.detail),
            None => Ok(()),
        }
    }

    fn pending_mutations(&self) -> usize {
        self.copy().pending().count()
    }

    fn copy(&self) -> &BookCopy<tidebook_ledger::Ledger> {
        self.driver.replica().book(self.book).expect("the book was opened")
    }
}

/// How far it is, on standard error: one line that is written over on a terminal, one line a tenth elsewhere.
struct Progress {
    all: usize,
    shown_tenths: usize,
    on_terminal: bool,
}

impl Progress {
    fn new(all: usize) -> Self {
        Self { all, shown_tenths: 0, on_terminal: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, done: usize) {
        let tenths = (done * 10).checked_div(self.all).unwrap_or(0);
        if tenths > self.shown_tenths {
            self.shown_tenths = tenths;
            let over = if self.on_terminal { "\x1b[1A\x1b[2K" } else { "" };
            note(&format!("{}{done} of {} records written", if tenths > 1 { over } else { "" }, self.all));
        }
    }
}
