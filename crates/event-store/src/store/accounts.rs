//! Accounts and their sessions.

use tidebook_book::{UnixMillis, UserId};
use uuid::Uuid;

use super::Store;
use crate::sqlite::{accounts, sessions};
use crate::{AccountCreated, AccountRow, NewAccount, NewSession, SessionRow, StoreError};

impl Store {
    /// Creates an account, unless its e-mail address has one.
    pub async fn create_account(&self, account: NewAccount) -> Result<AccountCreated, StoreError> {
        self.write(0, move |conn| accounts::create_account(conn, &account)).await
    }

    pub async fn account_count(&self) -> Result<u64, StoreError> {
        self.read(accounts::account_count).await
    }

    /// The account of this e-mail address, compared as it is stored.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<AccountRow>, StoreError> {
        let email = email.to_owned();
        self.read(move |conn| accounts::account_by_email(conn, &email)).await
    }

    pub async fn account(&self, user: UserId) -> Result<Option<AccountRow>, StoreError> {
        self.look_up(|conn| accounts::account(conn, user)).await
    }

    /// False where there is no such account.
    pub async fn rename_account(&self, user: UserId, name: String) -> Result<bool, StoreError> {
        self.write(0, move |conn| accounts::rename_account(conn, user, &name)).await
    }

    /// Stores a new password's hash and ends the person's sessions but the one to keep, all in one. Returns the ids of
    /// those that ended, in no order. Nothing happens where there is no such account.
    pub async fn set_password(
        &self,
        user: UserId,
        password_hash: String,
        keep_session: Option<Uuid>,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.write(0, move |conn| accounts::set_password(conn, user, &password_hash, keep_session)).await
    }

    /// Deletes an account with all its sessions, and returns the ids of those, in no order. What the person wrote stays,
    /// and so do their memberships: ending those is for entries to say.
    pub async fn delete_account(&self, user: UserId) -> Result<Vec<Uuid>, StoreError> {
        self.write(0, move |conn| accounts::delete_account(conn, user)).await
    }

    /// Begins a session of an account that exists.
    pub async fn create_session(&self, session: NewSession) -> Result<(), StoreError> {
        self.write(0, move |conn| sessions::create_session(conn, &session)).await
    }

    /// The session of the token with this hash, also one that has expired.
    pub async fn session(&self, token_hash: [u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        self.look_up(|conn| sessions::session(conn, token_hash)).await
    }

    /// A person's sessions, oldest first.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<SessionRow>, StoreError> {
        self.read(move |conn| sessions::sessions_of(conn, user)).await
    }

    /// Notes that a session was seen. A session that is no more stays that way.
    pub async fn touch_session(&self, id: Uuid, at: UnixMillis) -> Result<(), StoreError> {
        self.write(0, move |conn| sessions::touch_session(conn, id, at)).await
    }

    /// Ends a session of this person; false where they have no such session.
    pub async fn end_session(&self, user: UserId, id: Uuid) -> Result<bool, StoreError> {
        self.write(0, move |conn| sessions::end_session(conn, user, id)).await
    }

    /// Ends the sessions, of all people, that have expired by now, and returns their ids, in no order.
    pub async fn purge_expired_sessions(&self, now: UnixMillis) -> Result<Vec<Uuid>, StoreError> {
        self.write(0, move |conn| sessions::purge_expired_sessions(conn, now)).await
    }
}
