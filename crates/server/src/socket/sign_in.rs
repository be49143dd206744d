//! The session that a socket's person signed in with: the socket ends with it.

use tidebook_book::UserId;
use tidebook_event_store::Store;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::session::Signed;

#[derive(Debug)]
pub(super) struct SignIn {
    session: Uuid,
    user: UserId,
    ended: broadcast::Receiver<Uuid>,
    store: Store,
    /// Its end may have gone unheard.
    must_look_up: bool,
}

impl SignIn {
    /// `ended` was subscribed before the session was looked up.
    pub(super) fn new(signed: &Signed, ended: broadcast::Receiver<Uuid>, store: Store) -> Self {
        Self { session: signed.session, user: signed.user, ended, store, must_look_up: false }
    }

    /// The session was looked up in the handshake, before anyone listened for its end.
    pub(super) fn of_handshake(signed: &Signed, ended: broadcast::Receiver<Uuid>, store: Store) -> Self {
        Self { must_look_up: true, ..Self::new(signed, ended, store) }
    }

    /// Resolves when the session is over. Cancel-safe.
    pub(super) async fn over(&mut self) {
        loop {
            if self.must_look_up {
                if !self.stands().await {
                    return;
                }
                self.must_look_up = false;
            }
            match self.ended.recv().await {
                Ok(session) if session == self.session => return,
                Ok(_) => {}
                // Too many ended at once to hear of each.
                Err(broadcast::error::RecvError::Lagged(_)) => self.must_look_up = true,
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    /// Sessions ended since anyone looked; ours may be among them.
    pub(super) fn has_news(&self) -> bool {
        self.must_look_up || !self.ended.is_empty()
    }

    async fn stands(&self) -> bool {
        let sessions = self.store.sessions_of(self.user).await;
        sessions.is_ok_and(|sessions| sessions.iter().any(|standing| standing.id == self.session))
    }
}
