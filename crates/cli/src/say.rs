//! How amounts, days and tables are written for people.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tidebook_book::UnixMillis;
use tidebook_ledger::export::decimal;
use tidebook_ledger::{Balances, CivilDate, Currency, Direction};
use unicode_width::UnicodeWidthStr as _;
use uuid::Uuid;

pub(crate) const OWED: Style = AnsiColor::Green.on_default();
pub(crate) const OWING: Style = AnsiColor::Red.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const ALARM: Style = AnsiColor::Yellow.on_default();

/// A text in a style; standard output drops the style where nobody would see it.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// An amount and its currency, without a sign.
pub(crate) fn money(amount: i128, currency: Currency) -> String {
    format!("{} {currency}", decimal(amount.unsigned_abs(), currency))
}

/// An amount and its currency, with a sign.
pub(crate) fn signed(amount: i128, currency: Currency) -> String {
    let sign = match amount {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", money(amount, currency))
}

/// The words for a balance, and their style.
pub(crate) fn owes(amount: i128) -> (&'static str, Style) {
    if amount < 0 { ("you owe", OWING) } else { ("owes you", OWED) }
}

/// What somebody owes or is owed, in words.
pub(crate) fn balance_words(name: &str, balances: &Balances) -> Vec<String> {
    if balances.is_empty() {
        return vec![format!("{name} and you are even")];
    }
    let words = balances.iter().map(|(currency, amount)| match owes(*amount) {
        (_, style) if *amount < 0 => format!("you owe {name} {}", styled(style, money(*amount, *currency))),
        (words, style) => format!("{name} {words} {}", styled(style, money(*amount, *currency))),
    });
    words.collect()
}

pub(crate) fn direction_words(direction: Direction) -> (&'static str, Style) {
    match direction {
        Direction::Gave => ("I gave", OWED),
        Direction::Got => ("I got", OWING),
    }
}

/// The part of an id that people type: its last 8 digits, which are random.
pub(crate) fn short(id: Uuid) -> String {
    let digits = id.simple().to_string();
    digits[24..].to_owned()
}

/// A moment, where the person is.
pub(crate) fn moment(at: UnixMillis) -> String {
    let Ok(timestamp) = Timestamp::from_millisecond(at.0) else { return at.0.to_string() };
    timestamp.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The day it is, where the person is.
pub(crate) fn today() -> CivilDate {
    let today = Timestamp::now().to_zoned(TimeZone::system()).date();
    CivilDate::new(today).expect("it is after the year 1")
}

/// So many of something.
pub(crate) fn count(many: usize, one: &str, more: &str) -> String {
    if many == 1 { format!("1 {one}") } else { format!("{many} {more}") }
}

/// Rows under each other, each column as wide as its widest cell.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

#[derive(Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
    is_number: bool,
}

impl Table {
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The rows, two spaces between columns.
    pub(crate) fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| self.rows.iter().filter_map(|row| Some(row.get(column)?.text.width())).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let line = |row: &Vec<Cell>| {
            let last = row.len().saturating_sub(1);
            let cells = row.iter().zip(&widths).enumerate();
            let cells: Vec<String> = cells.map(|(place, (cell, width))| cell.padded(*width, place == last)).collect();
            cells.join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

impl Cell {
    pub(crate) fn text(text: impl Display) -> Self {
        Self { text: one_line(&text.to_string()), style: Style::new(), is_number: false }
    }

    pub(crate) fn number(text: impl Display) -> Self {
        Self { is_number: true, ..Self::text(text) }
    }

    pub(crate) fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }

    fn padded(&self, width: usize, is_last: bool) -> String {
        let room = " ".repeat(width.saturating_sub(self.text.width()));
        let text = styled(self.style, &self.text);
        match (self.is_number, is_last) {
            (true, _) => format!("{room}{text}"),
            (false, true) => text,
            (false, false) => format!("{text}{room}"),
        }
    }
}

/// A terminal takes control characters for commands, and a table wants one line a row.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_read_as_decimals() {
        let cases = [
            (-7785, "EUR", "-77.85 EUR"),
            (5, "EUR", "+0.05 EUR"),
            (1366, "JPY", "+1366 JPY"),
            (0, "KWD", "0.000 KWD"),
        ];
        for (amount, currency, expected) in cases {
            assert_eq!(signed(amount, currency.parse().expect("a currency")), expected);
        }
    }

    #[test]
    fn columns_stand_under_each_other() {
        let mut table = Table::default();
        table.row([Cell::text("Ana"), Cell::number("5"), Cell::text("a\nb")]);
        table.row([Cell::text("日本"), Cell::number("1000"), Cell::text("\u{1b}[2J")]);
        let plain = |line: &String| anstream::adapter::strip_str(line).to_string();
        assert_eq!(table.lines().iter().map(plain).collect::<Vec<_>>(), ["Ana      5  a b", "日本  1000   [2J"]);
    }
}
