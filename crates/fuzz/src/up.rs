//! Frames of a client, one by one.

use serde_json::value::to_raw_value;
use tidebook_protocol::{RawMutation, Up};

use crate::Reading;

/// What reads reads the same after it was written.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let Some(message) = std::str::from_utf8(bytes).ok().and_then(|text| Up::parse(text).ok()) else {
        return Reading::Refused;
    };
    let written = message.encode();
    let again = Up::parse(&written).expect("what was written reads");
    assert_eq!(again.encode(), written);
    if let Up::Push(push) = message {
        for mutation in push.mutations.iter().filter_map(|raw| RawMutation::parse(raw).ok()) {
            let written = to_raw_value(&mutation.envelope).expect("a mutation serialises into memory");
            let again = RawMutation::parse(&written).expect("what was written reads");
            let rewritten = to_raw_value(&again.envelope).expect("a mutation serialises into memory");
            assert_eq!(rewritten.get(), written.get());
        }
    }
    Reading::Taken
}
