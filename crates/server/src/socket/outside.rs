//! What ends a socket from outside: the end of its session, or of the server. Waited for all the time, by one future that
//! lives as long as the socket: to begin waiting anew at each turn would cost more than most turns.

use std::task::Poll;

use futures_util::future::{BoxFuture, pending};
use tokio::sync::watch;

use super::connection::drained;
use super::sign_in::SignIn;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Session,
    Server,
}

pub(super) struct Outside {
    wait: BoxFuture<'static, Ended>,
    ended: Option<Ended>,
}

impl Outside {
    /// Without a session as long as nobody has signed in.
    pub(super) fn new(sign_in: Option<SignIn>, mut draining: watch::Receiver<bool>) -> Self {
        let session_over = async move {
            match sign_in {
                Some(mut sign_in) => sign_in.over().await,
                None => pending().await,
            }
        };
        let wait = async move {
            tokio::select! {
                biased;
                () = session_over => Ended::Session,
                () = drained(&mut draining) => Ended::Server,
            }
        };
        Self { wait: Box::pin(wait), ended: None }
    }

    /// Resolves when either has ended, and again whenever it is asked after that. Cancel-safe.
    pub(super) async fn ended(&mut self) -> Ended {
        match self.ended {
            Some(ended) => ended,
            None => *self.ended.insert((&mut self.wait).await),
        }
    }

    /// Looks without waiting.
    pub(super) async fn has_ended(&mut self) -> bool {
        if self.ended.is_none() {
            let look = std::future::poll_fn(|context| Poll::Ready(self.wait.as_mut().poll(context)));
            if let Poll::Ready(ended) = look.await {
                self.ended = Some(ended);
            }
        }
        self.ended.is_some()
    }
}
