//! The one place of the server that asks the operating system for randomness.

use tidebook_book::UnixMillis;
use uuid::Uuid;

/// Bytes nobody can guess.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness there are no secrets; going on would be worse than stopping.
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A new id, version 7: ids made later sort later.
pub(crate) fn uuid(now: UnixMillis) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now.0).unwrap_or(0), &bytes()).into_uuid()
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let (early, late) = (uuid(UnixMillis(1_000)), uuid(UnixMillis(2_000)));
        assert_eq!(early.get_version_num(), 7);
        assert!(early < late);
        assert_ne!(uuid(UnixMillis(1_000)), early);
    }

    #[test]
    fn hex_keeps_leading_zeros() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
