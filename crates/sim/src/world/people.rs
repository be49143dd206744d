//! People at work on their devices.

use tidebook_book::{BookId, Change, MutationId, Role, Seq};
use tidebook_ledger::{LedgerChange, LedgerOp, inverse_of};
use tidebook_replica::NewMutation;
use uuid::Uuid;

use super::ops::Pen;
use super::{Event, Form, World};
use crate::check::{Checked, Invariant, Made, MadeFate};
use crate::fault::Fault;

/// How long people work at a time, and how long they leave it be then.
const WORKS_MS: (u64, u64) = (3_000, 25_000);
const RESTS_MS: (u64, u64) = (20_000, 1_200_000);

/// A run goes on for so long at least before all faults stop.
const LASTS_MS_MIN: u64 = 3_600_000;

/// Things one person does at a time.
const WORKS_EACH: (u64, u64) = (1, 6);

/// How long a form is open that is saved late.
const FORM_OPEN_MS: (u64, u64) = (300, 40_000);

/// Outboxes of people who have long been offline, so that a run stays short.
const PENDING_MAX: usize = 12;

impl World {
    /// People come to work for a while, and then rest.
    pub(super) fn begin_episode(&mut self, number: u64) -> Checked {
        let works_ms = self.random.between(WORKS_MS.0, WORKS_MS.1);
        for client in 0..self.clients.len() {
            if !self.random.one_in(4) {
                for _ in 0..self.random.between(WORKS_EACH.0, WORKS_EACH.1) {
                    let after = self.random.below(works_ms);
                    self.at_in(after, Event::Work(client));
                }
            }
        }
        self.plan_calls(works_ms);
        let within_ms = works_ms + self.random.between(RESTS_MS.0, RESTS_MS.1);
        self.plan_strikes(works_ms, within_ms);
        if number < self.episodes {
            self.at_in(within_ms, Event::Episode(number + 1));
        } else {
            self.at_in(within_ms.max(LASTS_MS_MIN.saturating_sub(self.now)), Event::Quiet);
        }
        Ok(())
    }

    /// Somebody does something on a device, at once or in a form that stays open.
    pub(super) fn let_work(&mut self, index: usize) -> Checked {
        let books = self.clients[index].books();
        let Some(book) = self.random.pick(&books).copied() else { return Ok(()) };
        if self.random.one_in(4) && !self.clients[index].is_off(self.now) {
            self.look_at(index, book)?;
        }
        let copy = self.clients[index].copy(book);
        // Who sees nothing of a book, or knows that they only read it, has no form to fill in.
        let may = copy.role().is_some_and(Role::may_write) || (copy.role().is_none() && self.random.one_in(8));
        let is_full = copy.pending().count() >= PENDING_MAX;
        if self.clients[index].is_off(self.now) || copy.seq() == Seq::ZERO || !may || is_full {
            return Ok(());
        }
        let Some(form) = self.fill_in(index, book) else { return Ok(()) };
        if self.weather.strikes(Fault::StaleForm, &mut self.random) {
            let after = self.random.between(FORM_OPEN_MS.0, FORM_OPEN_MS.1);
            let life = self.clients[index].life;
            self.at_in(after, Event::Save { client: index, life, form: Box::new(form) });
            return Ok(());
        }
        self.save(index, form)
    }

    /// A form that was open goes with its tab.
    pub(super) fn save_late(&mut self, index: usize, life: u64, form: Form) -> Checked {
        if self.clients[index].life == life { self.save(index, form) } else { Ok(()) }
    }

    fn fill_in(&mut self, index: usize, book: BookId) -> Option<Form> {
        if self.random.one_in(12) {
            let head = self.clients[index].copy(book).seq().min(self.head(book));
            let (entry, ops) = self.undo(book, head)?;
            return Some(Form::new(book, self.clients[index].copy(book), Some(entry), ops));
        }
        let same_ids = self.weather.strikes(Fault::SameId, &mut self.random);
        let state = self.clients[index].replica.view(book)?;
        let number = self.books.iter().position(|other| *other == book)?;
        let mut pen = Pen { random: &mut self.random, state, book: number, same_ids, invalid: false };
        let ops = pen.ops();
        Some(Form::new(book, self.clients[index].copy(book), None, ops))
    }

