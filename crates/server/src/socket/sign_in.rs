//! The session that a socket's person signed in with: the socket ends with it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;
use tidebook_book::UserId;
use tidebook_event_store::Store;
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::accounts::Accounts;
use crate::session::Signed;

/// Listens for ends of sessions from the moment it is extracted: ahead of [`Signed`], so that none goes unheard.
pub(crate) struct SessionsEnded(pub(crate) broadcast::Receiver<Uuid>);

impl<S> FromRequestParts<S> for SessionsEnded
where
    Arc<Accounts>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self(Arc::from_ref(state).sessions_ended()))
    }
}

#[derive(Debug)]
pub(crate) struct SignIn {
    session: Uuid,
    pub(super) user: UserId,
    ended: broadcast::Receiver<Uuid>,
    store: Store,
    /// Its end may have gone unheard.
    must_look_up: bool,
}

impl SignIn {
    /// `ended` was subscribed before the session was looked up.
    pub(crate) fn new(signed: &Signed, ended: broadcast::Receiver<Uuid>, store: Store) -> Self {
        Self { session: signed.session, user: signed.user, ended, store, must_look_up: false }
    }

    /// Resolves when the session is over. Cancel-safe.
    pub(crate) async fn over(&mut self) {
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

    /// In a task of its own: this waits beside other things its socket waits for, and may not be looked after for a while.
    /// Its turn at the store must not be kept from others, least of all from the socket itself.
    async fn stands(&self) -> bool {
        let (store, user) = (self.store.clone(), self.user);
        let sessions = tokio::spawn(async move { store.sessions_of(user).await }).await;
        sessions.is_ok_and(|found| found.is_ok_and(|rows| rows.iter().any(|standing| standing.id == self.session)))
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tempfile::TempDir;
    use tidebook_book::{ReplicaId, UnixMillis};
    use tidebook_event_store::{NewAccount, NewSession};

    use super::*;

    const USER: UserId = UserId(Uuid::from_u128(1));
    const SESSION: Uuid = Uuid::from_u128(2);

    /// A store with one session in it.
    async fn store() -> (TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("tidebook.db")).unwrap();
        let (email, name, password_hash) = ("mira@tide.example".into(), "Mira".into(), String::new());
        let created_at = UnixMillis(0);
        let account = NewAccount { id: USER, email, name, password_hash, admin: false, created_at };
        store.create_account(account).await.unwrap();
        let (replica, client) = (ReplicaId(Uuid::from_u128(3)), String::new());
        let (token_hash, expires_at) = ([0; 32], UnixMillis(i64::MAX));
        let session = NewSession { id: SESSION, user: USER, token_hash, replica, client, created_at, expires_at };
        store.create_session(session).await.unwrap();
        (folder, store)
    }

    fn signed() -> Signed {
        let (replica, name) = (ReplicaId(Uuid::from_u128(3)), String::new());
        Signed { user: USER, session: SESSION, replica, name, by_cookie: false }
    }

    fn is_pending(over: impl Future<Output = ()>) -> bool {
        pin!(over).poll(&mut Context::from_waker(Waker::noop())) == Poll::Pending
    }

    #[tokio::test]
    async fn a_session_that_ended_during_the_handshake_is_over() {
        let (_folder, store) = store().await;
        let ended = broadcast::Sender::new(4);
        let listening = ended.subscribe();
        ended.send(SESSION).unwrap();
        SignIn::new(&signed(), listening, store).over().await;
    }

    /// Its end is one of too many to hear of each; and so are the ends of others, which don't end it.
    #[tokio::test]
    async fn a_session_that_ended_unheard_is_over() {
        let (_folder, store) = store().await;
        let ended = broadcast::Sender::new(4);
        let mut sign_in = SignIn::new(&signed(), ended.subscribe(), store.clone());
        assert!(is_pending(sign_in.over()));
        let many_others_end = || {
            for other in 10..20 {
                ended.send(Uuid::from_u128(other)).unwrap();
            }
        };
        many_others_end();
        let all_heard = async {
            while !ended.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = sign_in.over() => panic!("others ended, and it stands"),
            () = all_heard => {}
        }
        store.end_session(USER, SESSION).await.unwrap();
        ended.send(SESSION).unwrap();
        many_others_end();
        sign_in.over().await;
    }
}
