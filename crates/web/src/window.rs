//! Which rows of a long list are in the page, and where each of them stands.
//!
//! A row's height is a guess until it was drawn once: that of its kind. What is measured corrects the guess, and only rows
//! that are not as high as their kind are remembered one by one.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

/// How many rows of a list are in the page, unless the window shows more at once.
pub const ROWS_MAX: usize = 60;

/// How many of them may stand apart: the one with the focus, its two neighbours, where keys lead, and a heading.
const APART_MAX: usize = 4;

/// How many rows beyond each edge of the window are drawn, however many it shows.
const BEYOND_EDGE: usize = 4;

/// Below this, in pixels, two heights are the same: browsers round to the dots of a screen.
const SAME_WITHIN: f64 = 0.25;

/// A row of a long list, as far as its place is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub key: Uuid,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Line,
    /// Stands over the lines that follow, and stays in sight with them.
    Heading,
}

/// All rows of a list, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub rows: Vec<Row>,
    /// What the person asked to see, in any words. Where these are others, the list is another, not a newer one.
    pub asked: String,
}

impl Listing {
    /// A list without headings.
    #[must_use]
    pub fn of_lines(keys: impl Iterator<Item = Uuid>, asked: String) -> Arc<Self> {
        Arc::new(Self { rows: keys.map(|key| Row { key, kind: Kind::Line }).collect(), asked })
    }
}

/// What a newer list does to somebody who reads in the middle of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shift {
    /// By how many pixels what they read has moved down.
    pub by: f64,
    /// How many lines came in above it.
    pub new_above: usize,
}

/// How the rows in the page are set, so that each stands where it would with all others above it.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The room before each row, for those that are not in the page.
    pub gaps: Vec<f64>,
    /// The room after the last one.
    pub after: f64,
}

/// The rows of a list one below the other, in pixels from its top.
#[derive(Debug)]
pub struct Column {
    listing: Arc<Listing>,
    /// Where each row begins; the last one more is where all end.
    tops: Vec<f64>,
    headings: Vec<usize>,
    line_height: f64,
    heading_height: f64,
    /// The two heights are no guess any more.
    is_measured: bool,
    /// Heights of rows that differ from their kind.
    odd: HashMap<Uuid, f64>,
}

