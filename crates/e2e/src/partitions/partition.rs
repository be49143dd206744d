//! One partition of one client: what becomes of its lines, for how long, and how they heal.

use std::time::Duration;

use crate::{Dice, Front, Traffic};

/// A partition is no longer than this. Rounds are what is counted, and a long one finds the same lines as a short one.
const LASTS_MS_MAX: usize = 1_200;

/// Once in so many partitions that lines outlive, those lines are dead afterwards without being closed.
const LOSES_EVERY: usize = 16;

/// What becomes of the lines that a partition left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heals {
    /// What was held back arrives after all.
    Resumes,
    /// They are closed, and what was held back is lost with them.
    Closes,
    /// They stay open, and nothing arrives on them ever again.
    Loses,
}

/// What happens to a client's lines in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partition {
    traffic: Traffic,
    heals: Heals,
    pub(super) lasts: Duration,
}

impl Partition {
    pub(super) fn throw(dice: &mut Dice) -> Self {
        const KINDS: [Traffic; 5] =
            [Traffic::Cut, Traffic::Silent, Traffic::SilentUp, Traffic::SilentDown, Traffic::Slow];
        let traffic = KINDS[dice.below(KINDS.len())];
        let heals = match traffic {
            Traffic::Silent | Traffic::SilentUp | Traffic::SilentDown if dice.once_in(LOSES_EVERY) => Heals::Loses,
            Traffic::Silent | Traffic::SilentUp | Traffic::SilentDown if dice.once_in(2) => Heals::Closes,
            _ => Heals::Resumes,
        };
        Self { traffic, heals, lasts: Duration::from_millis(1 + dice.below(LASTS_MS_MAX) as u64) }
    }

    pub(super) fn begin(&self, front: &Front) {
        front.set(self.traffic);
    }

    pub(super) fn heal(&self, front: &Front) {
        match self.heals {
            Heals::Resumes => {}
            Heals::Closes => front.close_lines(),
            Heals::Loses => front.lose_lines(),
        }
        front.set(Traffic::Flows);
    }

    /// Whoever was on the line has to find out by themself that it is dead.
    pub(super) fn loses_lines(&self) -> bool {
        self.heals == Heals::Loses
    }
}
