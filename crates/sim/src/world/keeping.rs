//! What tabs keep in their device's store, and what they take in that others put there: step by step as the shipped web
//! app does it.

use tidebook_book::{BookId, ReplicaId};
use tidebook_replica::{Lacking, Monotonic, StoreWrite};
use uuid::Uuid;

use super::{Event, World};
use crate::check::Checked;
use crate::device::{Stage, Task, Transaction};
use crate::fault::Fault;
use crate::plant::Plant;
use crate::queue::Ms;
use crate::store::Lasting;

/// Transactions that leave time for other things between their steps, one in so many.
const UNHURRIED_ONE_IN: u64 = 4;

/// Why a store did not keep or tell something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreFault {
    Full,
    /// Somebody deleted it.
    Gone,
    /// What is in it does not read.
    Newer,
}

/// How a step of a transaction ends.
enum Step {
    Next(Stage),
    Done,
}

impl World {
    /// Has a tab write whatever is to be written, unless that is going on.
    pub(super) fn keep(&mut self, index: usize) {
        let client = &self.clients[index];
        if client.is_keeping || client.keeps_in.is_none() {
            return;
        }
        let Some(book) = client.replica.to_write().first().copied() else { return };
        // What only arrived here can arrive once more; what was typed here is nowhere else.
        let is_typed = client.unsaved(book) > 0 && self.plant() != Some(Plant::TypedLoosely);
        let lasting = if is_typed { Lasting::ForGood } else { Lasting::Loose };
        self.clients[index].is_keeping = true;
        self.begin(index, Task::Write(book, lasting));
    }

    /// What a tab asks of its store, which does one thing after the other.
    pub(super) fn begin(&mut self, index: usize, task: Task) {
        self.transactions_made += 1;
        let transaction = Transaction { number: self.transactions_made, client: index, task, stage: Stage::Begin };
        let device = self.clients[index].device;
        self.devices[device].waiting.push_back(transaction);
        self.run_next(device);
    }

    pub(super) fn run_next(&mut self, device: usize) {
        if self.devices[device].running.is_some() {
            return;
        }
        let Some(next) = self.devices[device].waiting.pop_front() else { return };
        let number = next.number;
        self.devices[device].running = Some(next);
        let after = self.store_delay();
        self.at_in(after, Event::StoreTurn { device, number });
    }

    /// Mostly little; what a disk takes to have something for good is told from that by nobody.
    fn store_delay(&mut self) -> Ms {
        let is_slow = self.weather.strikes(Fault::SlowStore, &mut self.random);
        if is_slow { self.random.between(100, 3_000) } else { self.random.between(1, 12) }
    }

    /// A transaction goes on, as far as it does without a pause.
    pub(super) fn store_turn(&mut self, device: usize, number: u64) -> Checked {
        let is_unhurried = self.random.one_in(UNHURRIED_ONE_IN);
        while let Some(running) = self.devices[device].running.as_mut().filter(|running| running.number == number) {
            let (index, task) = (running.client, running.task);
            let stage = std::mem::replace(&mut running.stage, Stage::Begin);
            let (name, stage_name) = (self.clients[index].name.clone(), stage.name());
            self.say(|| format!("{name} in its store: {task:?}, {stage_name}"));
            let fault = match self.step(index, task, stage)? {
                Ok(Step::Next(stage)) => {
                    let is_commit = matches!(stage, Stage::Commit(_));
                    if let Some(running) = &mut self.devices[device].running {
                        running.stage = stage;
                    }
                    if is_commit || is_unhurried {
                        let after = self.store_delay();
                        self.at_in(after, Event::StoreTurn { device, number });
                        return Ok(());
                    }
                    continue;
                }
                Ok(Step::Done) => None,
                Err(fault) => Some(fault),
            };
            self.devices[device].running = None;
            self.run_next(device);
            return self.end_transaction(index, task, fault);
        }
        Ok(())
    }

    fn end_transaction(&mut self, index: usize, task: Task, fault: Option<StoreFault>) -> Checked {
        if let Task::Write(book, _) = task {
            self.clients[index].is_keeping = false;
            if fault.is_some() {
                self.clients[index].replica.handle_write_failed(book);
            }
        }
        match (fault, task) {
            (Some(fault), Task::Open(book)) => {
                self.lose_store(index, fault)?;
                self.clients[index].open_book(book);
            }
            (Some(fault), _) => self.lose_store(index, fault)?,
            (None, _) => {}
        }
        self.serve(index)?;
        self.settle()
    }

