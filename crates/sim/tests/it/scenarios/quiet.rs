//! When all is done, and what must hold then.

use std::collections::BTreeMap;

use tidebook_book::{Domain, MutationId, MutationNumber, ReplicaId};

use super::tab::Tab;
use super::world::World;

/// Nothing takes longer than this once everything works: a back-off, and the time in which to drain.
const PATIENCE_MS: u64 = 40_000;

impl<S: Domain, T: Domain> World<S, T> {
    /// Runs until all have all and nobody waits for anything; how long that took.
    pub(super) fn settle(&mut self) -> u64 {
        const LOOKS_EVERY_MS: u64 = 50;
        let began = self.now;
        while !self.is_quiet() {
            assert!(self.now < began + PATIENCE_MS, "not quiet: {}", self.why_not_quiet());
            self.run_for(LOOKS_EVERY_MS);
        }
        self.now - began
    }

    fn is_quiet(&self) -> bool {
        let mut running = self.tabs.iter().filter(|tab| tab.replica.is_some());
        let head = self.server.log.head();
        let has_all = |tab: &Tab<T>| {
            let copy = tab.copy();
            copy.is_current() && copy.seq() == head && copy.unsaved() == 0 && !tab.is_keeping
        };
        self.server_is_up && self.server.is_settled() && running.all(has_all)
    }

    fn why_not_quiet(&self) -> String {
        let mut why = format!("the log is at {}", self.server.log.head());
        for (index, tab) in self.tabs.iter().enumerate().filter(|(_, tab)| tab.replica.is_some()) {
            let copy = tab.copy();
            let (pending, held) = (copy.pending().count(), copy.held());
            why += &format!("; tab {index} at {} with {pending} pending, {held:?}, {:?}", copy.seq(), tab.line);
        }
        why
    }

    /// All have the same, and it is what the log says from nothing; nothing that was saved is lost; and nothing is in the log
    /// twice, or a number left out, which the log itself would not take.
    pub(super) fn check(&self) {
        let log = &self.server.log;
        let expected = log.replay::<S>(log.head()).hash();
        assert_eq!(self.server.state_hash(), expected, "the server's state");
        for (index, tab) in self.tabs.iter().enumerate() {
            if tab.replica.is_some() {
                let copy = tab.copy();
                assert_eq!((copy.seq(), Some(copy.hash())), (log.head(), log.hash_at(log.head())), "tab {index}");
                assert_eq!(copy.view().hash(), expected, "the state of tab {index}");
            }
            let lost = |id: &&MutationId| log.place_of(**id).is_none();
            assert_eq!(tab.saved.iter().find(lost), None, "tab {index} called it saved");
        }
        self.check_numbers();
    }

    /// Each replica's numbers are 1, 2, 3 … in the order of the log.
    fn check_numbers(&self) {
        let mut last: BTreeMap<ReplicaId, MutationNumber> = BTreeMap::new();
        for place in &self.server.log.places {
            let last = last.entry(place.replica).or_default();
            assert_eq!(place.n, last.next(), "numbers of {}", place.replica);
            *last = place.n;
        }
    }
}
