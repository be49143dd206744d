//! Amounts as text: minor units in, a locale's way of writing money out. No floats anywhere.

/// U+2212, which is as wide as the plus sign.
pub const MINUS: &str = "−";

/// How a locale writes one currency, as learnt from a sample it formatted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoneyPattern {
    pub digits: usize,
    /// The symbol and its space, where it stands before the figures.
    pub before: String,
    /// The same where it stands after them.
    pub after: String,
    pub decimal: String,
    pub group: String,
    /// How many figures the group next to the decimal sign has.
    pub group_last: usize,
    /// How many the others have: 3, or 2 in India.
    pub group_rest: usize,
    /// Below this many figures nothing is grouped.
    pub grouped_from: usize,
}

/// A piece of a formatted sample, by its `type` in `Intl.NumberFormat.prototype.formatToParts`.
pub type Part = (String, String);

impl MoneyPattern {
    /// Learns from how the locale writes 1234567 and 1234 with `digits` decimals.
    #[must_use]
    pub fn learn(digits: usize, seven_figures: &[Part], four_figures: &[Part]) -> Self {
        let mut pattern = Self::plain(digits, "");
        let mut seen_figures = false;
        let mut groups = Vec::new();
        for (kind, value) in seven_figures {
            match kind.as_str() {
                "integer" => {
                    seen_figures = true;
                    groups.push(value.chars().count());
                }
                "group" => pattern.group.clone_from(value),
                "decimal" => pattern.decimal.clone_from(value),
                "currency" | "literal" if seen_figures => pattern.after.push_str(value),
                "currency" | "literal" => pattern.before.push_str(value),
                _ => {}
            }
        }
        if let [.., rest, last] = groups[..] {
            (pattern.group_rest, pattern.group_last) = (rest, last);
        }
        // Spanish and others leave four figures together.
        let four_are_grouped = four_figures.iter().any(|(kind, _)| kind == "group");
        pattern.grouped_from = if four_are_grouped { 4 } else { 5 };
        pattern
    }

    /// For a browser that cannot tell: the code, points and commas as in English.
    #[must_use]
    pub fn plain(digits: usize, before: &str) -> Self {
        Self {
            digits,
            before: before.to_owned(),
            after: String::new(),
            decimal: ".".into(),
            group: String::new(),
            group_last: 3,
            group_rest: 3,
            grouped_from: 4,
        }
    }

    /// Writes an amount of minor units. The sign is told, not written: only the caller knows what it means.
    #[must_use]
    pub fn write(&self, amount: i128) -> Written {
        let figures = format!("{:0>width$}", amount.unsigned_abs(), width = self.digits + 1);
        let (whole, minor) = figures.split_at(figures.len() - self.digits);
        let sign = match amount {
            0 => "",
            1.. => "+",
            _ => MINUS,
        };
        let minor = if minor.is_empty() { String::new() } else { format!("{}{minor}", self.decimal) };
        Written { sign, whole: format!("{}{}", self.before, self.grouped(whole)), minor, after: self.after.clone() }
    }

    fn grouped(&self, whole: &str) -> String {
        if whole.len() < self.grouped_from || self.group.is_empty() {
            return whole.to_owned();
        }
        let mut groups = Vec::new();
        let mut rest = whole;
        let mut size = self.group_last;
        while rest.len() > size {
            let (front, group) = rest.split_at(rest.len() - size);
            groups.push(group);
            rest = front;
            size = self.group_rest.max(1);
        }
        groups.push(rest);
        groups.reverse();
        groups.join(&self.group)
    }
}

/// An amount in the pieces a screen sets differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// `+`, `−` or nothing.
    pub sign: &'static str,
    /// Symbol and whole units.
    pub whole: String,
    /// Decimal sign and minor units, where the currency has them.
    pub minor: String,
    /// The symbol, where it stands last.
    pub after: String,
}

impl Written {
    #[must_use]
    pub fn signed(&self) -> String {
        format!("{}{}", self.sign, self.unsigned())
    }

    #[must_use]
    pub fn unsigned(&self) -> String {
        format!("{}{}{}", self.whole, self.minor, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &[(&str, &str)]) -> Vec<Part> {
        text.iter().map(|(kind, value)| ((*kind).to_owned(), (*value).to_owned())).collect()
    }

    fn english() -> MoneyPattern {
        let seven = [
            ("currency", "€"),
            ("integer", "1"),
            ("group", ","),
            ("integer", "234"),
            ("group", ","),
            ("integer", "567"),
            ("decimal", "."),
            ("fraction", "00"),
        ];
        MoneyPattern::learn(2, &parts(&seven), &parts(&[("integer", "1"), ("group", ","), ("integer", "234")]))
    }

    #[test]
    fn english_euros() {
        let cases = [
            (0, "€0.00"),
            (5, "+€0.05"),
            (-8620, "−€86.20"),
            (123_456_789, "+€1,234,567.89"),
            (100_000, "+€1,000.00"),
            (i128::from(u64::MAX), "+€184,467,440,737,095,516.15"),
        ];
        for (amount, text) in cases {
            assert_eq!(english().write(amount).signed(), text);
        }
        assert_eq!(english().write(-8620).unsigned(), "€86.20");
    }

    #[test]
    fn a_symbol_that_stands_last_and_few_groups() {
        let seven = [
            ("integer", "1"),
            ("group", "."),
            ("integer", "234"),
            ("group", "."),
            ("integer", "567"),
            ("decimal", ","),
            ("fraction", "00"),
            ("literal", "\u{a0}"),
            ("currency", "€"),
        ];
        let spanish = MoneyPattern::learn(2, &parts(&seven), &parts(&[("integer", "1234")]));
        assert_eq!(spanish.write(123_400).signed(), "+1234,00\u{a0}€");
        assert_eq!(spanish.write(-1_234_000).signed(), "−12.340,00\u{a0}€");
    }

    #[test]
    fn lakhs_and_no_decimals() {
        let seven = [
            ("currency", "₹"),
            ("integer", "12"),
            ("group", ","),
            ("integer", "34"),
            ("group", ","),
            ("integer", "567"),
        ];
        let indian = MoneyPattern::learn(0, &parts(&seven), &parts(&[("group", ",")]));
        assert_eq!(indian.write(123_456_789).signed(), "+₹12,34,56,789");
        assert_eq!(indian.write(7).signed(), "+₹7");
    }
}
