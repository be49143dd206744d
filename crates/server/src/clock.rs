//! The one place of the server that reads the wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use tidebook_book::UnixMillis;

/// The server's time now. A clock before 1970 reads as 0: times are shown, never compared.
pub(crate) fn now() -> UnixMillis {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