    /// Does what comes next of a transaction.
    fn step(&mut self, index: usize, task: Task, stage: Stage) -> Checked<Result<Step, StoreFault>> {
        let client = &self.clients[index];
        let device = &self.devices[client.device];
        let is_there = client.keeps_in == Some(device.store_life) && device.store.is_some();
        if !is_there {
            return Ok(Err(StoreFault::Gone));
        }
        let next = match (stage, task) {
            (Stage::Begin, Task::Renew { .. }) => Ok(Step::Next(Stage::Commit(None))),
            (Stage::Begin, Task::Open(_)) => Ok(Step::Next(Stage::Head)),
            (Stage::Begin, Task::Read(_) | Task::Write(..)) => self.look_whose_it_is(index)?,
            (Stage::Head, Task::Open(book) | Task::Read(book) | Task::Write(book, _)) => {
                self.read_head(index, book, task)
            }
            (Stage::Rows(lacking), Task::Open(book) | Task::Read(book) | Task::Write(book, _)) => {
                self.read_rows(index, book, lacking, task)?
            }
            (Stage::Confirmed, Task::Read(book) | Task::Write(book, _)) => self.read_confirmed(index, book)?,
            (Stage::Put, Task::Write(book, lasting)) => self.take_write(index, book, lasting),
            (Stage::Commit(Some(write)), Task::Write(book, lasting)) => {
                if self.is_full(index) {
                    return Ok(Err(StoreFault::Full));
                }
                let write = spoilt(self.plant(), *write);
                self.store_of(index).write(book, write, lasting);
                self.written(index, book);
                Ok(Step::Done)
            }
            (Stage::Commit(None), Task::Renew { outworn, fresh }) => {
                self.renew_in_store(index, outworn, fresh);
                Ok(Step::Done)
            }
            _ => Ok(Step::Done),
        };
        Ok(next)
    }

    fn is_full(&mut self, index: usize) -> bool {
        let is_full = self.devices[self.clients[index].device].full_until > self.now;
        if is_full {
            self.weather.note(Fault::StoreFull);
        }
        is_full
    }

    pub(super) fn store_of(&mut self, index: usize) -> &mut crate::store::Store {
        let device = self.clients[index].device;
        self.devices[device].store.as_mut().expect("a tab that keeps something has a store")
    }

    /// Another tab may go on under another id, and this one with it.
    fn look_whose_it_is(&mut self, index: usize) -> Checked<Result<Step, StoreFault>> {
        let stored = self.store_of(index).replica;
        if stored != self.clients[index].replica.id() {
            self.clients[index].renew(self.now, stored);
            self.serve(index)?;
        }
        Ok(Ok(Step::Next(Stage::Head)))
    }

    fn read_head(&mut self, index: usize, book: BookId, task: Task) -> Result<Step, StoreFault> {
        let head = self.store_of(index).head(book).map(str::to_owned);
        let Some(head) = head else {
            if matches!(task, Task::Open(_)) {
                self.clients[index].open_book(book);
                return Ok(Step::Done);
            }
            return Ok(Step::Next(Stage::Confirmed));
        };
        let lacking = match task {
            Task::Write(..) if self.plant() == Some(Plant::TabsUncompared) => Ok(None),
            Task::Open(_) => Lacking::all_of(&head).map(Some),
            _ => self.clients[index].replica.lacking(book, &head),
        };
        match lacking {
            Ok(Some(lacking)) => Ok(Step::Next(Stage::Rows(lacking))),
            Ok(None) => Ok(Step::Next(Stage::Confirmed)),
            Err(_) => Err(StoreFault::Newer),
        }
    }

    fn read_rows(
        &mut self,
        index: usize,
        book: BookId,
        lacking: Lacking,
        task: Task,
    ) -> Checked<Result<Step, StoreFault>> {
        let stored = self.store_of(index).read(book, lacking);
        let client = &mut self.clients[index];
        let is_open = matches!(task, Task::Open(_));
        let read = match is_open {
            true => client.open_stored_book(book, &stored),
            false => client.replica.handle_stored(book, &stored),
        };
        if read.is_err() {
            return Ok(Err(StoreFault::Newer));
        }
        if matches!(lacking, Lacking::Everything(_)) {
            // Another tab may have started over from less than this one has seen.
            self.checker.handle_started(index, book);
        }
        self.serve(index)?;
        Ok(Ok(if is_open { Step::Done } else { Step::Next(Stage::Confirmed) }))
    }

