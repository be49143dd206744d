//! Time and chance, which the engine takes as arguments.

use tidebook_book::UnixMillis;
use tidebook_ledger::CivilDate;
use tidebook_replica::Monotonic;
use uuid::Uuid;

use crate::app::browser::window;

/// A clock that never goes back.
pub(crate) fn monotonic() -> Monotonic {
    Monotonic(window().performance().map_or(0, |performance| performance.now() as u64))
}

/// What the device's clock says.
pub(crate) fn now() -> UnixMillis {
    UnixMillis(js_sys::Date::now() as i64)
}

/// The day it is, where the person is.
pub(crate) fn today() -> CivilDate {
    civil_date(&js_sys::Date::new_0())
}

/// The day it was then, where the person is.
pub(crate) fn day_of(at: UnixMillis) -> CivilDate {
    civil_date(&js_sys::Date::new(&(at.0 as f64).into()))
}

/// A new id that sorts by when it was made.
pub(crate) fn new_id() -> Uuid {
    let mut random = [0; 10];
    fill_random(&mut random);
    let millis = u64::try_from(now().0).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

pub(crate) fn random_seed() -> u64 {
    let mut random = [0; 8];
    fill_random(&mut random);
    u64::from_le_bytes(random)
}

fn fill_random(bytes: &mut [u8]) {
    let filled = window().crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(bytes));
    assert!(filled.is_ok(), "every browser that runs this has crypto.getRandomValues");
}

fn civil_date(date: &js_sys::Date) -> CivilDate {
    let text = format!("{:04}-{:02}-{:02}", date.get_full_year(), date.get_month() + 1, date.get_date());
    // A device's clock can be set beyond the year 9999.
    text.parse().unwrap_or_else(|_| "9999-12-31".parse().expect("the last day there is"))
}
