//! Exact decimal numbers, as a file writes them.

use std::fmt;

/// The most decimals a number may have: more than a binary float prints, and room enough in an `i128`.
pub(super) const DECIMALS_MAX: u32 = 18;

/// The most digits before the point. A book takes amounts up to 10^15 minor units, so nothing longer could be imported.
const WHOLE_DIGITS_MAX: usize = 16;

/// A number, exactly: `mantissa` · 10^−`decimals`, with no more decimals than it needs, so equal numbers are equal here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    mantissa: i128,
    decimals: u32,
}

impl Decimal {
    pub(super) const ZERO: Decimal = Decimal { mantissa: 0, decimals: 0 };
    pub(super) const ONE: Decimal = Decimal { mantissa: 1, decimals: 0 };

    /// Reads `12`, `-12.50`, `+.5` and `−3` (with a true minus sign); `None` for all else and what is out of bounds.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !all_digits || whole.len() + fraction.len() == 0 {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let decimals = u32::try_from(fraction.len()).ok().filter(|count| *count <= DECIMALS_MAX)?;
        if whole.len() > WHOLE_DIGITS_MAX {
            return None;
        }
        let magnitude = whole.bytes().chain(fraction.bytes()).fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        Some(Decimal { mantissa: if negative { -magnitude } else { magnitude }, decimals })
    }

    pub(super) fn decimals(self) -> u32 {
        self.decimals
    }

    /// −1, 0 or 1.
    pub(super) fn signum(self) -> i128 {
        self.mantissa.signum()
    }

    /// This number counted in 10^−`decimals`; below 10^34 in magnitude.
    pub(super) fn scaled(self, decimals: u32) -> i128 {
        assert!((self.decimals..=DECIMALS_MAX).contains(&decimals), "scaling must neither lose digits nor overflow");
        self.mantissa * power_of_ten(decimals - self.decimals)
    }

    /// The same bytes for the same number, however it was written.
    pub(super) fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..16].copy_from_slice(&self.mantissa.to_le_bytes());
        bytes[16..].copy_from_slice(&self.decimals.to_le_bytes());
        bytes
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let (magnitude, unit) = (self.mantissa.abs(), power_of_ten(self.decimals));
        match self.decimals as usize {
            0 => write!(f, "{sign}{magnitude}"),
            digits => write!(f, "{sign}{}.{:0digits$}", magnitude / unit, magnitude % unit),
        }
    }
}

pub(super) fn power_of_ten(exponent: u32) -> i128 {
    assert!(exponent <= DECIMALS_MAX, "no number here has more than {DECIMALS_MAX} decimals");
    10_i128.pow(exponent)
}

/// `amount / unit` to the nearest whole number; halves away from zero, so that both sides of a debt round alike.
pub(super) fn round_to_units(amount: i128, unit: i128) -> i128 {
    let rest = amount % unit;
    let away = if rest.abs() * 2 >= unit { amount.signum() } else { 0 };
    amount / unit + away
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly() {
        let cases = [
            ("0", Some((0, 0))),
            ("-0.00", Some((0, 0))),
            ("1366.00", Some((1366, 0))),
            ("-83.88", Some((-8388, 2))),
            ("\u{2212}3", Some((-3, 0))),
            ("+.5", Some((5, 1))),
            ("7.", Some((7, 0))),
            ("0.100", Some((1, 1))),
            ("0007", Some((7, 0))),
            ("33.333333333333336", Some((33_333_333_333_333_336, 15))),
            ("1000000000000000", Some((1_000_000_000_000_000, 0))),
            ("10000000000000000", None),
            ("0.000000000000000001", Some((1, 18))),
            ("0.0000000000000000001", None),
            ("0.00000000000000000000", Some((0, 0))),
            ("", None),
            (".", None),
            ("-", None),
            ("+-1", None),
            ("1,50", None),
            ("1,234.50", None),
            ("1.2.3", None),
            ("1e3", None),
            ("٣", None),
        ];
        for (text, expected) in cases {
            let found = Decimal::parse(text).map(|number| (number.mantissa, number.decimals));
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for text in ["0", "-7", "1.5", "-0.05", "33.333333333333336"] {
            assert_eq!(Decimal::parse(text).map(|number| number.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn the_largest_number_scales_without_overflow() {
        let largest = Decimal::parse("-9999999999999999.999999999999999999").unwrap();
        assert_eq!(largest.scaled(DECIMALS_MAX), -(10_i128.pow(34) - 1));
    }

    #[test]
    fn halves_round_away_from_zero() {
        for (amount, expected) in [(0, 0), (4, 0), (5, 1), (14, 1), (15, 2), (-4, 0), (-5, -1), (-14, -1), (-15, -2)] {
            assert_eq!(round_to_units(amount, 10), expected, "{amount}");
        }
        assert_eq!(round_to_units(-7, 1), -7);
    }
}
