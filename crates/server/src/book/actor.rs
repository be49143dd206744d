//! The actor that owns a book's authority.
//!
//! Mutations are decided against staged state while the last batch is being committed; nobody is told of an entry before
//! it is on disk. Reads of the state, and what has to see the store as it is, wait for a moment when nothing is staged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tidebook_authority::{Batch, Committer, Known, Lookups, Place};
use tidebook_book::{BookId, Change, Seq};
use tidebook_event_store::{Append, NewAnswer, NewEntry, ReplicaRow, Store, StoreError};
use tidebook_ledger::{Ledger, LedgerChange};
use tokio::sync::{mpsc, oneshot};

use super::handle::{
    Answer, Command, Committed, Membership, MembershipAnswer, MembershipRefused, PurgeBy, Purged, Read, RestWrite,
    RestWritten, WriteResult,
};
use super::load::{self, Loaded};
use super::ring::Ring;
use crate::{clock, measure};

/// Commands whose mutations are decided in one go, before a commit of others can begin.
const DECIDED_TOGETHER_MAX: usize = 64;

/// For how long a commit waits for more that is on its way, if there is: a small part of what a sync takes on most disks.
const GATHERED_WITHIN: Duration = Duration::from_millis(1);

/// One thing to say, and to whom, once what it speaks of is on disk.
pub(super) enum Say {
    Push { outcomes: Answer, answer: oneshot::Sender<Answer> },
    Write { written: RestWritten, answer: oneshot::Sender<RestWritten> },
    Membership { change: MembershipAnswer, answer: oneshot::Sender<MembershipAnswer> },
}

impl Say {
    /// The other end may have gone away meanwhile; it will ask again.
    fn say(self) {
        match self {
            Self::Push { outcomes, answer } => drop(answer.send(outcomes)),
            Self::Write { written, answer } => drop(answer.send(written)),
            Self::Membership { change, answer } => {
                let _ = answer.send(change);
            }
        }
    }
}

/// What goes to the store with the batch beside what the authority says.
#[derive(Debug, Default)]
struct Beside {
    answers: Vec<NewAnswer>,
    invite_used: Option<uuid::Uuid>,
}

/// What waits for a moment when all that was decided is on disk.
enum Waiting {
    Read(Read),
    Membership(Membership, oneshot::Sender<MembershipAnswer>),
    Purge(PurgeBy, oneshot::Sender<Result<Purged, StoreError>>),
}

pub(super) struct Actor {
    store: Store,
    book: BookId,
    committer: Committer<Ledger, Say>,
    ring: Arc<Ring>,
    commands: mpsc::Receiver<Command>,
    commit: Option<BoxFuture<'static, Result<(), StoreError>>>,
    commit_began: Instant,
    beside: Beside,
    /// While there is anything, nothing new is decided.
    waiting: VecDeque<Waiting>,
    /// Of the newest snapshot in the store.
    snapshot: Seq,
}

enum Turn {
    Command(Option<Command>),
    Committed(Result<(), StoreError>),
}

/// Whether the actor goes on.
#[derive(PartialEq)]
enum Next {
    Turn,
    Stop,
}

impl Drop for Actor {
    /// However it ends, those who follow the book are told, once nobody can take it for alive any more.
    fn drop(&mut self) {
        self.commands.close();
        self.ring.stop();
    }
}

impl Actor {
    pub(super) fn new(
        store: Store,
        book: BookId,
        loaded: Loaded,
        ring: Arc<Ring>,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        let committer = Committer::new(loaded.authority);
        let (commit, commit_began) = (None, Instant::now());
        let (beside, waiting, snapshot) = (Beside::default(), VecDeque::new(), loaded.snapshot);
        Self { store, book, committer, ring, commands, commit, commit_began, beside, waiting, snapshot }
    }

    /// Until nobody can talk to it any more and everything it accepted is answered.
    pub(super) async fn run(mut self) {
        loop {
            let outcome = match self.next_turn().await {
                Turn::Command(Some(command)) => self.handle_command(command).await,
                Turn::Command(None) => return,
                Turn::Committed(result) => self.handle_committed(result),
            };
            let outcome = match outcome {
                Ok(()) => self.go_on().await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(Next::Turn) => {}
                Ok(Next::Stop) => return,
                Err(error) => {
                    tracing::error!(book = %self.book, %error, "the book is reloaded");
                    return;
                }
            }
        }
    }

    async fn next_turn(&mut self) -> Turn {
        let may_decide = self.waiting.is_empty();
        match &mut self.commit {
            None => Turn::Command(self.commands.recv().await),
            Some(commit) if !may_decide => Turn::Committed(commit.await),
            Some(commit) => tokio::select! {
                biased;
                result = commit => Turn::Committed(result),
                Some(command) = self.commands.recv() => Turn::Command(Some(command)),
                else => Turn::Command(None),
            },
        }
    }

