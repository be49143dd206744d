//! When to ask for a book's snapshot: at once the first time, and after growing waits where that did not help.

use crate::Monotonic;
use crate::back_off::BackOff;

/// Whether a snapshot is needed, planned or on its way.
#[derive(Debug)]
pub(crate) struct Fetch {
    state: State,
    back_off: BackOff,
    /// A snapshot that fails or does not help is not followed by the next before this.
    not_before: Monotonic,
    /// How many were given up with their line, whose drivers have yet to report.
    given_up: u32,
    /// Since one was asked for, the copy has gone on by entries.
    is_overtaken: bool,
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
        Self {
            state: State::NotNeeded,
            back_off: BackOff::new(seed),
            not_before: Monotonic::default(),
            given_up: 0,
            is_overtaken: false,
        }
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
            self.is_overtaken = false;
        }
        is_due
    }

    /// The driver reported. Whether it helped shows only later.
    pub(crate) fn handle_ended(&mut self, now: Monotonic) {
        if self.state != State::Asked {
            self.given_up = self.given_up.saturating_sub(1);
        }
        self.state = State::NotNeeded;
        self.not_before = now.plus_ms(self.back_off.next_ms());
    }

    /// A driver whose line is gone may wait for its answer for long.
    pub(crate) fn handle_line_lost(&mut self, now: Monotonic) {
        if self.state == State::Asked {
            self.handle_ended(now);
            self.need(now);
            self.given_up += 1;
        }
    }

    /// The copy has gone on while the driver is at work: what it brings may be from before.
    pub(crate) fn note_overtaken(&mut self) {
        self.is_overtaken = self.state == State::Asked;
    }

    /// A snapshot came that does not go on from the copy: whether that is because it was given up and comes late, or because
    /// the copy overtook it. Then there is one less to come. Which one it was nobody knows: what was asked for last is asked for
    /// again, and counts as given up where anything is still to come.
    pub(crate) fn is_late(&mut self, now: Monotonic) -> bool {
        let is_asked = self.state == State::Asked;
        let is_late = !is_asked || self.given_up > 0 || self.is_overtaken;
        if is_late && is_asked {
            self.handle_ended(now);
            self.need(now);
        } else if is_late {
            self.given_up = self.given_up.saturating_sub(1);
        }
        is_late
    }

    /// Entries follow what is here: whatever was wrong is over.
    pub(crate) fn reset(&mut self) {
        self.back_off.reset();
        self.not_before = Monotonic::default();
    }
}
