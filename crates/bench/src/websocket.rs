//! What a client of a WebSocket says, as bytes made beforehand.

use std::net::SocketAddr;

/// Any sixteen bytes do.
const KEY: &str = "dGlkZWJvb2stLWJlbmNoIQ==";

/// `headers`: more of them, each with its end of line.
pub(crate) fn upgrade(host: SocketAddr, path: &str, headers: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\n{headers}\r\n"
    )
    .into_bytes()
}

/// A whole text message in one frame (RFC 6455, section 5.2). A client must mask; a mask of zeros changes nothing.
pub(crate) fn text_frame(payload: &[u8], out: &mut Vec<u8>) {
    const FINAL_TEXT: u8 = 0x81;
    const MASKED: u8 = 0x80;
    out.push(FINAL_TEXT);
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..=125), _) => out.push(MASKED | short),
        (_, Ok(medium)) => {
            out.push(MASKED | 126);
            out.extend(medium.to_be_bytes());
        }
        _ => {
            out.push(MASKED | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_how_long_it_is() {
        for (length, head) in [
            (0, &[0x81, 0x80][..]),
            (125, &[0x81, 0xfd]),
            (126, &[0x81, 0xfe, 0, 126]),
            (0xffff, &[0x81, 0xfe, 0xff, 0xff]),
            (0x1_0000, &[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            text_frame(&vec![b'x'; length], &mut out);
            assert_eq!(&out[..head.len()], head);
            assert_eq!(out[head.len()..][..4], [0; 4]);
            assert_eq!(out.len(), head.len() + 4 + length);
        }
    }
}
