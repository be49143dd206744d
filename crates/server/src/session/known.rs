//! Sessions that were looked up lately: nearly every request comes from one of few devices.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidebook_book::UnixMillis;
use tidebook_event_store::SessionRow;

/// Sessions kept: a few MiB, and more than are used within minutes.
const SESSIONS_MAX: usize = 16_384;

/// What stands in the store. Whoever changes a session or an account there calls [`KnownSessions::forget`] after it, and
/// all are looked up anew: that is seldom.
#[derive(Debug, Default)]
pub(crate) struct KnownSessions {
    known: Mutex<Known>,
}

/// A session, with its person's name.
#[derive(Debug, Clone)]
pub(crate) struct KnownSession {
    pub(crate) row: SessionRow,
    pub(crate) name: String,
}

#[derive(Debug, Default)]
struct Known {
    /// By the hash of their tokens.
    sessions: HashMap<[u8; 32], KnownSession>,
    forgotten: Forgotten,
}

/// How often all was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Forgotten(u64);

impl KnownSessions {
    /// Where it is not known, what to say to [`KnownSessions::keep`] once it was looked up.
    pub(crate) fn get(&self, token_hash: [u8; 32]) -> Result<KnownSession, Forgotten> {
        let known = self.known();
        known.sessions.get(&token_hash).cloned().ok_or(known.forgotten)
    }

    /// Keeps what was looked up, unless something has changed since before the look.
    pub(crate) fn keep(&self, looked_up_after: Forgotten, token_hash: [u8; 32], session: KnownSession) {
        let mut known = self.known();
        if known.forgotten != looked_up_after {
            return;
        }
        if known.sessions.len() >= SESSIONS_MAX {
            known.sessions.clear();
        }
        known.sessions.insert(token_hash, session);
    }

    /// Its last use was noted.
    pub(crate) fn seen(&self, token_hash: [u8; 32], now: UnixMillis) {
        if let Some(session) = self.known().sessions.get_mut(&token_hash) {
            session.row.last_seen_at = now;
        }
    }

    /// Something has changed.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.sessions.clear();
        known.forgotten.0 += 1;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tidebook_book::{ReplicaId, UserId};
    use uuid::Uuid;

    use super::*;

    fn session() -> KnownSession {
        let (id, user, replica) = (Uuid::from_u128(1), UserId(Uuid::from_u128(2)), ReplicaId(Uuid::from_u128(3)));
        let (created_at, last_seen_at, expires_at) = (UnixMillis(0), UnixMillis(0), UnixMillis(9));
        let row = SessionRow { id, user, replica, client: String::new(), created_at, last_seen_at, expires_at };
        KnownSession { row, name: "Mira".into() }
    }

    #[test]
    fn what_was_looked_up_before_a_change_is_not_kept() {
        let (known, token) = (KnownSessions::default(), [1; 32]);
        let before = known.get(token).unwrap_err();
        known.forget();
        known.keep(before, token, session());
        let now = known.get(token).unwrap_err();
        known.keep(now, token, session());
        known.seen(token, UnixMillis(7));
        assert_eq!(known.get(token).unwrap().row.last_seen_at, UnixMillis(7));
        known.forget();
        known.get(token).unwrap_err();
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let known = KnownSessions::default();
        for number in 0..=SESSIONS_MAX {
            let mut token = [0; 32];
            token[..8].copy_from_slice(&number.to_be_bytes());
            let unknown = known.get(token).unwrap_err();
            known.keep(unknown, token, session());
        }
        assert_eq!(known.known().sessions.len(), 1);
    }
}
