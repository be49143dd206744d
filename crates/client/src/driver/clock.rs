//! The clocks of this machine, as the replica wants them told.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidebook_book::UnixMillis;
use tidebook_replica::Monotonic;

/// A clock that never goes back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(super) fn now(&self) -> Monotonic {
        Monotonic(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Waits until then; without end where there is no such time.
    pub(super) async fn until(&self, due: Option<Monotonic>) {
        match due {
            Some(Monotonic(ms)) => tokio::time::sleep_until((self.started + Duration::from_millis(ms)).into()).await,
            None => std::future::pending().await,
        }
    }
}

/// The time people go by.
#[must_use]
pub fn unix_now() -> UnixMillis {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