impl Column {
    /// A column that holds nothing yet; the heights are guesses.
    #[must_use]
    pub fn new(line_height: f64, heading_height: f64) -> Self {
        let listing = Arc::default();
        let odd = HashMap::new();
        Self { listing, tops: vec![0.0], headings: Vec::new(), line_height, heading_height, is_measured: false, odd }
    }

    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.listing.rows
    }

    /// Whether this very list is in place.
    #[must_use]
    pub fn holds(&self, listing: &Arc<Listing>) -> bool {
        Arc::ptr_eq(&self.listing, listing)
    }

    /// Puts a newer list in place. `read`: the part that somebody reads, which is to stay in sight.
    pub fn arrange(&mut self, listing: Arc<Listing>, read: Option<Range<f64>>) -> Shift {
        let is_newer = self.listing.asked == listing.asked;
        let seen = read.filter(|_| is_newer).map(|read| self.seen(read));
        let seen: Vec<(Uuid, f64, usize)> = seen.into_iter().flatten().map(|index| self.place(index)).collect();
        self.listing = listing;
        let is_heading = |(index, row): (usize, &Row)| (row.kind == Kind::Heading).then_some(index);
        self.headings = self.listing.rows.iter().enumerate().filter_map(is_heading).collect();
        if self.odd.len() > self.listing.rows.len() {
            self.odd.clear();
        }
        self.lay();
        self.shift_of(&seen)
    }

    /// A row, where it begins, and how many lines stand above it.
    fn place(&self, index: usize) -> (Uuid, f64, usize) {
        let headings = self.headings.partition_point(|heading| *heading < index);
        (self.listing.rows[index].key, self.tops[index], index - headings)
    }

    /// By how much most of what was seen has moved: one row of it may have gone far away.
    fn shift_of(&self, seen: &[(Uuid, f64, usize)]) -> Shift {
        if seen.is_empty() {
            return Shift::default();
        }
        let moved = self.listing.rows.iter().enumerate().filter_map(|(index, row)| {
            let (_, was_at, lines) = seen.iter().find(|(key, ..)| *key == row.key)?;
            let (_, is_at, lines_now) = self.place(index);
            Some((is_at - was_at, lines_now.saturating_sub(*lines)))
        });
        let moved: Vec<(f64, usize)> = moved.collect();
        most_common(&moved).map_or_else(Shift::default, |(by, new_above)| Shift { by, new_above })
    }

    /// Takes in how high rows are that were drawn. Returns whether any was not where it was thought to be.
    pub fn measure(&mut self, measured: &[(usize, f64)]) -> bool {
        let mut is_other = !self.is_measured && self.learn(measured);
        for &(index, height) in measured {
            let Row { key, kind } = self.listing.rows[index];
            if is_same(height, self.height_of(self.listing.rows[index])) {
                continue;
            }
            is_other = true;
            if is_same(height, self.usual(kind)) {
                self.odd.remove(&key);
            } else {
                self.odd.insert(key, height);
            }
        }
        if is_other {
            self.lay();
        }
        is_other
    }

    fn learn(&mut self, measured: &[(usize, f64)]) -> bool {
        let [line, heading] = [Kind::Line, Kind::Heading].map(|kind| {
            let of_kind = measured.iter().filter(|(index, _)| self.listing.rows[*index].kind == kind);
            let of_kind: Vec<(f64, usize)> = of_kind.map(|(index, height)| (*height, *index)).collect();
            most_common(&of_kind).map(|(height, _)| height)
        });
        self.is_measured = line.is_some();
        self.line_height = line.unwrap_or(self.line_height);
        self.heading_height = heading.unwrap_or(self.heading_height);
        self.is_measured
    }

    /// The list is of another width: what was measured holds no longer.
    pub fn forget_heights(&mut self) {
        self.is_measured = false;
        self.odd.clear();
        self.lay();
    }

    fn lay(&mut self) {
        let mut top = 0.0;
        let mut tops = Vec::with_capacity(self.listing.rows.len() + 1);
        tops.push(top);
        tops.extend(self.listing.rows.iter().map(|row| {
            top += self.height_of(*row);
            top
        }));
        self.tops = tops;
    }

    fn height_of(&self, row: Row) -> f64 {
        // Most lists have no odd row at all: then nothing is looked up.
        let odd = if self.odd.is_empty() { None } else { self.odd.get(&row.key) };
        odd.copied().unwrap_or_else(|| self.usual(row.kind))
    }

    fn usual(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Line => self.line_height,
            Kind::Heading => self.heading_height,
        }
    }

    /// Where a row begins, or, for the number of rows, where all end.
    #[must_use]
    pub fn top(&self, index: usize) -> f64 {
        self.tops[index]
    }

    /// The first row of which something is below this line.
    #[must_use]
    pub fn row_at(&self, line: f64) -> usize {
        let begun = self.tops.partition_point(|top| *top <= line);
        begun.saturating_sub(1).min(self.listing.rows.len().saturating_sub(1))
    }

    fn seen(&self, view: Range<f64>) -> Range<usize> {
        let is_any = !self.listing.rows.is_empty();
        let first = self.row_at(view.start);
        first..if is_any { self.row_at(view.end.max(view.start)) + 1 } else { first }
    }

    /// The rows to have in the page while this part of the list is in view, from the top.
    #[must_use]
    pub fn drawn(&self, view: Range<f64>, focused: Option<usize>) -> Vec<usize> {
        let all = self.listing.rows.len();
        let seen = self.seen(view);
        if all <= ROWS_MAX.max(seen.len()) {
            return (0..all).collect();
        }
        let size = (ROWS_MAX - APART_MAX).max(seen.len() + 2 * BEYOND_EDGE).min(all);
        let above = (size - seen.len()) / 2;
        let start = seen.start.saturating_sub(above).min(all - size);
        let around = focused.map_or(0..0, |focused| focused.saturating_sub(1)..focused + 2);
        let heading = self.headings.partition_point(|heading| *heading < start).checked_sub(1);
        let heading = heading.map(|place| self.headings[place]);
        let is_drawn = |at: &usize| (start..start + size).contains(at) || around.contains(at) || heading == Some(*at);
        (0..all).filter(is_drawn).collect()
    }

    /// How to set the rows that are in the page.
    #[must_use]
    pub fn setting(&self, drawn: &[usize]) -> Setting {
        let mut end = 0;
        let gaps = drawn.iter().map(|&index| {
            let gap = if index == end { 0.0 } else { self.tops[index] - self.tops[end] };
            end = index + 1;
            gap
        });
        let gaps = gaps.collect();
        Setting { gaps, after: self.tops[self.listing.rows.len()] - self.tops[end] }
    }
}

