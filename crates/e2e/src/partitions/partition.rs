//! One partition of one client: what becomes of its lines, for how long, and how they heal.

use std::ops::Range;
use std::time::Duration;

use crate::{Dice, Front, Traffic};

/// Most partitions are no longer than this: rounds are what is counted, and these interrupt whatever is on its way.
const SHORT_MS: Range<usize> = 1..1_000;

/// Once in so many rounds the partition is a long one.
const LONG_EVERY: usize = 60;

/// Longer than what ends a line without a word: 10 s for one to open, for a welcome and for a frame to be taken, and 15 s
/// for an answer. Whoever was away for so long also waits longest before an attempt to connect.
const LONG_MS: Range<usize> = 20_000..35_000;

/// Once in so many long partitions it is one of the longest.
const LONGEST_EVERY: usize = 6;

/// Longer than the 75 s after which client and server count each other as gone, whatever they wait for.
const LONGEST_MS: Range<usize> = 76_000..90_000;

/// Once in so many partitions that lines outlive, those lines are dead afterwards without being closed.
const LOSES_EVERY: usize = 6;

/// What I10 allows once lines are whole: 5 s, and the longest wait before an attempt to connect.
pub(super) const BACK_WITHIN: Duration = Duration::from_secs(5 + 15);

/// How much longer it may take where a line died without being closed: so long nobody wonders about an answer.
const DEAD_LINE_NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// The same where a line died in silence.
pub(super) const BACK_FROM_SILENCE_WITHIN: Duration = BACK_WITHIN.saturating_add(DEAD_LINE_NOTICED_WITHIN);

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
        const PARTED: [Traffic; 4] = [Traffic::Cut, Traffic::Silent, Traffic::SilentUp, Traffic::SilentDown];
        let is_long = dice.once_in(LONG_EVERY);
        // What is only slow is not parted for long, however long it is slow.
        let kinds = PARTED.len() + usize::from(!is_long);
        let traffic = PARTED.get(dice.below(kinds)).copied().unwrap_or(Traffic::Slow);
        let heals = match traffic {
            Traffic::Silent | Traffic::SilentUp | Traffic::SilentDown if dice.once_in(LOSES_EVERY) => Heals::Loses,
            Traffic::Silent | Traffic::SilentUp | Traffic::SilentDown if dice.once_in(2) => Heals::Closes,
            _ => Heals::Resumes,
        };
        let ms = match is_long {
            false => SHORT_MS,
            true if dice.once_in(LONGEST_EVERY) => LONGEST_MS,
            true => LONG_MS,
        };
        Self { traffic, heals, lasts: Duration::from_millis((ms.start + dice.below(ms.len())) as u64) }
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
    pub(super) fn is_silent_loss(&self) -> bool {
        self.heals == Heals::Loses
    }

    pub(super) fn is_long(&self) -> bool {
        self.lasts >= Duration::from_millis(LONG_MS.start as u64)
    }

    /// It takes its client so long that the others do not wait for it before they meet.
    pub(super) fn keeps_away(&self) -> bool {
        self.is_long() || self.is_silent_loss()
    }

    /// How long after it the client may take until it is current.
    pub(super) fn back_within(&self) -> Duration {
        if self.is_silent_loss() { BACK_FROM_SILENCE_WITHIN } else { BACK_WITHIN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_of_all_kinds() {
        let mut dice = Dice::new().unwrap();
        let thrown: Vec<Partition> = (0..10_000).map(|_| Partition::throw(&mut dice)).collect();
        let share = |is_one: &dyn Fn(&Partition) -> bool| thrown.iter().filter(|it| is_one(it)).count();
        let words = dice.words();
        // Six times in ten a line is silent, and once in six of these it is lost.
        assert!((800..1_200).contains(&share(&Partition::is_silent_loss)), "{words}");
        assert!((100..240).contains(&share(&Partition::is_long)), "{words}");
        assert!((8..60).contains(&share(&|it| it.lasts > Duration::from_secs(75))), "{words}");
        assert_eq!(share(&|it| it.is_long() && it.traffic == Traffic::Slow), 0, "{words}");
        for kind in [Traffic::Cut, Traffic::Silent, Traffic::SilentUp, Traffic::SilentDown, Traffic::Slow] {
            assert!((1_600..2_400).contains(&share(&|it| it.traffic == kind)), "{kind:?}, {words}");
        }
    }
}
