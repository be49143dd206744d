//! What a server does from time to time, without being asked.

use std::sync::Arc;
use std::time::Duration;

use tidebook_book::UnixMillis;
use tidebook_event_store::StoreError;
use tokio::sync::watch;
use tokio::time::interval;

use crate::accounts::Accounts;
use crate::{clock, measure};

/// Measurements gather until they are drained; a busy minute of them is half a megabyte.
const DRAIN_EVERY: Duration = Duration::from_secs(60);

/// Often enough that nothing piles up in the store, seldom enough that nobody notices.
const PURGE_EVERY: Duration = Duration::from_secs(60 * 60);

/// How long a repeated REST write gets its first answer word by word; later it is told from its entry.
const ANSWERS_KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Until the server is going away.
pub(crate) async fn run(accounts: Arc<Accounts>, mut draining: watch::Receiver<bool>) {
    let (mut drain, mut purge) = (interval(DRAIN_EVERY), interval(PURGE_EVERY));
    loop {
        tokio::select! {
            _ = drain.tick() => measure::drain(),
            _ = purge.tick() => {
                tokio::spawn(self::purge(Arc::clone(&accounts)));
            }
            _ = draining.wait_for(|draining| *draining) => return,
        }
    }
}

async fn purge(accounts: Arc<Accounts>) {
    if let Err(error) = try_purge(&accounts).await {
        tracing::warn!(%error, "the upkeep failed; it is tried again later");
    }
}

async fn try_purge(accounts: &Accounts) -> Result<(), StoreError> {
    let now = clock::now();
    let store = accounts.store.clone();
    accounts.change(async move { store.purge_expired_sessions(now).await }).await?;
    accounts.store.forget_answers(UnixMillis(now.0 - ANSWERS_KEPT_MS)).await?;
    Ok(())
}