    /// What waits already is looked up together: the log is asked once, not once for each who writes.
    async fn handle_command(&mut self, first: Command) -> Result<(), StoreError> {
        let mut commands = vec![first];
        while commands.len() < DECIDED_TOGETHER_MAX
            && commands.last().is_some_and(is_decided)
            && let Ok(next) = self.commands.try_recv()
        {
            commands.push(next);
        }
        let mut lookups = Lookups::default();
        for command in &commands {
            match command {
                Command::Push { author, mutations, .. } => {
                    let of_push = self.committer.authority().lookups(author.replica, mutations);
                    lookups.ids.extend(of_push.ids);
                    lookups.numbers.extend(of_push.numbers);
                }
                Command::Write { write, .. } => lookups.ids.push(write.write.id),
                _ => {}
            }
        }
        let known = look_up(&self.store, self.book, lookups).await?;
        commands.into_iter().for_each(|command| self.decide_or_wait(command, &known));
        Ok(())
    }

    fn decide_or_wait(&mut self, command: Command, known: &Known) {
        match command {
            Command::Push { author, epoch, mutations, answer } => {
                let authority = self.committer.authority_mut();
                let outcomes = authority.handle_push(clock::now(), author, epoch, &mutations, known);
                self.committer.hold(Say::Push { outcomes, answer });
            }
            Command::Write { write, answer } => {
                let written = self.write(write, known);
                self.committer.hold(Say::Write { written, answer });
            }
            Command::Membership { membership, answer } => {
                self.waiting.push_back(Waiting::Membership(membership, answer));
            }
            Command::Read(read) => self.waiting.push_back(Waiting::Read(read)),
            Command::Archive { answer } => {
                self.committer.authority_mut().set_archived(true);
                let _ = answer.send(());
            }
            Command::Purge { by, answer } => self.waiting.push_back(Waiting::Purge(by, answer)),
        }
    }

    /// Decides a write, and makes its answer while the state is as it left it.
    fn write(&mut self, RestWrite { author, write, body_hash, compose }: RestWrite, known: &Known) -> RestWritten {
        let (at, mutation) = (clock::now(), write.id);
        let written = match self.committer.authority_mut().handle_write(at, author, write, known) {
            Ok(written) => written,
            Err(refused) => return RestWritten::Refused(refused),
        };
        let result = match WriteResult::of(written) {
            Ok(result) => result,
            Err(seq) => return RestWritten::Repeated(seq),
        };
        let answer = compose(self.committer.authority().state(), &result);
        if let Some(body_hash) = body_hash {
            let (status, body) = (answer.status, answer.body.clone());
            self.beside.answers.push(NewAnswer { mutation, at, body_hash, status, body });
        }
        RestWritten::Answered(answer)
    }

