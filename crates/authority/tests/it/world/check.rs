//! What must hold, all the way and at the end.

use std::collections::{BTreeMap, BTreeSet};

use tidebook_book::{BookState, ChainHash, Draft, MutationId, Seq};
use tidebook_protocol::Down;

use super::client::Client;
use super::server::BOOK;
use super::{Scenario, Violation, World};
use crate::log::Log;

/// The states of a log at every seq, each from its entries alone.
pub(crate) struct History<S: Scenario> {
    states: Vec<(ChainHash, BookState<S>)>,
}

impl<S: Scenario> Default for History<S> {
    fn default() -> Self {
        Self { states: vec![(ChainHash::ZERO, BookState::default())] }
    }
}

impl<S: Scenario> History<S> {
    /// The log's state at a seq that it has.
    fn at(&mut self, log: &Log, seq: Seq) -> &BookState<S> {
        while self.states.len() as u64 <= seq.0 {
            let next = Seq(self.states.len() as u64);
            let mut state = self.states[next.0 as usize - 1].1.clone();
            state.apply_entry(&log.read::<S>(next));
            self.states.push((log.hash_at(next).expect("an entry of the log"), state));
        }
        &self.states[seq.0 as usize].1
    }
}

fn require(holds: bool, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(what()) }
}

impl<S: Scenario> World<S> {
    /// Looks closely at few of the clients that something happened to, for it takes long.
    pub(crate) fn check_some(&mut self) -> Result<(), Violation> {
        for index in 0..self.clients.len() {
            if self.clients[index].changed && self.random.one_in(8) {
                self.clients[index].changed = false;
                self.check_client(index)?;
            }
        }
        Ok(())
    }

    /// What the server says is in the log is on disk.
    pub(crate) fn check_word(&self, index: usize, text: &str) -> Result<(), Violation> {
        let Ok(Down::Subscribed(subscribed)) = Down::parse(text) else { return Ok(()) };
        let on_disk = self.server.log.last_number(self.clients[index].author.replica);
        require(subscribed.accepted <= on_disk, || {
            format!("replica {index} hears that {} is in the log, where {on_disk} is the last", subscribed.accepted)
        })
    }

    /// A replica's log is a prefix of the book's, its view is that prefix with its outbox on top, its screen shows the
    /// view, and nothing its person made is lost.
    pub(crate) fn check_client(&mut self, index: usize) -> Result<(), Violation> {
        let (client, log) = (&self.clients[index], &self.server.log);
        let copy = client.replica.book(BOOK).expect("the book is open");
        let (seq, hash) = (copy.seq(), copy.hash());
        require(log.hash_at(seq) == Some(hash), || format!("replica {index} has another log at {seq} than the book"))?;
        require(self.history.states.get(seq.0 as usize).is_none_or(|(known, _)| *known == hash), || {
            format!("the log was another at {seq} before")
        })?;

        let (view, expected) = (copy.view(), with_outbox(self.history.at(log, seq), client, seq));
        let screen = S::screen(&view.domain);
        let same = view.members == expected.members && screen == S::screen(&expected.domain);
        require(same, || format!("replica {index} shows another state at {seq}"))?;
        require(client.screen == screen, || format!("replica {index} was not told of all that changed"))?;
        require(S::derives_truly(&view.domain), || format!("replica {index} derives wrong sums at {seq}"))?;

        let pending: BTreeSet<MutationId> = copy.pending().map(|pending| pending.mutation.id).collect();
        let lost = |made: &&super::Made| !pending.contains(&made.id) && log.place_of(made.id).is_none();
        match self.made.iter().filter(|made| made.client == index).find(lost) {
            Some(made) => Err(format!("mutation {} of replica {index} is lost", made.n)),
            None => Ok(()),
        }
    }

    /// Every line is up, and nobody waits for anything.
    pub(crate) fn is_quiet(&self) -> bool {
        let is_done = |client: &Client<S>| {
            let copy = client.replica.book(BOOK).expect("the book is open");
            let up_to_date = copy.is_current() && copy.seq() == self.server.log.head();
            client.line.is_some() && up_to_date && copy.held().is_none() && !client.awaits_snapshot()
        };
        self.server.is_idle() && self.clients.iter().all(is_done) && self.lines.values().all(super::Line::is_empty)
    }