    fn read_confirmed(&mut self, index: usize, book: BookId) -> Checked<Result<Step, StoreFault>> {
        if self.clients[index].replica.wants_confirmed(book) {
            let is_forgetful = self.plant() == Some(Plant::ConfirmedForgotten);
            let rows = if is_forgetful { Vec::new() } else { self.store_of(index).confirmed(book) };
            if self.clients[index].replica.handle_confirmed(book, rows).is_err() {
                return Ok(Err(StoreFault::Newer));
            }
            self.serve(index)?;
        }
        Ok(Ok(Step::Next(Stage::Put)))
    }

    fn take_write(&mut self, index: usize, book: BookId, lasting: Lasting) -> Result<Step, StoreFault> {
        let plant = self.plant();
        let client = &mut self.clients[index];
        if lasting == Lasting::Loose && client.unsaved(book) > 0 && plant != Some(Plant::TypedLoosely) {
            // Typed while it began: that needs another kind of transaction.
            return Ok(Step::Done);
        }
        let Some(write) = client.replica.take_write(book) else { return Ok(Step::Done) };
        if plant == Some(Plant::SavedEarly) {
            client.replica.handle_written(book);
        }
        Ok(Step::Next(Stage::Commit(Some(Box::new(write)))))
    }

    /// The write is done, and other tabs hear of it, unless they do not.
    fn written(&mut self, index: usize, book: BookId) {
        self.clients[index].replica.handle_written(book);
        let device = self.clients[index].device;
        for other in self.devices[device].tabs.clone() {
            let hears = other != index && self.clients[other].is_open && self.clients[other].keeps_in.is_some();
            if hears && !self.weather.strikes(Fault::NewsUnheard, &mut self.random) {
                let (after, life) = (self.random.between(1, 20), self.clients[other].life);
                self.devices[device].news_until = self.devices[device].news_until.max(self.now + after);
                self.at_in(after, Event::HearsOfWrite { client: other, life, book });
            }
        }
    }

    pub(super) fn hear_of_write(&mut self, index: usize, life: u64, book: BookId) {
        let client = &self.clients[index];
        if client.life == life && client.keeps_in.is_some() && client.screens.contains_key(&book) {
            self.begin(index, Task::Read(book));
        }
    }

    /// Reads what other tabs wrote while this one did not hear.
    pub(super) fn catch_up(&mut self, index: usize) {
        if self.clients[index].keeps_in.is_some() {
            self.clients[index].books().into_iter().for_each(|book| self.begin(index, Task::Read(book)));
        }
    }

    fn renew_in_store(&mut self, index: usize, outworn: ReplicaId, fresh: ReplicaId) {
        let is_alone = self.plant() == Some(Plant::RenewedAlone);
        let store = self.store_of(index);
        if store.replica == outworn && !is_alone {
            store.replica = fresh;
        }
        let renewed = if is_alone { fresh } else { store.replica };
        self.clients[index].renew(self.now, renewed);
    }

    /// From now on nothing is kept, which the person is told.
    pub(super) fn lose_store(&mut self, index: usize, fault: StoreFault) -> Checked {
        if self.clients[index].keeps_in.take().is_none() {
            return Ok(());
        }
        let fresh = self.fresh_replica(index);
        let name = self.clients[index].name.clone();
        self.say(|| format!("{name} goes on in memory, for its store is {fault:?}"));
        self.checker.handle_renewed(self.clients[index].replica.id(), fresh, self.clients[index].user);
        self.clients[index].replica.go_on_in_memory(Monotonic(self.now), fresh);
        self.clients[index].pushes.clear();
        let device = self.clients[index].device;
        self.checker.handle_in_memory(index, device);
        self.devices[device].may_renew = true;
        self.serve(index)
    }

    pub(super) fn fresh_replica(&mut self, index: usize) -> ReplicaId {
        let fresh = ReplicaId(Uuid::from_u128(self.random.wide()));
        self.checker.owns(fresh, self.clients[index].user);
        fresh
    }
}

/// What a planted bug makes of a transaction.
fn spoilt(plant: Option<Plant>, mut write: StoreWrite) -> StoreWrite {
    match plant {
        Some(Plant::OutboxUnwritten) => write.outbox.clear(),
        Some(Plant::RejectionsUnwritten) => write.rejections.clear(),
        _ => {}
    }
    write
}
