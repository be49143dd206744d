//! How a socket hears that there is news in the books it follows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::task::AtomicWaker;

/// Rung by every ring that its owner reads; heard by one task. However often it is rung meanwhile, it is heard once: what the news
/// is, the rings tell.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    is_rung: AtomicBool,
    listener: AtomicWaker,
}

impl Bell {
    pub(super) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            self.listener.wake();
        }
    }

    /// Resolves once it was rung since it was heard last. Cancel-safe.
    pub(crate) async fn heard(&self) {
        std::future::poll_fn(|context| {
            if self.is_rung.swap(false, Ordering::AcqRel) {
                return Poll::Ready(());
            }
            self.listener.register(context.waker());
            // It may have been rung before anyone listened.
            if self.is_rung.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn is_heard(bell: &Bell) -> bool {
        pin!(bell.heard()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_bell_that_was_rung_is_heard_once() {
        let bell = Bell::default();
        assert!(!is_heard(&bell));
        bell.ring();
        bell.ring();
        assert!(is_heard(&bell) && !is_heard(&bell));
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let bell = std::sync::Arc::new(Bell::default());
        let listener = tokio::spawn({
            let bell = std::sync::Arc::clone(&bell);
            async move { bell.heard().await }
        });
        tokio::task::yield_now().await;
        bell.ring();
        listener.await.unwrap();
    }
}
