//! What goes into the store and what comes out of it.

use tidebook_book::{
    BookId, ChainHash, EncodedEntry, Epoch, MutationId, MutationNumber, ReplicaId, Role, Seq, UnixMillis, UserId,
};
use uuid::Uuid;

/// A book to create, and what its log begins with.
#[derive(Debug, Clone)]
pub struct NewBook {
    pub book: BookId,
    pub epoch: Epoch,
    pub created_at: UnixMillis,
    /// Of the same book, with [`Seq::ZERO`] as the expected head.
    pub first: Append,
}

/// A history that a book had before the one it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormerEpoch {
    pub epoch: Epoch,
    /// Up to here the two have the same log.
    pub common: Seq,
}

/// What became of a [`NewBook`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    New,
    /// There is a book of that id. Nothing was written.
    IdTaken,
}

/// What follows in one book's log, and what follows from it; written together or not at all.
#[derive(Debug, Clone)]
pub struct Append {
    pub book: BookId,
    /// The head all of this was decided on.
    pub expected_head: Seq,
    /// In order, the first right after `expected_head`. May be empty: a repeated mutation uses up a number only.
    pub entries: Vec<NewEntry>,
    /// Each replica's new last number.
    pub numbers: Vec<ReplicaRow>,
    /// Who is in the book from now on, in order; a role of `None` is a removal.
    pub members: Vec<(UserId, Option<Role>, UnixMillis)>,
    /// Replaces the book's summary.
    pub summary: Option<String>,
    /// Of this book, and with a use left, which this takes. Its time is the caller's to look at.
    pub invite_used: Option<Uuid>,
    /// What the callers of REST writes are answered.
    pub answers: Vec<NewAnswer>,
}

/// An entry, with the keys it is found and deduplicated by.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub entry: EncodedEntry,
    pub id: MutationId,
    pub replica: ReplicaId,
    pub n: MutationNumber,
}

/// What a REST write was answered, for when it is repeated. A mutation has one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    pub mutation: MutationId,
    /// Of the request's body: the same key with another one is another request.
    pub body_hash: [u8; 32],
    pub status: u16,
    pub body: String,
    pub at: UnixMillis,
}

/// An answer given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    pub body_hash: [u8; 32],
    pub status: u16,
    pub body: String,
}

/// A book, without its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookRow {
    pub id: BookId,
    pub epoch: Epoch,
    pub head: Seq,
    /// The chain's hash at `head`.
    pub head_hash: ChainHash,
    /// Whatever the last append that had one said; empty before that.
    pub summary: String,
    pub created_at: UnixMillis,
    /// Put away by its owner. What that forbids is the caller's to say.
    pub archived: bool,
}

/// An entry with the keys it is kept under, as they stand: that they agree is for who reads it to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    pub entry: EncodedEntry,
    pub id: MutationId,
    pub replica: ReplicaId,
    pub n: MutationNumber,
}

/// A place in the index of members, also a former one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembershipRow {
    pub user: UserId,
    pub role: Option<Role>,
    /// See [`MemberRow::since`].
    pub since: UnixMillis,
}

/// A current member of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    pub user: UserId,
    /// Empty where they have no account any more.
    pub name: String,
    pub role: Role,
    /// When they came, or came back; another role doesn't move it.
    pub since: UnixMillis,
}

/// How many invites of one book stand at a time: more than anyone keeps track of, one page of the list, and a bound on
/// what one member can fill the store with.
pub const INVITES_PER_BOOK_MAX: usize = 100;

/// An invite to create. Its token never reaches the store, only the token's hash.
#[derive(Clone, PartialEq, Eq)]
pub struct NewInvite {
    pub id: Uuid,
    pub book: BookId,
    pub token_hash: [u8; 32],
    pub role: Role,
    pub uses_left: u32,
    pub created_by: UserId,
    /// Also decides which earlier ones have expired.
    pub created_at: UnixMillis,
    pub expires_at: UnixMillis,
}

/// What became of a [`NewInvite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteCreated {
    New,
    NoSuchBook,
    /// The book has [`INVITES_PER_BOOK_MAX`] that stand.
    TooMany,
}

/// An invite. It stands while it has a use left and its time has not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    pub id: Uuid,
    pub book: BookId,
    pub role: Role,
    pub uses_left: u32,
    pub created_by: UserId,
    pub created_at: UnixMillis,
    /// From this moment on it is expired.
    pub expires_at: UnixMillis,
}

/// A replica's place in one book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaRow {
    pub replica: ReplicaId,
    /// Who first used it in this book.
    pub user: UserId,
    /// The last number of its line.
    pub n: MutationNumber,
}

/// Where a mutation stands in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub seq: Seq,
    pub id: MutationId,
    pub replica: ReplicaId,
    pub n: MutationNumber,
}

/// How much to read at once: it ends at `count` entries, or before the one that would bring it over `bytes`. The first
/// entry is always read, however big, so that a reader gets on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryLimit {
    pub count: usize,
    pub bytes: usize,
}

/// An account to create.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    pub id: UserId,
    /// Compared as it is: the caller lower-cases it.
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub admin: bool,
    pub created_at: UnixMillis,
}

/// What became of a [`NewAccount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountCreated {
    New,
    /// There is an account of that e-mail address. Nothing was written.
    EmailTaken,
}

/// An account.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRow {
    pub id: UserId,
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub admin: bool,
    pub created_at: UnixMillis,
}

/// A session to create. Its token never reaches the store, only the token's hash.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    pub id: Uuid,
    pub user: UserId,
    pub token_hash: [u8; 32],
    /// The replica of this session's REST writes.
    pub replica: ReplicaId,
    /// Name and version of the app that signed in.
    pub client: String,
    pub created_at: UnixMillis,
    pub expires_at: UnixMillis,
}

/// A session, which may have expired: the caller holds the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id: Uuid,
    pub user: UserId,
    /// The replica of this session's REST writes.
    pub replica: ReplicaId,
    pub client: String,
    pub created_at: UnixMillis,
    pub last_seen_at: UnixMillis,
    /// From this moment on it is expired.
    pub expires_at: UnixMillis,
}

/// Writes all fields but the one that is a secret, so that none ends up in a log line.
macro_rules! debug_without {
    ($name:ident, $($field:ident),+) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))+.finish_non_exhaustive()
            }
        }
    };
}
debug_without!(NewAccount, id, email, name, admin, created_at);
debug_without!(AccountRow, id, email, name, admin, created_at);
debug_without!(NewInvite, id, book, role, uses_left, created_by, created_at, expires_at);
debug_without!(NewSession, id, user, replica, client, created_at, expires_at);
