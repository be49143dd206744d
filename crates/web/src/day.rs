//! How a day is told: by a word while it is near, by its date later.

use tidebook_ledger::CivilDate;

/// The shape in which a day is written in a line of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayShape {
    Today,
    Yesterday,
    Tomorrow,
    /// The name of the weekday: unambiguous for the last six days.
    Weekday,
    DayAndMonth,
    WithYear,
}

/// How to tell `day` to somebody for whom it is `today`.
#[must_use]
pub fn shape(day: CivilDate, today: CivilDate) -> DayShape {
    let ago = day_number(today) - day_number(day);
    match ago {
        0 => DayShape::Today,
        1 => DayShape::Yesterday,
        -1 => DayShape::Tomorrow,
        2..=6 => DayShape::Weekday,
        _ if day.date().year() == today.date().year() => DayShape::DayAndMonth,
        _ => DayShape::WithYear,
    }
}

/// Days since the last day before the year 1. By hand, because the library's difference of two days brings all its
/// calendar arithmetic along, which is tens of kilobytes to download.
fn day_number(day: CivilDate) -> i32 {
    let date = day.date();
    let years = i32::from(date.year()) - 1;
    years * 365 + years / 4 - years / 100 + years / 400 + i32::from(date.day_of_year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_leap_years() {
        let numbers =
            ["0001-01-01", "2000-02-28", "2000-03-01", "2100-02-28", "2100-03-01", "2026-12-31", "2027-01-01"]
                .map(|day| day_number(day.parse().expect("a date")));
        assert_eq!(numbers[0], 1);
        assert_eq!([numbers[2] - numbers[1], numbers[4] - numbers[3], numbers[6] - numbers[5]], [2, 1, 1]);
    }

    #[test]
    fn near_days_have_words() {
        let cases = [
            ("2026-11-23", DayShape::Tomorrow),
            ("2026-11-22", DayShape::Today),
            ("2026-11-21", DayShape::Yesterday),
            ("2026-11-20", DayShape::Weekday),
            ("2026-11-16", DayShape::Weekday),
            ("2026-11-15", DayShape::DayAndMonth),
            ("2026-11-24", DayShape::DayAndMonth),
            ("2026-01-01", DayShape::DayAndMonth),
            ("2025-11-22", DayShape::WithYear),
            ("2027-01-01", DayShape::WithYear),
        ];
        let today = "2026-11-22".parse().expect("a date");
        for (day, expected) in cases {
            assert_eq!(shape(day.parse().expect("a date"), today), expected, "{day}");
        }
    }
}
