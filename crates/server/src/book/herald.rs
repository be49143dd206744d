//! Brings what a book publishes to all who follow it.

use std::sync::Arc;

use super::ring::Ring;

/// Readers written to before others of the server's tasks have a turn: a fraction of a millisecond.
const READERS_AT_ONCE: usize = 16;

/// Runs until the ring has stopped.
pub(super) async fn run(ring: Arc<Ring>) {
    loop {
        ring.published().await;
        let mut last = None;
        loop {
            let readers = ring.readers_after(last, READERS_AT_ONCE);
            let Some((socket, _)) = readers.last() else { break };
            last = Some(*socket);
            readers.iter().for_each(|(_, reader)| reader.hear(&ring));
            tokio::task::yield_now().await;
        }
        if ring.now().is_stopped {
            return;
        }
    }
}
