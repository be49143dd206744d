//! Invites. One is used by an append: see [`Append::invite_used`](crate::Append::invite_used).

use tidebook_book::{BookId, UnixMillis};
use uuid::Uuid;

use super::Store;
use crate::sqlite::invites;
use crate::{InviteCreated, InviteRow, NewInvite, StoreError};

impl Store {
    /// Creates an invite, unless its book has too many that stand. Those that don't are removed first.
    pub async fn create_invite(&self, invite: NewInvite) -> Result<InviteCreated, StoreError> {
        self.write(0, move |conn| invites::create_invite(conn, &invite)).await
    }

    /// A book's invites that stand, oldest first.
    pub async fn invites_of(&self, book: BookId, now: UnixMillis) -> Result<Vec<InviteRow>, StoreError> {
        self.read(move |conn| invites::invites_of(conn, book, now)).await
    }

    /// The invite of the token with this hash, also one that is used up or has expired.
    pub async fn invite_by_token(&self, token_hash: [u8; 32]) -> Result<Option<InviteRow>, StoreError> {
        self.read(move |conn| invites::invite_by_token(conn, token_hash)).await
    }

    /// Takes an invite of this book back; false where it has no such invite.
    pub async fn revoke_invite(&self, book: BookId, id: Uuid) -> Result<bool, StoreError> {
        self.write(0, move |conn| invites::revoke_invite(conn, book, id)).await
    }
}