    /// What takes back one of the latest entries that this device has.
    fn undo(&mut self, book: BookId, head: Seq) -> Option<(Seq, Vec<LedgerOp>)> {
        const LATEST: u64 = 12;
        let seq = Seq(self.random.between(head.0.saturating_sub(LATEST).max(1), head.0));
        let changes: Vec<LedgerChange> =
            self.checker.book(book).read(seq).changes.into_iter().filter_map(domain).collect();
        let ops = inverse_of(&changes);
        (!ops.is_empty()).then_some((seq, ops))
    }

    pub(super) fn save(&mut self, index: usize, form: Form) -> Checked {
        let Form { book, seen, copy, undoes, ops } = form;
        let base = undoes.unwrap_or(copy.0);
        let client = &mut self.clients[index];
        if client.is_off(self.now) || self.quiet_since.is_some() {
            return Ok(());
        }
        let id = MutationId(Uuid::from_u128(self.random.wide()));
        let made_at = client.clock(self.now);
        let new = NewMutation { id, made_at, base: seen.at(base), ops: ops.clone(), undoes };
        // The view may say no at once; then nothing was made.
        let Some(n) = client.mutate(book, new) else { return Ok(()) };
        let (replica, name) = (client.replica.id(), client.name.clone());
        let (device, keeps) = (client.device, client.keeps_in.is_some());
        let seen = self.checker.book(book).seen(base, copy);
        let book_name = self.book_name(book);
        self.say(|| format!("{name} writes {n} in {book_name}, read at {base}, undoing {undoes:?}: {ops:?}"));
        let made =
            Made { client: index, device, book, replica, n, base: seen, undoes, ops, keeps, fate: MadeFate::default() };
        self.checker.handle_made(id, made)?;
        if self.weather.strikes(Fault::Withdrawn, &mut self.random) {
            let after = self.random.between(1, 20_000);
            self.at_in(after, Event::Withdraw { client: index, book, id });
        }
        let after = self.random.between(2_000, 400_000);
        self.at_in(after, Event::LookAtRejections(index));
        self.serve(index)?;
        self.settle()
    }

    /// A person takes back what has no entry yet, and gets what they typed.
    pub(super) fn withdraw(&mut self, index: usize, book: BookId, id: MutationId) -> Checked {
        let client = &mut self.clients[index];
        if client.is_off(self.now) || !client.is_open {
            return Ok(());
        }
        let Some(ops) = client.replica.withdraw(book, id) else { return Ok(()) };
        let name = client.name.clone();
        self.say(|| format!("{name} takes {id} back"));
        let made = self.checker.made.get_mut(&id).expect("someone made it");
        made.fate.withdrawn = true;
        Invariant::Fate.require(ops == made.ops, || format!("what {name} takes back is not what was typed"))?;
        if self.weather.strikes(Fault::Retried, &mut self.random) {
            self.save(index, Form::new(book, self.clients[index].copy(book), None, ops))?;
        }
        self.serve(index)?;
        self.settle()
    }

    /// A person deals with one rejection: it has what they typed, and then it is gone, or they try again.
    pub(super) fn look_at_rejections(&mut self, index: usize) -> Checked {
        for book in self.clients[index].books() {
            let Some(rejection) = self.clients[index].copy(book).rejections().first() else { continue };
            if self.random.one_in(6) {
                continue;
            }
            let id = rejection.mutation.id;
            let ops = self.clients[index].replica.discard_rejection(book, id);
            let made = self.checker.made.get_mut(&id).expect("someone made it");
            made.fate.discarded = true;
            let is_whole = ops.as_ref() == Some(&made.ops);
            Invariant::Fate.require(is_whole, || format!("the rejection of {id} is not what was typed"))?;
            if let Some(ops) = ops.filter(|_| self.weather.strikes(Fault::Retried, &mut self.random)) {
                self.save(index, Form::new(book, self.clients[index].copy(book), None, ops))?;
            }
        }
        self.serve(index)
    }
}

fn domain(change: Change<LedgerChange>) -> Option<LedgerChange> {
    match change {
        Change::Domain(change) => Some(change),
        Change::Member(_) => None,
    }
}
