//! Being up to date, for programs that do one thing and end.

use std::time::Duration;

use tidebook_ledger::Ledger;
use tidebook_replica::BookCopy;
use tokio::time::Instant;

use super::{Driver, DriverError};

/// How far an attempt to be up to date came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// Everything written here is in the logs, and the logs are here.
    Current,
    /// The server does not take what was written, or shows a book no more: see `BookCopy::held`.
    Refused,
    /// There is no line, for this reason. What was written waits on this device.
    Unreachable(String),
    /// The time was not enough, for this reason.
    TooSlow(String),
    /// The server does not know the session any more. What was written waits on this device.
    SignedOut,
}

impl Driver {
    /// Works until all open books are up to date, it turns out that they will not be, or the time is over.
    pub async fn reach(&mut self, within: Duration) -> Result<Reached, DriverError> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(reached) = self.reached() {
                return Ok(reached);
            }
            match self.next_within(deadline.saturating_duration_since(Instant::now())).await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(Reached::TooSlow(self.reason("no answer yet"))),
                Err(DriverError::SignedOut) => return Ok(Reached::SignedOut),
                Err(error) => return Err(error),
            }
        }
    }

    /// The last attempt to open a line failed.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.is_unreachable
    }

    fn reached(&self) -> Option<Reached> {
        if self.is_unreachable {
            return Some(Reached::Unreachable(self.reason("no reason given")));
        }
        let copies: Vec<&BookCopy<Ledger>> = self.books.iter().filter_map(|book| self.replica.book(*book)).collect();
        let is_refused = |copy: &&BookCopy<Ledger>| copy.held().is_some() || copy.is_removed();
        if copies.iter().any(|copy| !copy.is_current() && !is_refused(copy)) {
            return None;
        }
        let anyone_refused = copies.iter().any(is_refused);
        Some(if anyone_refused { Reached::Refused } else { Reached::Current })
    }

    fn reason(&self, otherwise: &str) -> String {
        self.last_error().unwrap_or(otherwise).to_owned()
    }
}
