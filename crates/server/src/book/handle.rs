//! How the rest of the server talks to a book's actor.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tidebook_authority::{Authority, Head, MemberRefusal, Outcome, Write, Written};
use tidebook_book::{
    Author, BookChange, BookId, EncodedEntry, Epoch, MemberChange, MutationId, MutationNumber, Role, Seq, UserId,
};
use tidebook_event_store::{EntryLimit, Store, StoreError};
use tidebook_ledger::{Ledger, LedgerBook};
use tidebook_protocol::{FRAME_BYTES, RawMutation, Refusal, Refused};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::actor::Actor;
use super::ring::Ring;
use super::{herald, load};

/// Commands waiting for one book. A full mailbox makes its senders wait, which reaches the sockets as back-pressure.
const MAILBOX_COMMANDS_MAX: usize = 256;

/// How a push ended: one outcome per mutation, in their order. Everything in it is on disk.
pub(crate) type Answer = Vec<Outcome>;

/// Mutations on their way through the actor.
#[derive(Debug)]
pub(crate) struct Offered {
    answered: oneshot::Receiver<Answer>,
    mutations: Vec<(MutationId, MutationNumber)>,
}

impl Offered {
    /// What became of them, once it is on disk; or that nobody knows, where the actor has stopped or the disk refused.
    pub(crate) async fn answer(self) -> Answer {
        let detail = "the book cannot be written now; try again";
        let unavailable = |(id, n)| refused(id, n, Refusal::Unavailable, detail);
        self.answered.await.unwrap_or_else(|_| self.mutations.into_iter().map(unavailable).collect())
    }
}

/// The book could not be reached or could not be written: its actor has stopped, or the disk refused. Nothing was done,
/// or nobody knows; asking again is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the book cannot be written now")]
pub(crate) struct Unavailable;

/// A book at a moment when all it has decided is on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committed<'a> {
    pub(crate) authority: &'a Authority<Ledger>,
    pub(crate) head: Head,
}

pub(super) type Read = Box<dyn FnOnce(Committed<'_>) + Send>;

/// What a write is answered with, made the moment it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WriteAnswer {
    pub(crate) status: u16,
    /// JSON.
    pub(crate) body: String,
}

/// Makes the answer to a write from what it came to and the state it left.
pub(crate) type Compose = Box<dyn FnOnce(&LedgerBook, &WriteResult) -> WriteAnswer + Send>;

/// What a write came to.
#[derive(Debug)]
pub(crate) struct WriteResult {
    pub(crate) seq: Seq,
    pub(crate) result: Result<Vec<BookChange<Ledger>>, tidebook_book::Rejected>,
}

/// A write over REST.
pub(crate) struct RestWrite {
    pub(crate) author: Author,
    pub(crate) write: Write,
    /// Where the caller may repeat it: the hash of its body, to be kept with the answer.
    pub(crate) body_hash: Option<[u8; 32]>,
    pub(crate) compose: Compose,
}

/// How a write ended. Everything in it is on disk.
#[derive(Debug)]
pub(crate) enum RestWritten {
    Answered(WriteAnswer),
    /// The same mutation is this entry already.
    Repeated(Seq),
    Refused(Refused),
}

/// The invite that lets somebody in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InviteUse {
    pub(crate) id: Uuid,
    pub(crate) token_hash: [u8; 32],
}

/// A change of who is in the book.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) author: Author,
    pub(crate) mutation: MutationId,
    pub(crate) change: MemberChange,
    /// To be used up with it.
    pub(crate) invite: Option<InviteUse>,
}

/// Why a change of members was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MembershipRefused {
    Member(MemberRefusal),
    /// The invite was used up or revoked meanwhile.
    InviteGone,
}

/// How a change of members ended: the entry's seq, or `None` where it was so already.
pub(crate) type MembershipAnswer = Result<Option<Seq>, MembershipRefused>;

pub(super) enum Command {
    Push { author: Author, epoch: Epoch, mutations: Vec<RawMutation>, answer: oneshot::Sender<Answer> },
    Write { write: RestWrite, answer: oneshot::Sender<RestWritten> },
    Membership { membership: Membership, answer: oneshot::Sender<MembershipAnswer> },
    Read(Read),
    Archive { answer: oneshot::Sender<()> },
    Purge { by: PurgeBy, answer: oneshot::Sender<Result<Purged, StoreError>> },
}

/// Who asks for a book to be removed, and so what must still hold when it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PurgeBy {
    /// One of its owners.
    Owner(UserId),
    /// Its only member, who leaves for good: what others have written since stays.
    OnlyMember(UserId),
}

impl PurgeBy {
    pub(super) fn may(self, members: &BTreeMap<UserId, Role>) -> bool {
        match self {
            Self::Owner(user) => members.get(&user) == Some(&Role::Owner),
            Self::OnlyMember(user) => members.keys().eq([&user]),
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purged {
    /// There is no such book, not any more.
    Gone,
    /// They may not ask for that any more. The book is as it was.
    NotAllowed,
}

/// A way to talk to a book's actor, which lives as long as there is one.
#[derive(Clone)]
pub(crate) struct BookHandle {
    pub(crate) book: BookId,
    pub(crate) epoch: Epoch,
    pub(crate) ring: Arc<Ring>,
    mailbox: mpsc::Sender<Command>,
}

impl fmt::Debug for BookHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BookHandle({})", self.book)
    }
}

impl BookHandle {
    /// Loads the book from the store and starts its actor. `None`: there is no such book.
    pub(crate) async fn load(store: Store, book: BookId) -> Result<Option<Self>, StoreError> {
        let Some(loaded) = load::load(&store, book).await? else { return Ok(None) };
        let ring = Arc::new(Ring::new(book, loaded.head, loaded.authority.state().members.clone()));
        let epoch = loaded.authority.epoch();
        let (mailbox, commands) = mpsc::channel(MAILBOX_COMMANDS_MAX);
        let actor = Actor::new(store, book, loaded, Arc::clone(&ring), commands);
        tokio::spawn(actor.run());
        tokio::spawn(herald::run(Arc::clone(&ring)));
        Ok(Some(Self { book, epoch, ring, mailbox }))
    }

