//! The actor that owns a book's authority.
//!
//! Mutations are decided against staged state while the last batch is being committed; nobody is told of an entry before
//! it is on disk. Reads of the state wait for a moment when nothing is staged, so that what they see is committed.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tidebook_authority::{Authority, Batch, Known, Outcome, Place};
use tidebook_book::{Author, BookId, EncodedEntry, Entry, Epoch, Seq};
use tidebook_event_store::{Append, EntryLimit, NewEntry, ReplicaRow, Store, StoreError};
use tidebook_ledger::{Ledger, LedgerBook};
use tidebook_protocol::{RawMutation, Refusal, Refused};
use tokio::sync::{mpsc, oneshot};

use crate::book::ring::{Head, Ring};
use crate::clock;

/// Commands waiting for one book. A full mailbox makes its senders wait, which reaches the sockets as back-pressure.
const MAILBOX_COMMANDS_MAX: usize = 256;

/// What is read from the store at a time while a book is loaded, in bytes.
const LOAD_BYTES: usize = 4 * 1024 * 1024;

/// How a push ended: one outcome per mutation, in their order. Everything in it is on disk.
pub(crate) type Answer = Vec<Outcome>;

/// Mutations on their way through the actor.
#[derive(Debug)]
pub(crate) struct Offered {
    answered: oneshot::Receiver<Answer>,
    unavailable: Answer,
}

impl Offered {
    /// What became of them, once it is on disk.
    pub(crate) async fn answer(self) -> Answer {
        self.answered.await.unwrap_or(self.unavailable)
    }
}

/// The book could not be reached: its actor has stopped, and opening the book again starts another.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the book's actor has stopped")]
pub(crate) struct ReadError;

/// A book at a moment when all it has decided is on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committed<'a> {
    pub(crate) authority: &'a Authority<Ledger>,
    pub(crate) head: Head,
}

type Read = Box<dyn FnOnce(Committed<'_>) + Send>;

enum Command {
    Push { author: Author, epoch: Epoch, mutations: Vec<RawMutation>, answer: oneshot::Sender<Answer> },
    Read(Read),
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
        let Some(row) = store.book(book).await? else { return Ok(None) };
        let mut state = LedgerBook::default();
        let mut head = Head { seq: Seq::ZERO, hash: tidebook_book::ChainHash::ZERO };
        while head.seq < row.head {
            let limit = EntryLimit { count: usize::MAX, bytes: LOAD_BYTES };
            for encoded in store.entries(book, head.seq, limit).await? {
                let entry: Entry<_> = serde_json::from_slice(&encoded.bytes)
                    .map_err(|error| StoreError::Corrupt(format!("book {book}, entry {}: {error}", encoded.seq)))?;
                state.apply_entry(&entry);
                head = Head { seq: encoded.seq, hash: encoded.hash };
            }
        }
        let replicas = store.replicas(book).await?.into_iter().map(number_row);
        let ring = Arc::new(Ring::new(head, state.members.clone()));
        let authority = Authority::new(row.epoch, state, head.seq, head.hash, replicas);
        let (mailbox, commands) = mpsc::channel(MAILBOX_COMMANDS_MAX);
        let actor = Actor::new(store, book, authority, Arc::clone(&ring), commands);
        tokio::spawn(actor.run());
        Ok(Some(Self { book, epoch: row.epoch, ring, mailbox }))
    }

    /// Whether its actor still runs.
    pub(crate) fn is_alive(&self) -> bool {
        !self.mailbox.is_closed()
    }

    /// Hands mutations to the actor; waits while its mailbox is full. What was handed over is decided, whether or not
    /// anyone waits for the answer.
    pub(crate) async fn offer(&self, author: Author, epoch: Epoch, mutations: Vec<RawMutation>) -> Offered {
        let (answer, answered) = oneshot::channel();
        let unavailable = refuse_all(&mutations, Refusal::Unavailable, "the book is being reloaded; try again");
        // A stopped actor drops the command and with it the answer's sender, which the receiver notices.
        drop(self.mailbox.send(Command::Push { author, epoch, mutations, answer }).await);
        Offered { answered, unavailable }
    }

    /// Resolves when the actor has stopped.
    pub(crate) async fn stopped(&self) {
        self.mailbox.closed().await;
    }

    /// Reads the committed state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(Committed<'_>) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let (answer, answered) = oneshot::channel();
        // A reader that has gone away leaves nothing to tell.
        let command = Command::Read(Box::new(move |committed| drop(answer.send(read(committed)))));
        self.mailbox.send(command).await.map_err(|_| ReadError)?;
        answered.await.map_err(|_| ReadError)
    }
}

/// An answer that waits for what it speaks of to be on disk.
struct WaitingAnswer {
    outcomes: Answer,
    unavailable: Answer,
    answer: oneshot::Sender<Answer>,
}

struct Commit {
    done: BoxFuture<'static, Result<(), StoreError>>,
    entries: Vec<EncodedEntry>,
    members_changed: bool,
}

struct Actor {
    store: Store,
    book: BookId,
    authority: Authority<Ledger>,
    ring: Arc<Ring>,
    commands: mpsc::Receiver<Command>,
    commit: Option<Commit>,
    /// For the batch being committed, and for what was decided since.
    answers_in_flight: Vec<WaitingAnswer>,
    answers_staged: Vec<WaitingAnswer>,
    /// Reads that wait for a moment when nothing is staged. While there are any, nothing new is decided.
    reads: Vec<Read>,
}

enum Turn {
    Command(Option<Command>),
    Committed(Result<(), StoreError>),
}