/// One of those whose length most others have, too. There are few: each is compared with each.
fn most_common(lengths: &[(f64, usize)]) -> Option<(f64, usize)> {
    let as_long = |one: &(f64, usize)| lengths.iter().filter(|other| is_same(one.0, other.0)).count();
    lengths.iter().copied().max_by_key(as_long)
}

fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() < SAME_WITHIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Uuid {
        Uuid::from_u128(number as u128)
    }

    fn lines(numbers: impl Iterator<Item = usize>) -> Arc<Listing> {
        Listing::of_lines(numbers.map(key), String::new())
    }

    fn column(rows: usize) -> Column {
        let mut column = Column::new(10.0, 30.0);
        column.arrange(lines(0..rows), None);
        column
    }

    /// A heading before each ten lines; keys from 1000 on are headings.
    fn with_headings(lines: usize) -> Column {
        let mut column = Column::new(10.0, 30.0);
        let rows = (0..lines).flat_map(|line| {
            let heading = (line % 10 == 0).then(|| Row { key: key(1_000 + line), kind: Kind::Heading });
            heading.into_iter().chain([Row { key: key(line), kind: Kind::Line }])
        });
        column.arrange(Arc::new(Listing { rows: rows.collect(), asked: String::new() }), None);
        column
    }

    #[test]
    fn a_short_list_is_drawn_whole() {
        for rows in [0, 1, ROWS_MAX - 1, ROWS_MAX] {
            assert_eq!(column(rows).drawn(0.0..200.0, None), (0..rows).collect::<Vec<_>>());
        }
        let column = column(ROWS_MAX + 1);
        assert_eq!(column.drawn(0.0..200.0, None).len(), ROWS_MAX - APART_MAX);
    }

    #[test]
    fn what_is_in_view_is_drawn_with_as_much_above_as_below() {
        let column = column(1_000);
        let cases = [
            // (view, first drawn, last drawn)
            (0.0..200.0, 0, 55),
            (170.0..370.0, 0, 55),
            (180.0..380.0, 1, 56),
            (5_000.0..5_200.0, 483, 538),
            (5_009.9..5_209.9, 483, 538),
            (9_800.0..10_000.0, 944, 999),
            (20_000.0..20_200.0, 944, 999),
            (-500.0..-300.0, 0, 55),
        ];
        for (view, first, last) in cases {
            let drawn = column.drawn(view.clone(), None);
            assert_eq!((drawn[0], *drawn.last().expect("some")), (first, last), "{view:?}");
            assert_eq!(drawn.len(), ROWS_MAX - APART_MAX);
        }
    }

    #[test]
    fn a_window_that_shows_more_gets_more() {
        let column = column(1_000);
        let drawn = |rows: f64| column.drawn(5_000.0..5_000.0 + rows * 10.0 - 1.0, None).len();
        assert_eq!([drawn(48.0), drawn(49.0), drawn(100.0)], [56, 57, 108]);
        assert_eq!(column.drawn(0.0..20_000.0, None).len(), 1_000);
    }

    #[test]
    fn the_focus_and_its_neighbours_stay() {
        let column = column(1_000);
        let apart = |focused| -> Vec<usize> {
            let drawn = column.drawn(5_000.0..5_200.0, Some(focused));
            assert!(drawn.len() <= ROWS_MAX);
            drawn.into_iter().filter(|index| !(483..=538).contains(index)).collect()
        };
        assert_eq!(apart(0), [0, 1]);
        assert_eq!(apart(20), [19, 20, 21]);
        assert_eq!(apart(999), [998, 999]);
        assert_eq!(apart(500), [0; 0]);
        assert_eq!(apart(482), [481, 482]);
    }

    #[test]
    fn the_heading_over_the_first_row_stays() {
        let column = with_headings(500);
        let drawn = column.drawn(3_000.0..3_200.0, None);
        let first = column.rows()[drawn[0]];
        assert_eq!(first.kind, Kind::Heading);
        assert!(drawn[1] > drawn[0] + 1, "{drawn:?}");
        assert!(drawn.len() <= ROWS_MAX);
        let setting = column.setting(&drawn);
        assert_eq!(setting.gaps[0], column.top(drawn[0]));
        assert_eq!(setting.gaps[1], column.top(drawn[1]) - column.top(drawn[0] + 1));
    }

    #[test]
    fn rows_stand_where_they_would_with_all_others() {
        let column = column(1_000);
        let setting = column.setting(&[3, 4, 5, 90]);
        assert_eq!(setting, Setting { gaps: vec![30.0, 0.0, 0.0, 840.0], after: 9_090.0 });
        assert_eq!(column.setting(&[]), Setting { gaps: vec![], after: 10_000.0 });
        assert_eq!(Column::new(10.0, 30.0).setting(&[]), Setting { gaps: vec![], after: 0.0 });
    }

    #[test]
    fn what_is_measured_corrects_the_guess() {
        let mut column = column(100);
        assert!(column.measure(&[(0, 12.0), (1, 12.0), (2, 19.0)]));
        assert_eq!(column.top(100), 1_200.0 + 7.0);
        assert_eq!([column.top(2), column.top(3)], [24.0, 43.0]);
        // The same again is nothing new, nor is what a screen rounds away.
        assert!(!column.measure(&[(0, 12.0), (1, 12.24), (2, 19.0)]));
        assert!(column.measure(&[(1, 12.25)]));
        // What was odd can become usual.
        assert!(column.measure(&[(1, 12.0), (2, 12.0)]));
        assert_eq!(column.top(100), 1_200.0);
        // Another width: the first heights that are measured count anew.
        column.forget_heights();
        assert!(column.measure(&[(50, 20.0)]));
        assert_eq!(column.top(100), 2_000.0);
    }

    #[test]
    fn who_reads_is_told_by_how_much_that_moved() {
        let read = Some(500.0..700.0);
        let cases = [
            // (the newer list, by, new above)
            ((0..100).collect::<Vec<_>>(), 0.0, 0),
            (vec![200].into_iter().chain(0..100).collect(), 10.0, 1),
            (vec![200, 201, 202].into_iter().chain(0..100).collect(), 30.0, 3),
            // One that was read came to the top: the others move past it.
            (vec![55].into_iter().chain((0..100).filter(|it| *it != 55)).collect(), 0.0, 0),
            // One from below came to the top.
            (vec![99].into_iter().chain(0..99).collect(), 10.0, 1),
            // Rows above are gone.
            ((5..100).collect(), -50.0, 0),
            // Nothing of what was read is left.
            ((0..40).collect(), 0.0, 0),
        ];
        for (newer, by, new_above) in cases {
            let mut column = column(100);
            let shift = column.arrange(lines(newer.iter().copied()), read.clone());
            assert_eq!(shift, Shift { by, new_above }, "{newer:?}");
        }
    }

    #[test]
    fn whoever_asks_for_another_list_reads_from_where_they_are() {
        let newer = || Listing::of_lines([200].into_iter().chain(0..100).map(key), "ana".into());
        let mut column = column(100);
        assert_eq!(column.arrange(newer(), Some(500.0..700.0)), Shift::default());
        let other = Listing::of_lines((0..100).map(key), "ana".into());
        assert_eq!(column.arrange(other, None), Shift::default());
    }

    #[test]
    fn headings_do_not_count_as_new() {
        let mut column = with_headings(100);
        let mut rows = column.rows().to_vec();
        rows.splice(0..0, [Row { key: key(5_000), kind: Kind::Heading }, Row { key: key(500), kind: Kind::Line }]);
        let shift = column.arrange(Arc::new(Listing { rows, asked: String::new() }), Some(600.0..800.0));
        assert_eq!(shift, Shift { by: 40.0, new_above: 1 });
    }
}
