//! Ids that follow from what they name: the same everywhere, without asking anyone.

use uuid::Uuid;

/// Fields in the order given, each behind its length in bytes (`u64`, little-endian).
#[derive(Debug, Clone, Default)]
pub struct HashedId(Vec<u8>);

impl HashedId {
    /// A domain of its own for each kind of id, so that equal fields of two kinds give two ids.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self::default().field(domain.as_bytes())
    }

    #[must_use]
    pub fn field(mut self, bytes: &[u8]) -> Self {
        self.0.extend((bytes.len() as u64).to_le_bytes());
        self.0.extend(bytes);
        self
    }

    /// What would be hashed.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A version 8 UUID of the first 16 bytes of BLAKE3 over the fields.
    #[must_use]
    pub fn id(self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&blake3::hash(&self.0).as_bytes()[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}
