//! Tables by id.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A table whose keys are ids, or little more than one.
pub type IdMap<K, V> = HashMap<K, V, IdHashing>;

/// Hashes an id in two multiplications, for it is looked up many times in each decision.
///
/// Ids are chosen by whoever writes, so where one falls depends on two secret numbers: without them nobody can choose
/// ids that fall together and make a table slow.
#[derive(Debug, Clone)]
pub struct IdHashing {
    secrets: [u64; 2],
}

impl Default for IdHashing {
    fn default() -> Self {
        let random = RandomState::new();
        Self { secrets: [random.hash_one(0), random.hash_one(1)] }
    }
}

impl BuildHasher for IdHashing {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        let [mixed, secret] = self.secrets;
        IdHasher { mixed, secret }
    }
}

/// One id on its way to its place.
#[derive(Debug)]
pub struct IdHasher {
    mixed: u64,
    secret: u64,
}

impl IdHasher {
    #[inline]
    fn mix(&mut self, low: u64, high: u64) {
        self.mixed = fold(self.mixed ^ low, self.secret ^ high);
    }
}

/// The golden ratio's bits, and odd: it spreads what a secret with few bits does not.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Both halves of a product together depend on all bits of both factors.
#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product as u64) ^ (product >> 64) as u64
}

impl Hasher for IdHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        match <[u8; 16]>::try_from(bytes) {
            Ok(id) => {
                let id = u128::from_le_bytes(id);
                self.mix(id as u64, (id >> 64) as u64);
            }
            // Something beside an id.
            Err(_) => bytes.iter().for_each(|byte| self.mix(u64::from(*byte), 0)),
        }
    }

    /// The kind of an id, or its length.
    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.mixed = self.mixed.rotate_left(7) ^ number as u64;
    }

    fn finish(&self) -> u64 {
        fold(self.mixed, GOLDEN)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;
    use crate::MutationId;

    /// What decides the place in a table are the lowest bits and the highest seven.
    #[test]
    fn ids_that_differ_little_fall_apart() {
        let hashing = IdHashing::default();
        for shift in [0, 8, 40, 64, 80, 120] {
            let ids = (0..256_u128).map(|number| MutationId(Uuid::from_u128(number << shift)));
            let hashes: Vec<u64> = ids.map(|id| hashing.hash_one(id)).collect();
            let places: HashSet<u64> = hashes.iter().map(|hash| hash % 4096).collect();
            let tags: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
            assert!(places.len() > 200 && tags.len() > 64, "{shift}: {} places, {} tags", places.len(), tags.len());
        }
    }

    #[test]
    fn another_table_hashes_otherwise() {
        let id = MutationId(Uuid::from_u128(7));
        assert_ne!(IdHashing::default().hash_one(id), IdHashing::default().hash_one(id));
    }
}
