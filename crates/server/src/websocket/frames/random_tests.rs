//! Whatever the bytes and however they are cut: the same events, and never a panic.

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::{client_frame, events};
use super::*;

const LINE_BYTES_MAX: usize = 2_000;

/// What a client may do, right or nearly so.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![9 => prop::sample::select(vec![0x00, 0x80, 0x01, 0x81, 0x02, 0x82, 0x88, 0x89, 0x8a]), 1 => any::<u8>()];
    let payload = prop_oneof![
        vec(any::<u8>(), 0..200),
        "[a-zé🏴]{0,60}".prop_map(String::into_bytes),
        Just(vec![3, 232]),
        vec(any::<u8>(), 1_990..2_000),
    ];
    let frame = (first, payload, any::<[u8; 4]>());
    vec(frame.prop_map(|(first, payload, mask)| client_frame(first, &payload, mask)), 0..8).prop_map(|all| all.concat())
}

/// All events of the bytes when they come in pieces that end at these places.
fn in_pieces(bytes: &[u8], cuts: &[prop::sample::Index]) -> (Vec<Event>, Result<(), Violation>) {
    let mut decoder = Decoder::new(LINE_BYTES_MAX);
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([bytes.len()]).collect();
    ends.sort_unstable();
    let (mut all, mut from) = (Vec::new(), 0);
    for end in ends {
        let (more, outcome) = events(&mut decoder, &bytes[from..end]);
        all.extend(more);
        if outcome.is_err() {
            return (all, outcome);
        }
        from = end;
    }
    (all, Ok(()))
}

proptest! {
    #[test]
    fn any_bytes_in_any_cuts_are_the_same(
        bytes in prop_oneof![frames(), vec(any::<u8>(), 0..300)],
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        prop_assert_eq!(in_pieces(&bytes, &cuts), in_pieces(&bytes, &[]));
    }

    /// Also where messages are passed over.
    #[test]
    fn any_bytes_can_be_skipped(bytes in frames()) {
        let mut decoder = Decoder::new(LINE_BYTES_MAX);
        decoder.skip_messages();
        let (events, _) = events(&mut decoder, &bytes);
        prop_assert!(!events.iter().any(|event| matches!(event, Event::Text(_) | Event::Binary(_))));
    }

    #[test]
    fn a_message_in_any_fragments_reads_back(
        text in "[a-zé🏴]{0,300}",
        cuts in vec(any::<prop::sample::Index>(), 0..6),
        masks in vec(any::<[u8; 4]>(), 8),
        pings in vec(any::<bool>(), 8),
    ) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        ends.push(text.len());
        ends.sort_unstable();
        let (mut line, mut from, mut pinged) = (Vec::new(), 0, 0);
        for (index, end) in ends.iter().enumerate() {
            let opcode = if index == 0 { 1 } else { 0 };
            let last = if index + 1 == ends.len() { FINAL } else { 0 };
            line.extend(client_frame(last | opcode, &text.as_bytes()[from..*end], masks[index]));
            from = *end;
            if pings[index] {
                line.extend(client_frame(0x89, &[7], masks[index]));
                pinged += 1;
            }
        }
        let (mut events, outcome) = in_pieces(&line, &cuts);
        events.retain(|event| *event != Event::Ping(vec![7]) || { pinged -= 1; false });
        prop_assert_eq!((events, outcome, pinged), (vec![Event::Text(text)], Ok(()), 0));
    }

    #[test]
    fn unmasking_is_byte_by_byte(payload in vec(any::<u8>(), 0..100), mask in any::<[u8; 4]>()) {
        let expected: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        let mut unmasked = payload;
        unmask(&mut unmasked, mask);
        prop_assert_eq!(unmasked, expected);
    }
}
