//! What the log already holds of a push, looked up before deciding it.

use std::collections::HashMap;

use tidebook_book::{MutationId, MutationNumber, ReplicaId, Seq};

/// Where a mutation stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub seq: Seq,
    pub id: MutationId,
    pub replica: ReplicaId,
    pub n: MutationNumber,
}

/// What to look up in the log before a push can be decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups {
    pub ids: Vec<MutationId>,
    pub numbers: Vec<(ReplicaId, MutationNumber)>,
}

/// Places of mutations, by id and by number.
#[derive(Debug, Clone, Default)]
pub struct Known {
    by_id: HashMap<MutationId, Place>,
    by_number: HashMap<(ReplicaId, MutationNumber), Place>,
}

impl Known {
    pub fn insert(&mut self, place: Place) {
        self.by_id.insert(place.id, place);
        self.by_number.insert((place.replica, place.n), place);
    }

    pub(crate) fn remove(&mut self, place: &Place) {
        self.by_id.remove(&place.id);
        self.by_number.remove(&(place.replica, place.n));
    }

    pub(crate) fn by_id(&self, id: MutationId) -> Option<Place> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn by_number(&self, replica: ReplicaId, n: MutationNumber) -> Option<Place> {
        self.by_number.get(&(replica, n)).copied()
    }
}

impl FromIterator<Place> for Known {
    fn from_iter<I: IntoIterator<Item = Place>>(places: I) -> Self {
        let mut known = Self::default();
        places.into_iter().for_each(|place| known.insert(place));
        known
    }
}