    pub(crate) fn why_not_quiet(&self) -> Violation {
        let (log, authority) = (self.server.log.head(), self.server.authority.head());
        let mut why = format!("not quiet: log at {log}, authority at {authority}");
        for client in &self.clients {
            let copy = client.replica.book(BOOK).expect("the book is open");
            let (seq, pending, held) = (copy.seq(), copy.pending().count(), copy.held());
            why += &format!("; a replica at {seq} with {pending} pending, held: {held:?}, line: {:?}", client.line);
        }
        why
    }

    /// All have the same, it is what the log says, and every mutation has one fate.
    pub(crate) fn check_end(&mut self) -> Result<(), Violation> {
        (0..self.clients.len()).try_for_each(|index| self.check_client(index))?;
        let log = &self.server.log;
        let head = log.head();
        let expected = log.replay::<S>(head).hash();
        require(self.server.authority.state().hash() == expected, || "the authority has another state".into())?;
        for (index, client) in self.clients.iter().enumerate() {
            let copy = client.replica.book(BOOK).expect("the book is open");
            let same = copy.seq() == head && copy.view().hash() == expected;
            require(same, || format!("replica {index} ends with another state"))?;
        }
        self.check_fates()
    }

    fn check_fates(&mut self) -> Result<(), Violation> {
        let log = &self.server.log;
        (self.tally.rejections, self.tally.withdrawals) = (0, 0);
        let mut rejected: BTreeMap<usize, BTreeSet<MutationId>> = BTreeMap::new();
        for made in &self.made {
            let places: Vec<_> = log.places.iter().filter(|place| place.id == made.id).collect();
            let [place] = &*places else { return Err(format!("mutation {} has the fates {places:?}", made.n)) };
            // Under a new id everything that waits gets another number.
            let as_made = match &*self.clients[made.client].ids {
                [only] => (place.replica, place.n) == (*only, made.n),
                ids => ids.contains(&place.replica),
            };
            require(as_made, || format!("mutation {} entered as {place:?}", made.n))?;
            let Some(rejection) = log.read::<S>(place.seq).rejected else { continue };
            require(rejection.code != "withdrawn" || made.withdrawn, || format!("nobody withdrew {}", made.n))?;
            if made.withdrawn {
                self.tally.withdrawals += usize::from(rejection.code == "withdrawn");
            } else {
                self.tally.rejections += 1;
                rejected.entry(made.client).or_default().insert(made.id);
            }
        }
        // The book's own two entries come from the session that made it.
        let entries = log.places.len() - 2;
        require(entries == self.made.len(), || format!("{entries} entries of {} mutations", self.made.len()))?;
        for (index, client) in self.clients.iter().enumerate() {
            let kept: BTreeSet<MutationId> = client
                .replica
                .book(BOOK)
                .into_iter()
                .flat_map(|copy| copy.rejections().iter().map(|rejection| rejection.mutation.id))
                .collect();
            let expected = rejected.remove(&index).unwrap_or_default();
            require(kept == expected, || format!("replica {index} keeps {kept:?}, rejected were {expected:?}"))?;
        }
        Ok(())
    }
}

/// The confirmed state with a replica's outbox decided on top: what its view must be.
fn with_outbox<S: Scenario>(confirmed: &BookState<S>, client: &Client<S>, seq: Seq) -> BookState<S> {
    let mut state = confirmed.clone();
    let copy = client.replica.book(BOOK).expect("the book is open");
    for (place, pending) in (1..).zip(copy.pending()) {
        let mutation = &pending.mutation;
        let draft = Draft {
            seq: Seq(seq.0 + place),
            at: mutation.made_at,
            author: client.author,
            mutation: mutation.id,
            made_at: mutation.made_at,
            knows: tidebook_book::Knows::Everything,
            base: mutation.base,
            index: 0,
        };
        // Where the view does not take it any more, the server decides.
        let _decided = state.decide_and_apply(&mutation.ops, draft);
    }
    state
}
