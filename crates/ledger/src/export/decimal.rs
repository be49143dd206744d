//! Amounts as people write them.

use crate::Currency;

/// An amount in minor units as a decimal, without a sign: 1234 of a currency with two decimals is `12.34`.
#[must_use]
pub fn decimal(amount: u128, currency: Currency) -> String {
    let digits = currency.minor_digits() as usize;
    let padded = format!("{amount:0>width$}", width = digits + 1);
    match padded.split_at(padded.len() - digits) {
        (whole, "") => whole.to_owned(),
        (whole, fraction) => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_decimals_of_their_currency() {
        for (amount, currency, expected) in [
            (1234, "EUR", "12.34"),
            (5, "EUR", "0.05"),
            (100, "EUR", "1.00"),
            (7, "JPY", "7"),
            (7, "KWD", "0.007"),
            (12_345, "CLF", "1.2345"),
        ] {
            assert_eq!(decimal(amount, currency.parse().expect("a currency")), expected);
        }
    }
}
