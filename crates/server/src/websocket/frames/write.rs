//! Writing frames. A server's are not masked and never in fragments, so each is its header and its payload.

use bytes::Bytes;

use super::{CONTROL_BYTES_MAX, FINAL, LENGTH_IN_2, LENGTH_IN_8, Opcode};

/// Two bytes, and eight of length.
const HEADER_BYTES_MAX: usize = 10;

/// A text frame, whole: any number of connections can write from this one buffer.
pub(crate) fn text(payload: &[u8]) -> Bytes {
    data(Opcode::Text, payload)
}

/// The same of either kind of message.
pub(crate) fn data(opcode: Opcode, payload: &[u8]) -> Bytes {
    frame(opcode, &[payload])
}

/// A ping or a pong; what is too long of its payload is cut off.
pub(crate) fn control(opcode: Opcode, payload: &[u8]) -> Bytes {
    frame(opcode, &[&payload[..payload.len().min(CONTROL_BYTES_MAX)]])
}

/// A close frame; a reason that is too long is cut, between two characters.
pub(crate) fn close(code: Option<u16>, reason: &str) -> Bytes {
    let Some(code) = code else { return frame(Opcode::Close, &[]) };
    let code = code.to_be_bytes();
    let fits = |at: &usize| reason.is_char_boundary(*at);
    let end = (0..=reason.len().min(CONTROL_BYTES_MAX - code.len())).rev().find(fits).unwrap_or(0);
    frame(Opcode::Close, &[&code, &reason.as_bytes()[..end]])
}

/// One frame whose payload is these parts.
fn frame(opcode: Opcode, parts: &[&[u8]]) -> Bytes {
    let payload_bytes: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = Vec::with_capacity(HEADER_BYTES_MAX + payload_bytes);
    frame.push(FINAL | opcode as u8);
    match (u8::try_from(payload_bytes), u16::try_from(payload_bytes)) {
        (Ok(short), _) if short < LENGTH_IN_2 => frame.push(short),
        (_, Ok(medium)) => {
            frame.push(LENGTH_IN_2);
            frame.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            frame.push(LENGTH_IN_8);
            frame.extend_from_slice(&(payload_bytes as u64).to_be_bytes());
        }
    }
    for part in parts {
        frame.extend_from_slice(part);
    }
    frame.into()
}
