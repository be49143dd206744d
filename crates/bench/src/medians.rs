//! Of several rounds, the one in the middle: what disturbs the machine now and then does not show in it.

/// The median; of an even number of values, the lower of the two in the middle.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// With three digits that mean something.
pub(crate) fn rounded(value: f64) -> f64 {
    // By way of text, so that it is the number that is written so and no neighbour of it.
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// As a table says it: "316,000".
pub(crate) fn thousands(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let digits = format!("{value:.0}");
    let (mut text, length) = (String::new(), digits.len());
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (length - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_a_value_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 3.0, 1.0, 2.0]), 2.0);
        assert!(median([]).is_nan());
    }

    #[test]
    fn three_digits_are_left_and_written_as_such() {
        let cases = [(23.94, "23.9"), (0.012_345, "0.0123"), (1_234_567.0, "1230000"), (0.0, "0"), (999.6, "1000")];
        assert_eq!(cases.map(|(value, _)| rounded(value).to_string()), cases.map(|(_, text)| text.to_owned()));
        assert!(rounded(f64::NAN).is_nan());
    }

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0.0, 999.0, 1000.0, 1_234_567.0].map(thousands)[..]);
    }

    #[test]
    fn three_digits_are_kept() {
        assert_eq!(rounded(123_456.0), 123_000.0);
        assert_eq!(rounded(0.0), 0.0);
        assert!((rounded(0.012_345) - 0.0123).abs() < 1e-9);
    }
}