    fn handle_committed(&mut self, result: Result<(), StoreError>) -> Result<(), StoreError> {
        self.commit = None;
        match result {
            Ok(()) => {
                let committed = self.committer.handle_committed();
                measure::committed(committed.entries.len(), self.commit_began.elapsed());
                let state = self.committer.authority().state();
                self.ring.publish(committed.entries, committed.members_changed.then_some(&state.members));
                committed.released.into_iter().for_each(Say::say);
                Ok(())
            }
            Err(error) => {
                measure::commit_failed();
                self.beside = Beside::default();
                // Those who wait for an answer learn it from the sender's end.
                drop(self.committer.handle_failed());
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

    /// Starts the next commit, and does what waited for a moment without one.
    async fn go_on(&mut self) -> Result<Next, StoreError> {
        self.gather().await?;
        loop {
            self.start_commit();
            self.committer.release().into_iter().for_each(Say::say);
            if !self.committer.is_settled() {
                return Ok(Next::Turn);
            }
            match self.waiting.pop_front() {
                None => break,
                Some(Waiting::Read(read)) => self.read(read),
                Some(Waiting::Membership(membership, answer)) => self.change_members(membership, answer).await?,
                Some(Waiting::Purge(by, answer)) if !by.may(&self.committer.authority().state().members) => {
                    let _ = answer.send(Ok(Purged::NotAllowed));
                }
                Some(Waiting::Purge(_, answer)) => {
                    let purged = self.store.purge_book(self.book).await.map(|_| Purged::Gone);
                    let is_gone = purged.is_ok();
                    let _ = answer.send(purged);
                    if is_gone {
                        return Ok(Next::Stop);
                    }
                }
            }
        }
        self.keep_snapshot();
        Ok(Next::Turn)
    }

    /// Lets those who are about to write hand over what they have, so that it goes to the disk together: a commit costs the
    /// same for one mutation as for a hundred.
    async fn gather(&mut self) -> Result<(), StoreError> {
        let began = Instant::now();
        while self.commit.is_none()
            && self.waiting.is_empty()
            && !self.committer.is_settled()
            && began.elapsed() < GATHERED_WITHIN
        {
            // By the time this comes back everybody else has had a turn, and what has arrived meanwhile was read.
            tokio::task::yield_now().await;
            let Ok(command) = self.commands.try_recv() else { break };
            self.handle_command(command).await?;
        }
        Ok(())
    }

    fn start_commit(&mut self) {
        if self.commit.is_some() {
            return;
        }
        if let Some(batch) = self.committer.poll_commit() {
            let Beside { answers, invite_used } = std::mem::take(&mut self.beside);
            let summary = self.summary_after(&batch);
            let append = Append { answers, invite_used, summary, ..append_of(self.book, batch) };
            let store = self.store.clone();
            self.commit_began = Instant::now();
            self.commit = Some(Box::pin(async move { store.append(append).await }));
        }
    }

    /// What lists show of the book, where this batch changes it.
    fn summary_after(&self, batch: &Batch) -> Option<String> {
        let says_so = |bytes: &[u8]| {
            let entry: Option<tidebook_book::Entry<Change<LedgerChange>>> = serde_json::from_slice(bytes).ok();
            let of_the_book =
                |change: &Change<LedgerChange>| matches!(change, Change::Domain(LedgerChange::BookUpdated { .. }));
            entry.is_some_and(|entry| entry.changes.iter().any(of_the_book))
        };
        // Most batches don't have the name in them at all, and need not be read.
        let may = |bytes: &[u8]| memchr::memmem::find(bytes, b"\"book_updated\"").is_some();
        let changed = batch.entries.iter().any(|staged| may(&staged.entry.bytes) && says_so(&staged.entry.bytes));
        let book = self.committer.authority().state().domain.book().filter(|_| changed)?;
        Some(serde_json::to_string(&book.facts()).expect("a name and a currency serialise"))
    }

    fn read(&self, read: Read) {
        read(Committed { authority: self.committer.authority(), head: self.ring.head() });
    }

    /// Alone in its batch, and the store is as the state is: what is left of an invite is known.
    async fn change_members(
        &mut self,
        Membership { author, mutation, change, invite }: Membership,
        answer: oneshot::Sender<MembershipAnswer>,
    ) -> Result<(), StoreError> {
        if let Some(invite) = invite {
            let row = self.store.invite_by_token(invite.token_hash).await?;
            if row.is_none_or(|row| row.uses_left == 0) {
                let _ = answer.send(Err(MembershipRefused::InviteGone));
                return Ok(());
            }
        }
        let authority = self.committer.authority_mut();
        let change = authority.handle_member_change(clock::now(), author, mutation, change);
        if matches!(change, Ok(Some(_))) {
            self.beside.invite_used = invite.map(|invite| invite.id);
        }
        self.committer.hold(Say::Membership { change: change.map_err(MembershipRefused::Member), answer });
        Ok(())
    }

    /// Every so many entries the state is put beside the log, so that loading the book need not replay all of it.
    fn keep_snapshot(&mut self) {
        let head = self.ring.head();
        if head.seq.0 < self.snapshot.0 + load::SNAPSHOT_EVERY_ENTRIES {
            return;
        }
        self.snapshot = head.seq;
        let (store, book) = (self.store.clone(), self.book);
        let snapshot = load::snapshot_of(book, Committed { authority: self.committer.authority(), head });
        tokio::spawn(async move {
            // The log is all there is to lose; a snapshot that could not be kept only makes the next start slower.
            if let Err(error) = load::keep(&store, book, snapshot).await {
                tracing::warn!(%book, %error, "a snapshot could not be kept");
            }
        });
    }
}

/// Whether it is decided at once, and not at a moment when all is on disk.
fn is_decided(command: &Command) -> bool {
    matches!(command, Command::Push { .. } | Command::Write { .. })
}

/// What the log holds already of what is about to be decided.
async fn look_up(store: &Store, book: BookId, lookups: Lookups) -> Result<Known, StoreError> {
    if lookups == Lookups::default() {
        return Ok(Known::default());
    }
    let places = store.places(book, lookups.ids, lookups.numbers).await?;
    Ok(places.into_iter().map(|p| Place { seq: p.seq, id: p.id, replica: p.replica, n: p.n }).collect())
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
        answers: Vec::new(),
        invite_used: None,
    }
}
