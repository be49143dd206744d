//! When to ask for a book's snapshot: at once the first time, and after growing waits where that did not help.

use crate::Monotonic;
use crate::back_off::BackOff;

#[derive(Debug)]
pub(crate) struct Fetch {
    state: State,
    back_off: BackOff,
    /// A snapshot that fails or does not help is not followed by the next before this.
    not_before: Monotonic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    NotNeeded,
    Due(Monotonic),
    /// The driver is at work, and reports how it ended.
    Asked,
}

impl Fetch {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: State::NotNeeded, back_off: BackOff::new(seed), not_before: Monotonic::default() }
    }

    /// A snapshot is needed. One that is planned or on its way serves.
    pub(crate) fn need(&mut self, now: Monotonic) {
        if self.state == State::NotNeeded {
            self.state = State::Due(now.max(self.not_before));
        }
    }

    /// The copy goes on without one.
    pub(crate) fn cancel(&mut self) {
        if let State::Due(_) = self.state {
            self.state = State::NotNeeded;
        }
    }

    pub(crate) fn due_at(&self) -> Option<Monotonic> {
        match self.state {
            State::Due(at) => Some(at),
            State::NotNeeded | State::Asked => None,
        }
    }

    /// Whether the driver is to be asked now; then it counts as asked.
    pub(crate) fn take_due(&mut self, now: Monotonic) -> bool {
        let is_due = self.due_at().is_some_and(|at| at <= now);
        if is_due {
            self.state = State::Asked;
        }
        is_due
    }

    /// The driver reported. Whether it helped shows only later.
    pub(crate) fn handle_ended(&mut self, now: Monotonic) {
        self.state = State::NotNeeded;
        self.not_before = now.plus_ms(self.back_off.next_ms());
    }

    /// A driver whose line is gone may wait for its answer for long.
    pub(crate) fn handle_line_lost(&mut self, now: Monotonic) {
        if self.state == State::Asked {
            self.handle_ended(now);
            self.need(now);
        }
    }

    /// Entries follow what is here: whatever was wrong is over.
    pub(crate) fn reset(&mut self) {
        self.back_off.reset();
        self.not_before = Monotonic::default();
    }
}