    /// Whether its actor still runs.
    pub(crate) fn is_alive(&self) -> bool {
        !self.mailbox.is_closed()
    }

    /// Resolves when the actor has stopped.
    async fn stopped(&self) {
        self.mailbox.closed().await;
    }

    /// Hands mutations to the actor; waits while its mailbox is full. What was handed over is decided, whether or not
    /// anyone waits for the answer.
    pub(crate) async fn offer(&self, author: Author, epoch: Epoch, mutations: Vec<RawMutation>) -> Offered {
        let (answer, answered) = oneshot::channel();
        let named = mutations.iter().map(|mutation| (mutation.envelope.id, mutation.envelope.n)).collect();
        // A stopped actor drops the command and with it the answer's sender, which the receiver notices.
        drop(self.mailbox.send(Command::Push { author, epoch, mutations, answer }).await);
        Offered { answered, mutations: named }
    }

    pub(crate) async fn write(&self, write: RestWrite) -> Result<RestWritten, Unavailable> {
        self.ask(|answer| Command::Write { write, answer }).await
    }

    pub(crate) async fn change_members(&self, membership: Membership) -> Result<MembershipAnswer, Unavailable> {
        self.ask(|answer| Command::Membership { membership, answer }).await
    }

    /// From now on the book takes no more mutations.
    pub(crate) async fn archive(&self) -> Result<(), Unavailable> {
        self.ask(|answer| Command::Archive { answer }).await
    }

    /// Removes all of the book, after all that was accepted before; then the actor stops. While it is removed the actor is
    /// there, so that nobody loads it once more.
    pub(crate) async fn purge(&self, by: PurgeBy) -> Result<Result<Purged, StoreError>, Unavailable> {
        let purged = self.ask(|answer| Command::Purge { by, answer }).await?;
        if let Ok(Purged::Gone) = purged {
            self.stopped().await;
        }
        Ok(purged)
    }

    /// Reads the committed state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(Committed<'_>) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        // A reader that has gone away leaves nothing to tell.
        self.ask(|answer| Command::Read(Box::new(move |committed| drop(answer.send(read(committed)))))).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        self.mailbox.send(command(answer)).await.map_err(|_| Unavailable)?;
        answered.await.map_err(|_| Unavailable)
    }
}

/// Entries after `cursor`, about a frame of them: from the ring, or from further back.
pub(crate) async fn entries_after(
    store: &Store,
    handle: &BookHandle,
    cursor: Seq,
) -> Result<Vec<EncodedEntry>, StoreError> {
    match handle.ring.after(cursor, FRAME_BYTES) {
        Some(entries) => Ok(entries),
        None => {
            let limit = EntryLimit { count: usize::MAX, bytes: FRAME_BYTES };
            store.entries(handle.book, cursor, limit).await
        }
    }
}

/// The entries of these seqs, in their order: recent ones are in the ring.
pub(crate) async fn entries_of(
    store: &Store,
    handle: &BookHandle,
    seqs: impl IntoIterator<Item = Seq>,
) -> Result<Vec<EncodedEntry>, StoreError> {
    let mut entries = Vec::new();
    for seq in seqs {
        match handle.ring.entry(seq) {
            Some(entry) => entries.push(entry),
            None => entries.extend(store.entries(handle.book, Seq(seq.0 - 1), ONE).await?),
        }
    }
    Ok(entries)
}

const ONE: EntryLimit = EntryLimit { count: 1, bytes: usize::MAX };

/// The same refusal for each of them.
pub(crate) fn refuse_all(mutations: &[RawMutation], code: Refusal, detail: &str) -> Answer {
    mutations.iter().map(|mutation| refused(mutation.envelope.id, mutation.envelope.n, code, detail)).collect()
}

fn refused(id: MutationId, n: MutationNumber, code: Refusal, detail: &str) -> Outcome {
    Outcome::Refused(Refused { id, n, code, detail: detail.into(), expected: None, retry_after_ms: None })
}

/// What a write is told of its result, where only its changes' kinds count.
impl WriteResult {
    pub(crate) fn of(written: Written<BookChange<Ledger>>) -> Result<Self, Seq> {
        match written {
            Written::Decided { seq, result } => Ok(Self { seq, result }),
            Written::Repeated(seq) => Err(seq),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_is_removed_only_for_whom_it_is_theirs_to_remove_by_then() {
        let user = |number| UserId(Uuid::from_u128(number));
        let members: BTreeMap<_, _> = [(user(1), Role::Owner), (user(2), Role::Editor)].into();
        assert!(PurgeBy::Owner(user(1)).may(&members));
        assert!(!PurgeBy::Owner(user(2)).may(&members) && !PurgeBy::Owner(user(3)).may(&members));
        assert!(!PurgeBy::OnlyMember(user(1)).may(&members), "somebody came in");
        assert!(PurgeBy::OnlyMember(user(1)).may(&[(user(1), Role::Owner)].into()));
        assert!(!PurgeBy::OnlyMember(user(1)).may(&BTreeMap::new()));
    }
}