impl Actor {
    fn new(
        store: Store,
        book: BookId,
        authority: Authority<Ledger>,
        ring: Arc<Ring>,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        let (answers_in_flight, answers_staged, reads) = (Vec::new(), Vec::new(), Vec::new());
        Self { store, book, authority, ring, commands, commit: None, answers_in_flight, answers_staged, reads }
    }

    /// Until nobody can talk to it any more and everything it accepted is answered.
    async fn run(mut self) {
        loop {
            let outcome = match self.next_turn().await {
                Turn::Command(Some(command)) => self.handle_command(command).await,
                Turn::Command(None) => return,
                Turn::Committed(result) => self.handle_committed(result),
            };
            if let Err(error) = outcome {
                tracing::error!(book = %self.book, %error, "the book is reloaded");
                return;
            }
            self.start_commit();
            self.serve_reads();
        }
    }

    async fn next_turn(&mut self) -> Turn {
        let may_decide = self.reads.is_empty();
        match &mut self.commit {
            None => Turn::Command(self.commands.recv().await),
            Some(commit) if !may_decide => Turn::Committed((&mut commit.done).await),
            Some(commit) => tokio::select! {
                biased;
                result = &mut commit.done => Turn::Committed(result),
                Some(command) = self.commands.recv() => Turn::Command(Some(command)),
                else => Turn::Command(None),
            },
        }
    }

    async fn handle_command(&mut self, command: Command) -> Result<(), StoreError> {
        match command {
            Command::Push { author, epoch, mutations, answer } => {
                let unavailable = refuse_all(&mutations, Refusal::Unavailable, "the server could not write; try again");
                let lookups = self.authority.lookups(author.replica, &mutations);
                let places = self.store.places(self.book, lookups.ids, lookups.numbers).await;
                let known = match places.map(known_of) {
                    Ok(known) => known,
                    Err(error) => {
                        drop(answer.send(unavailable));
                        return Err(error);
                    }
                };
                let outcomes = self.authority.handle_push(clock::now(), author, epoch, &mutations, &known);
                self.answers_staged.push(WaitingAnswer { outcomes, unavailable, answer });
            }
            Command::Read(read) => self.reads.push(read),
        }
        Ok(())
    }

    fn start_commit(&mut self) {
        if self.commit.is_some() {
            return;
        }
        let Some(batch) = self.authority.poll_batch() else {
            // Refusals and repetitions of what is on disk already need no commit.
            answer_all(std::mem::take(&mut self.answers_staged));
            return;
        };
        self.answers_in_flight = std::mem::take(&mut self.answers_staged);
        let entries = batch.entries.iter().map(|staged| staged.entry.clone()).collect();
        let members_changed = !batch.members.is_empty();
        let (store, append) = (self.store.clone(), append_of(self.book, batch));
        let done = Box::pin(async move { store.append(append).await });
        self.commit = Some(Commit { done, entries, members_changed });
    }

    fn handle_committed(&mut self, result: Result<(), StoreError>) -> Result<(), StoreError> {
        let commit = self.commit.take().expect("its result just came");
        match result {
            Ok(()) => {
                self.authority.handle_committed();
                let members = commit.members_changed.then(|| &self.authority.state().members);
                self.ring.publish(commit.entries, members);
                answer_all(std::mem::take(&mut self.answers_in_flight));
                Ok(())
            }
            Err(error) => {
                self.authority.handle_failed();
                let answers = self.answers_in_flight.drain(..).chain(self.answers_staged.drain(..));
                for WaitingAnswer { unavailable, answer, .. } in answers {
                    drop(answer.send(unavailable));
                }
                match error {
                    // The disk may have room again later; what is in memory is as it is on disk.
                    StoreError::Failed(reason) => {
                        tracing::error!(book = %self.book, reason, "a commit failed cleanly");
                        Ok(())
                    }
                    error => Err(error),
                }
            }
        }
    }

    fn serve_reads(&mut self) {
        if self.commit.is_none() {
            let committed = Committed { authority: &self.authority, head: self.ring.head() };
            self.reads.drain(..).for_each(|read| read(committed));
        }
    }
}

fn known_of(places: Vec<tidebook_event_store::Place>) -> Known {
    places.into_iter().map(|p| Place { seq: p.seq, id: p.id, replica: p.replica, n: p.n }).collect()
}

fn answer_all(answers: Vec<WaitingAnswer>) {
    // A connection may have closed meanwhile; its client will ask again.
    answers.into_iter().for_each(|waiting| drop(waiting.answer.send(waiting.outcomes)));
}

/// The same refusal for each of them.
pub(crate) fn refuse_all(mutations: &[RawMutation], code: Refusal, detail: &str) -> Answer {
    let refuse = |mutation: &RawMutation| {
        Outcome::Refused(Refused {
            id: mutation.envelope.id,
            n: mutation.envelope.n,
            code,
            detail: detail.into(),
            expected: None,
            retry_after_ms: None,
        })
    };
    mutations.iter().map(refuse).collect()
}

/// A batch as the store takes it.
pub(crate) fn append_of(book: BookId, batch: Batch) -> Append {
    let entries = batch.entries.into_iter();
    Append {
        book,
        expected_head: batch.expected_head,
        entries: entries
            .map(|staged| NewEntry { entry: staged.entry, id: staged.id, replica: staged.replica, n: staged.n })
            .collect(),
        numbers: batch
            .numbers
            .into_iter()
            .map(|row| ReplicaRow { replica: row.replica, user: row.user, n: row.n })
            .collect(),
        members: batch.members.into_iter().map(|row| (row.user, row.role, row.at)).collect(),
        summary: None,
    }
}

fn number_row(row: ReplicaRow) -> tidebook_authority::NumberRow {
    tidebook_authority::NumberRow { replica: row.replica, user: row.user, n: row.n }
}
