//! What was measured, and how it compares with the budgets.

use std::fmt::{self, Display};

use serde::Deserialize;

const START_MS_MAX: f64 = 1_500.0;
const SEARCH_MS_MAX: f64 = 50.0;
const FRAMES_A_SECOND_MIN: f64 = 55.0;
const ROWS_MAX: u32 = 60;
const HEAP_BYTES_MAX: f64 = 150e6;

/// One run.
#[derive(Debug)]
pub struct Figures {
    pub(super) start: Pair,
    pub(super) search: Pair,
    /// Slowly, and through all of the list.
    pub(super) scroll: [Scroll; 2],
    pub(super) heap: Heap,
}

/// Milliseconds, and those of the least that could be done.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) measured: f64,
    pub(super) baseline: f64,
}

/// What one scroll saw.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    frames_a_second: f64,
    /// The most rows in the page at once.
    rows: u32,
    /// Frames in which nothing was where a row should be.
    holes: u32,
    /// Milliseconds of the longest frame.
    longest: f64,
}

#[derive(Debug)]
pub(super) struct Scroll {
    frames_a_second: f64,
    plain: f64,
    rows: u32,
    holes: u32,
    longest: f64,
}

/// Bytes.
#[derive(Debug)]
pub(super) struct Heap {
    pub(super) scripts: f64,
    pub(super) module: f64,
}

impl Scroll {
    pub(super) fn of(runs: &[Run], plain: &[Run]) -> Self {
        let middle = |runs: &[Run]| median(&runs.iter().map(|run| run.frames_a_second).collect::<Vec<_>>());
        Self {
            frames_a_second: middle(runs),
            plain: middle(plain),
            rows: runs.iter().map(|run| run.rows).max().unwrap_or_default(),
            holes: runs.iter().map(|run| run.holes).max().unwrap_or_default(),
            longest: runs.iter().map(|run| run.longest).fold(0.0, f64::max),
        }
    }
}

pub(super) fn median(all: &[f64]) -> f64 {
    let mut all = all.to_vec();
    all.sort_unstable_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The cells of a line in docs/benchmarks.md.
impl Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, search, scroll: [slow, fast], heap } = self;
        let ratio = |pair: &Pair| pair.measured / pair.baseline;
        write!(f, "{:.0} ms, {:.1} × parsing | ", start.measured, ratio(start))?;
        for scroll in [slow, fast] {
            let Scroll { frames_a_second, plain, rows, holes, longest } = scroll;
            write!(
                f,
                "{frames_a_second:.0} fps (plain {plain:.0}), longest {longest:.0} ms, {rows} rows, {holes} holes | "
            )?;
        }
        write!(f, "{:.0} ms, {:.1} × an empty frame | ", search.measured, ratio(search))?;
        let bytes = heap.scripts + heap.module;
        write!(f, "{:.0} MB ({:.0} + {:.0}) | ", bytes / 1e6, heap.scripts / 1e6, heap.module / 1e6)?;
        let missed = self.missed();
        f.write_str(if missed.is_empty() { "none" } else { &missed })
    }
}

impl Figures {
    /// The budgets that were not kept.
    fn missed(&self) -> String {
        let [slow, fast] = &self.scroll;
        let checks = [
            ("start", self.start.measured <= START_MS_MAX),
            ("search", self.search.measured <= SEARCH_MS_MAX),
            ("frames", slow.frames_a_second.min(fast.frames_a_second) >= FRAMES_A_SECOND_MIN),
            ("rows", slow.rows.max(fast.rows) <= ROWS_MAX),
            ("heap", self.heap.scripts + self.heap.module <= HEAP_BYTES_MAX),
        ];
        let missed: Vec<&str> = checks.iter().filter(|(_, is_kept)| !is_kept).map(|(name, _)| *name).collect();
        missed.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(start: f64, search: f64, frames_a_second: f64, rows: u32, bytes: f64) -> Figures {
        let scroll = || Scroll { frames_a_second, plain: 60.0, rows, holes: 0, longest: 17.0 };
        Figures {
            start: Pair { measured: start, baseline: 500.0 },
            search: Pair { measured: search, baseline: 16.0 },
            scroll: [scroll(), scroll()],
            heap: Heap { scripts: bytes / 2.0, module: bytes / 2.0 },
        }
    }

    #[test]
    fn a_budget_is_kept_up_to_its_bound() {
        assert_eq!(figures(1_500.0, 50.0, 55.0, 60, 150e6).missed(), "");
        assert_eq!(figures(1_501.0, 51.0, 54.0, 61, 151e6).missed(), "start, search, frames, rows, heap");
    }

    #[test]
    fn a_line_has_the_tables_cells() {
        let line = figures(900.0, 40.0, 60.0, 56, 120e6).to_string();
        assert_eq!(line.split(" | ").count(), 6, "{line}");
        assert!(
            line.starts_with("900 ms, 1.8 × parsing | 60 fps (plain 60), longest 17 ms, 56 rows, 0 holes |"),
            "{line}"
        );
    }
}
