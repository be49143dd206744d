//! The hash chain that ties every entry to all before it:
//! `hash(0)` is 32 zero bytes, `hash(seq) = BLAKE3(hash(seq − 1) ‖ BLAKE3(the entry's bytes))`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A link of the hash chain, or the hash of a state; 64 lower-case hex digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash(pub [u8; 32]);

/// A text that is not 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: expected 64 lower-case hex digits")]
pub struct HashParseError;

impl ChainHash {
    /// The hash of an empty log.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of a log whose hash was `self`, once an entry of exactly these bytes follows.
    #[must_use]
    pub fn followed_by(self, entry_bytes: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0);
        hasher.update(blake3::hash(entry_bytes).as_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// The plain BLAKE3 hash of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl std::str::FromStr for ChainHash {
    type Err = HashParseError;

    fn from_str(text: &str) -> Result<Self, HashParseError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(HashParseError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn hex_value(digit: u8) -> Result<u8, HashParseError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(HashParseError),
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

impl Serialize for ChainHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChainHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_a_hash_over_digests() {
        let first = ChainHash::ZERO.followed_by(b"one");
        let by_hand = blake3::hash(&[[0; 32], *blake3::hash(b"one").as_bytes()].concat());
        assert_eq!(first.0, *by_hand.as_bytes());
        assert_ne!(first.followed_by(b"two"), ChainHash::ZERO.followed_by(b"two"));
    }

    #[test]
    fn hex_round_trips_and_refuses_the_rest() {
        let hash = ChainHash::of(b"tide");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for wrong in ["", "00", &"g".repeat(64), &"A".repeat(64), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<ChainHash>(), Err(HashParseError), "{wrong}");
        }
    }
}
