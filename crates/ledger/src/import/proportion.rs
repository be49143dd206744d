//! An amount shared out in whole units, in proportion to weights.

/// Splits `amount` in proportion to `weights` by the largest remainder: every part is its exact share rounded down or
/// up, the parts sum to `amount`, and between equal remainders the earlier one is rounded up.
///
/// `amount` must not be negative; weights must be positive, at least one. `None` where an `i128` is too small for it.
pub(super) fn split(amount: i128, weights: &[i128]) -> Option<Vec<i128>> {
    assert!(amount >= 0 && !weights.is_empty(), "an amount of no sign is split between somebody");
    assert!(weights.iter().all(|weight| *weight > 0), "a weight is positive");
    let whole = weights.iter().try_fold(0_i128, |sum, weight| sum.checked_add(*weight))?;
    let shares = weights.iter().map(|weight| amount.checked_mul(*weight)).collect::<Option<Vec<_>>>()?;
    let mut parts: Vec<i128> = shares.iter().map(|share| share / whole).collect();

    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|index| std::cmp::Reverse(shares[*index] % whole)); // stable: ties stay in order
    let mut left = amount - parts.iter().sum::<i128>();
    for index in by_remainder {
        if left == 0 {
            break;
        }
        parts[index] += 1;
        left -= 1;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_the_largest_remainder() {
        let cases: [(i128, &[i128], &[i128]); 8] = [
            (10, &[1], &[10]),
            (0, &[3, 4], &[0, 0]),
            (10, &[1, 1, 1], &[4, 3, 3]),
            (11, &[1, 1, 1], &[4, 4, 3]),
            (100, &[2, 1], &[67, 33]),
            (100, &[1, 2], &[33, 67]),
            (5, &[1, 9], &[1, 4]), // 0.5 and 4.5: the earlier one is rounded up
            (7, &[60, 30, 10], &[4, 2, 1]),
        ];
        for (amount, weights, expected) in cases {
            assert_eq!(split(amount, weights).as_deref(), Some(expected), "{amount} by {weights:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(split(i128::MAX, &[2]), None);
        assert_eq!(split(1, &[i128::MAX, 1]), None);
    }
}
