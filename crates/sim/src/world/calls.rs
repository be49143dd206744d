//! Requests over HTTP: writes, and who is in a book. A request is sent again until it is answered, and sometimes after.

use std::collections::BTreeMap;

use serde_json::value::to_raw_value;
use tidebook_book::{BookId, MemberChange, MutationId, Role, Seq, UserId};
use uuid::Uuid;

use super::ops::Pen;
use super::{Event, World};
use crate::check::{Checked, Invariant};
use crate::fault::Fault;
use crate::server::{Answer, Ask, CallId, What};

/// Writes in an episode.
const WRITES_MAX: u64 = 4;

/// Without an answer by then, the same is asked again.
const ANSWER_WITHIN_MS: u64 = 4_000;

/// Who gets no answer gives up after so many tries.
const TRIES_MAX: u32 = 8;

#[derive(Debug)]
pub(super) struct Call {
    person: usize,
    ask: Ask,
    tries: u32,
    answer: Option<Answer>,
    /// What is said of it since is about another history.
    is_given_up: bool,
}

impl Call {
    pub(super) fn is_over(&self) -> bool {
        self.answer.is_some() || self.tries >= TRIES_MAX
    }

    pub(super) fn is_begun(&self) -> bool {
        self.tries > 0
    }
}

impl World {
    pub(super) fn plan_calls(&mut self, within_ms: u64) {
        for _ in 0..self.random.below(WRITES_MAX + 1) {
            let person = self.any_person();
            let book = self.any_book();
            if let Some(ask) = self.write_ask(person, book) {
                let after = self.random.below(within_ms);
                self.plan_call(person, ask, after);
            }
        }
    }

    pub(super) fn any_person(&mut self) -> usize {
        usize::try_from(self.random.below(self.people.len() as u64)).expect("few people")
    }

    pub(super) fn any_book(&mut self) -> BookId {
        *self.random.pick(&self.books).expect("there is a book")
    }

    pub(super) fn plan_call(&mut self, person: usize, ask: Ask, after: u64) {
        self.calls_made += 1;
        let id = CallId(self.calls_made);
        self.calls.insert(id, Call { person, ask, tries: 0, answer: None, is_given_up: false });
        self.at_in(after, Event::CallTimesOut { call: id, tries: 0 });
    }

    /// What a script or another program writes: it reads the book, and no prediction keeps it from writing nonsense.
    fn write_ask(&mut self, person: usize, book: BookId) -> Option<Ask> {
        let role = self.checker.book(book).role_of(self.people[person].user);
        role.filter(|_| self.head(book) > Seq(1))?;
        let head = self.head(book);
        let base = match self.random.below(3) {
            0 => None,
            1 => Some(head),
            _ => Some(Seq(head.0 - self.random.below(head.0.min(10)))),
        };
        let same_ids = self.weather.strikes(Fault::SameId, &mut self.random);
        let invalid = self.weather.strikes(Fault::InvalidContent, &mut self.random);
        let number = self.books.iter().position(|other| *other == book)?;
        let state = &self.checker.books[&book].state().domain;
        let mut pen = Pen { random: &mut self.random, state, book: number, same_ids, invalid };
        let op = to_raw_value(pen.ops().first()?).expect("an op serialises");
        let id = MutationId(Uuid::from_u128(self.random.wide()));
        self.checker.handle_asked(id, base);
        Some(Ask { book, id, what: What::Write { base, op } })
    }

    /// What was answered counts no more, and nobody asks again.
    pub(super) fn give_up_calls(&mut self) {
        for call in self.calls.values_mut().filter(|call| call.is_begun()) {
            call.tries = TRIES_MAX;
            (call.answer, call.is_given_up) = (None, true);
        }
    }

    /// Sent, unless an answer came meanwhile. What came without an answer comes again.
    pub(super) fn call_times_out(&mut self, id: CallId, tries: u32) -> Checked {
        let call = self.calls.get_mut(&id).expect("it was made");
        // What nobody has begun by the end nobody begins.
        let is_late = self.quiet_since.is_some() && !call.is_begun();
        if call.is_over() || call.tries != tries || is_late {
            return Ok(());
        }
        call.tries += 1;
        // Each change of members is a request of its own; only writes have an id to be known by.
        if matches!(call.ask.what, What::Member(_)) {
            call.ask.id = MutationId(Uuid::from_u128(self.random.wide()));
        }
        let tries = call.tries;
        let after = self.delay();
        self.at_in(after, Event::CallArrives(id));
        self.at_in(ANSWER_WITHIN_MS, Event::CallTimesOut { call: id, tries });
        Ok(())
    }

