//! Everyone's running balance in one currency, exactly and in whole minor units.

use super::decimal::{DECIMALS_MAX, power_of_ten, round_to_units};
use super::table::PEOPLE_MAX;

/// The largest balance, in 10^−18: a hundred times the largest amount of a book even in a currency without decimals,
/// and so small that everyone's together still fit an `i128`.
const EXACT_MAX: i128 = 10_i128.pow(35);
const _: () = assert!(EXACT_MAX < i128::MAX / PEOPLE_MAX as i128 / 2);

/// Balances of all columns, as they stand after the rows taken so far.
///
/// Each whole balance is the exact one rounded, save that their sum is the exact sum rounded: two contacts at 0.4 make
/// 0.8, which is 1, not 0. To keep that, some whole balance may lie on the exact one's other side, always less than one
/// minor unit away. Where a row has nothing smaller than a minor unit, nothing is rounded. What a row gives depends on
/// that row and those before it alone, so a longer version of the same file begins with the same amounts.
#[derive(Debug)]
pub(super) struct Balances {
    unit: i128,
    exact: Vec<i128>,
    whole: Vec<i128>,
}

/// Part of a row: so much more (or less, if negative) is owed by the person in this column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) column: usize,
    pub(super) amount: i128,
}

impl Balances {
    pub(super) fn new(columns: usize, minor_digits: u32) -> Balances {
        let unit = power_of_ten(DECIMALS_MAX - minor_digits);
        Balances { unit, exact: vec![0; columns], whole: vec![0; columns] }
    }

    /// Takes a row's parts, in 10^−`decimals`, and gives back by how many minor units each balance moved, zeros left
    /// out, in column order. `None` where a balance would be too large.
    pub(super) fn take(&mut self, parts: &[Part], decimals: u32) -> Option<Vec<Part>> {
        let scale = power_of_ten(DECIMALS_MAX - decimals);
        let before = self.whole.clone();
        for Part { column, amount } in parts.iter().copied() {
            let exact = self.exact[column].checked_add(amount.checked_mul(scale)?)?;
            self.exact[column] = Some(exact).filter(|exact| (-EXACT_MAX..=EXACT_MAX).contains(exact))?;
            self.whole[column] = round_to_units(self.exact[column], self.unit);
        }
        self.settle(parts);
        let moved = before.iter().zip(&self.whole).map(|(before, after)| after - before).enumerate();
        Some(moved.filter(|(_, amount)| *amount != 0).map(|(column, amount)| Part { column, amount }).collect())
    }

    /// The sum of all balances in minor units.
    pub(super) fn sum(&self) -> i128 {
        self.whole.iter().sum()
    }

    /// Moves whole balances by one until their sum is the exact sum rounded.
    fn settle(&mut self, parts: &[Part]) {
        let exact_sum = self.exact.iter().sum::<i128>();
        let mut missing = round_to_units(exact_sum, self.unit) - self.sum();
        while missing != 0 {
            let direction = missing.signum();
            let column = self.furthest(direction, parts);
            self.whole[column] += direction;
            missing -= direction;
        }
    }

    /// The column whose exact balance lies furthest in `direction` of its whole one; one of this row's if any of them
    /// lies that way at all, for a person should rarely see a cent of a row they had no part in.
    fn furthest(&self, direction: i128, parts: &[Part]) -> usize {
        let ahead = |column: usize| (self.exact[column] - self.whole[column] * self.unit) * direction;
        let best = |columns: &mut dyn Iterator<Item = usize>| {
            columns
                .filter(|column| ahead(*column) > 0)
                .max_by_key(|column| (ahead(*column), std::cmp::Reverse(*column)))
        };
        best(&mut parts.iter().map(|part| part.column))
            .or_else(|| best(&mut (0..self.exact.len())))
            .expect("a sum that lies in this direction has a summand that does")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds rows of (column, thousandths) with two minor digits; gives the whole balances after each.
    fn run(columns: usize, rows: &[&[(usize, i128)]]) -> Vec<Vec<i128>> {
        let mut balances = Balances::new(columns, 2);
        let mut seen = Vec::new();
        for row in rows {
            let parts: Vec<Part> =
                row.iter().map(|(column, amount)| Part { column: *column, amount: *amount }).collect();
            balances.take(&parts, 3).unwrap();
            seen.push(balances.whole.clone());
        }
        seen
    }

    #[test]
    fn rounding_is_carried_along() {
        let third: &[(usize, i128)] = &[(0, 3_333)];
        assert_eq!(run(1, &[third; 3]), [[333], [667], [1000]]);
        let tenth_of_a_cent: &[(usize, i128)] = &[(0, 1)];
        assert_eq!(run(1, &[tenth_of_a_cent; 6]), [[0], [0], [0], [0], [1], [1]]);
    }

    #[test]
    fn the_sum_is_rounded_as_a_whole() {
        assert_eq!(run(2, &[&[(0, 4), (1, 4)]]), [[1, 0]]);
        assert_eq!(run(2, &[&[(0, 5), (1, 5)]]), [[0, 1]]);
        assert_eq!(run(3, &[&[(0, 3_333), (1, 3_333), (2, 3_334)]]), [[333, 333, 334]]);
    }

    #[test]
    fn who_has_a_part_in_the_row_is_moved_first() {
        assert_eq!(run(2, &[&[(0, 4)], &[(1, 2)]]), [[0, 0], [0, 1]]);
    }

    #[test]
    fn balances_beyond_the_largest_are_refused() {
        let mut balances = Balances::new(1, 0);
        let part = |amount| [Part { column: 0, amount }];
        assert!(balances.take(&part(EXACT_MAX), DECIMALS_MAX).is_some());
        assert!(balances.take(&part(1), DECIMALS_MAX).is_none());
        assert!(balances.take(&part(i128::MAX), 0).is_none());
    }

    #[test]
    fn rounding_never_drifts() {
        let back_and_forth: [&[(usize, i128)]; 2] = [&[(0, 4)], &[(1, -4)]];
        let rows: Vec<_> = back_and_forth.into_iter().cycle().take(200).collect();
        assert_eq!(run(2, &rows).last(), Some(&vec![40, -40]));
    }

    proptest! {
        #[test]
        fn every_balance_is_less_than_a_unit_off_and_the_sum_is_rounded(
            rows in prop::collection::vec(prop::collection::btree_map(0_usize..5, -99..99_i128, 1..5), 0..60),
        ) {
            let mut balances = Balances::new(5, 2);
            for row in rows {
                let parts: Vec<Part> = row.into_iter().map(|(column, amount)| Part { column, amount }).collect();
                balances.take(&parts, 3).unwrap();
                for (exact, whole) in balances.exact.iter().zip(&balances.whole) {
                    prop_assert!((exact - whole * balances.unit).abs() < balances.unit, "{balances:?}");
                }
                prop_assert_eq!(balances.sum(), round_to_units(balances.exact.iter().sum(), balances.unit));
            }
        }
    }
}
