//! Sends what was imported, telling how far it is.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Result, bail};
use tidebook_book::MutationId;
use tidebook_client::DriverError;
use tidebook_replica::Rejection;

use crate::device::OpenBook;
use crate::exit::note;

/// How long a server may be silent before the person is told what is being waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Works until all of it is in the log; without a network, it waits on the device. `ids`: its mutations.
pub(super) async fn until_sent(open: &mut OpenBook, records: usize, ids: &[MutationId]) -> Result<()> {
    if open.device.is_offline() {
        return Ok(());
    }
    let mut progress = Progress::new(records);
    loop {
        let copy = open.copy();
        let waiting: usize = copy.pending().map(|pending| pending.mutation.ops.len()).sum();
        progress.show(records.saturating_sub(waiting));
        let is_its = |rejection: &&Rejection<_>| ids.contains(&rejection.mutation.id);
        if let Some(rejection) = copy.rejections().iter().find(is_its) {
            bail!(
                "the book did not take a part of it: {}; see `tidebook status`, `tidebook import --undo` takes the rest back",
                rejection.rejected.detail
            );
        }
        if waiting == 0 || copy.held().is_some() {
            return Ok(());
        }
        match open.device.driver.next_within(PATIENCE).await {
            Ok(Some(_)) if open.device.driver.is_unreachable() => return Ok(()),
            Ok(Some(_)) => {}
            Ok(None) => {
                let reason = open.device.driver.last_error().unwrap_or("no answer yet");
                note(&format!("waiting for the server ({reason}) …"));
            }
            Err(DriverError::SignedOut) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
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
            let over = if self.on_terminal && self.shown_tenths > 0 { "\x1b[1A\x1b[2K" } else { "" };
            self.shown_tenths = tenths;
            note(&format!("{over}{done} of {} records written", self.all));
        }
    }
}
