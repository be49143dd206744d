//! WebSocket frames of a client, as bytes that come in pieces.

use tidebook_server::websocket::frames::{Decoder, Event, Violation};

use crate::Reading;

/// Small, so that it is reached.
const LINE_BYTES_MAX: usize = 2_000;

/// What is heard does not depend on how the line cut it (the first byte says how), and no message is longer than any may
/// be: one that is too long is passed over, and all messages after it.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let Some((cut, bytes)) = bytes.split_first() else { return Reading::Refused };
    let piece_bytes = usize::from(*cut) + 1;
    let whole = heard(bytes, bytes.len().max(1));
    assert_eq!(heard(bytes, piece_bytes), whole, "in pieces of {piece_bytes} bytes");
    Reading::taken_if(!whole.0.is_empty())
}

/// All events, and what was wrong first.
fn heard(bytes: &[u8], piece_bytes: usize) -> (Vec<Event>, Option<Violation>) {
    let mut decoder = Decoder::new(LINE_BYTES_MAX);
    let (mut events, mut violation) = (Vec::new(), None);
    for mut piece in bytes.chunks(piece_bytes) {
        loop {
            match decoder.read(&mut piece) {
                Ok(Some(event)) => {
                    assert!(!is_message(&event) || violation.is_none(), "it is passed over");
                    assert!(payload_bytes(&event) <= LINE_BYTES_MAX);
                    events.push(event);
                }
                Ok(None) => break,
                Err(Violation::TooLarge) if violation.is_none() => violation = Some(Violation::TooLarge),
                Err(end) => return (events, Some(end)),
            }
        }
        assert!(piece.is_empty(), "a decoder that wants more has taken all there was");
    }
    (events, violation)
}

fn is_message(event: &Event) -> bool {
    matches!(event, Event::Text(_) | Event::Binary(_))
}

fn payload_bytes(event: &Event) -> usize {
    match event {
        Event::Text(text) => text.len(),
        Event::Binary(payload) | Event::Ping(payload) => payload.len(),
        Event::Pong | Event::Close(_) => 0,
    }
}
