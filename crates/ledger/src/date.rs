//! Civil dates: a day on a calendar, without a time or a zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Checked;

/// A day from 0001-01-01 to 9999-12-31, written `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(Date);

/// A text that is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a date: expected YYYY-MM-DD")]
pub struct CivilDateError;

impl CivilDate {
    #[must_use]
    pub fn new(date: Date) -> Option<Self> {
        (date.year() >= 1).then_some(Self(date))
    }

    #[must_use]
    pub fn date(self) -> Date {
        self.0
    }
}

impl FromStr for CivilDate {
    type Err = CivilDateError;

    fn from_str(text: &str) -> Result<Self, CivilDateError> {
        let digit_places = [0, 1, 2, 3, 5, 6, 8, 9];
        let bytes = text.as_bytes();
        let shaped = bytes.len() == 10
            && bytes[4] == b'-'
            && bytes[7] == b'-'
            && digit_places.iter().all(|&place| bytes[place].is_ascii_digit());
        if !shaped {
            return Err(CivilDateError);
        }
        // By hand, as is writing: jiff's own parser and printer would be a tenth of what the browser downloads.
        let number = |digits: &[u8]| digits.iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'));
        let small = |digits: &[u8]| i8::try_from(number(digits)).expect("two digits are at most 99");
        let date = Date::new(number(&bytes[..4]), small(&bytes[5..7]), small(&bytes[8..]));
        date.ok().and_then(Self::new).ok_or(CivilDateError)
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.0.year().unsigned_abs(), self.0.month(), self.0.day());
        let mut text = *b"0000-00-00";
        let numbers = [(0..4, year), (5..7, month.unsigned_abs().into()), (8..10, day.unsigned_abs().into())];
        for (places, mut number) in numbers {
            for digit in text[places].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        f.write_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

impl Serialize for CivilDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Checked::deserialize(deserializer)? {
            Checked::Valid(date) => Ok(date),
            Checked::Wrong(_) => Err(D::Error::custom(CivilDateError)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for right in ["0001-01-01", "2024-02-29", "2026-11-22", "9999-12-31"] {
            assert_eq!(right.parse::<CivilDate>().map(|date| date.to_string()), Ok(right.to_string()));
        }
        for wrong in
            ["", "0000-01-01", "2026-02-29", "2026-13-01", "20261122", "2026-11-22T00:00", "+026-11-22", "２026-1-2"]
        {
            assert_eq!(wrong.parse::<CivilDate>(), Err(CivilDateError), "{wrong}");
        }
    }
}