    pub(super) fn call_arrives(&mut self, id: CallId) -> Checked {
        let Some(node) = self.any_node() else { return Ok(()) };
        let Call { person, ask, .. } = &self.calls[&id];
        let (author, ask, name) = (self.session_of(*person), ask.clone(), self.people[*person].name);
        self.say(|| format!("{name} asks {ask:?}"));
        self.nodes[node].server.handle_call(self.now, &self.disk, id, author, ask);
        self.settle()
    }

    /// The server answers; what it says is true, whether or not it arrives.
    pub(super) fn answer_leaves(&mut self, id: CallId, answer: Answer) -> Checked {
        let Call { person, ask, .. } = &self.calls[&id];
        let (book, mutation, name) = (ask.book, ask.id, self.people[*person].name);
        match (&ask.what, &answer) {
            (What::Write { .. }, _) => self.checker.check_answer(book, mutation, &answer)?,
            (What::Member(MemberChange::Removed { .. }), Answer::MemberChanged(Some(_))) => {
                self.weather.note(Fault::Removal);
            }
            (What::Member(MemberChange::RoleChanged { .. }), Answer::MemberChanged(Some(_))) => {
                self.weather.note(Fault::RoleChange);
            }
            _ => {}
        }
        self.say(|| format!("{name} is answered {answer:?}"));
        if self.weather.strikes(Fault::AnswerLost, &mut self.random) {
            return Ok(());
        }
        let after = self.delay();
        self.at_in(after, Event::CallAnswered { call: id, answer });
        Ok(())
    }

    pub(super) fn call_answered(&mut self, id: CallId, answer: &Answer) -> Checked {
        if *answer == Answer::Unavailable {
            return Ok(());
        }
        let call = self.calls.get_mut(&id).expect("it was made");
        if call.is_given_up {
            return Ok(());
        }
        let told = |answer: &Answer| match answer {
            Answer::Decided { seq, .. } | Answer::Repeated(seq) => Some(*seq),
            _ => None,
        };
        // One that comes again is answered with the same entry.
        if let (Some(before), Some(now)) = (call.answer.as_ref().and_then(told), told(answer)) {
            Invariant::ExactlyOnce
                .require(before == now, || format!("a request is entry {before} and then entry {now}"))?;
        }
        call.answer.get_or_insert_with(|| answer.clone());
        let comes_again = matches!(call.ask.what, What::Write { .. }) && call.tries < TRIES_MAX;
        if comes_again && self.weather.strikes(Fault::RepeatedWrite, &mut self.random) {
            self.calls.get_mut(&id).expect("it was made").tries += 1;
            let after = self.random.between(100, 1_800_000);
            self.at_in(after, Event::CallArrives(id));
        }
        Ok(())
    }

    /// Somebody changes who is in a book.
    pub(super) fn change_members(&mut self, removes: bool) -> Checked {
        let book = self.any_book();
        let members: BTreeMap<UserId, Role> = self.checker.book(book).state().members.clone();
        let by = self.any_person();
        let whom = self.any_person();
        let user = self.people[whom].user;
        let role = self.random.choose([Role::Viewer, Role::Editor, Role::Editor, Role::Owner]);
        let (by, change) = match (members.get(&user), removes) {
            // Whoever is let in comes by themself, with an invite.
            (None, _) => (whom, MemberChange::Added { user, role }),
            (Some(_), true) => (self.an_owner_or(by, &members), MemberChange::Removed { user }),
            (Some(_), false) => (self.an_owner_or(by, &members), MemberChange::RoleChanged { user, role }),
        };
        let id = MutationId(Uuid::from_u128(self.random.wide()));
        self.plan_call(by, Ask { book, id, what: What::Member(change) }, 0);
        if removes && members.contains_key(&user) && !self.random.one_in(4) {
            self.invite_back(book, whom);
        }
        Ok(())
    }

    /// Mostly somebody who may.
    fn an_owner_or(&mut self, person: usize, members: &BTreeMap<UserId, Role>) -> usize {
        let is_owner = |person: &usize| members.get(&self.people[*person].user) == Some(&Role::Owner);
        let owners: Vec<usize> = (0..self.people.len()).filter(is_owner).collect();
        if self.random.one_in(8) { person } else { self.random.pick(&owners).copied().unwrap_or(person) }
    }

    fn invite_back(&mut self, book: BookId, person: usize) {
        let user = self.people[person].user;
        let role = self.random.choose([Role::Editor, Role::Editor, Role::Viewer]);
        let id = MutationId(Uuid::from_u128(self.random.wide()));
        let ask = Ask { book, id, what: What::Member(MemberChange::Added { user, role }) };
        let after = self.random.between(500, 120_000);
        self.plan_call(person, ask, after);
    }
}
