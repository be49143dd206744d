//! What RFC 6455 asks of who reads frames, clause by clause.

use super::*;

const LINE_BYTES_MAX: usize = 1 << 20;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as a client sends it, whatever its first byte says.
pub(super) fn client_frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = frame_start(first, payload.len(), mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// The same without its payload.
fn frame_start(first: u8, bytes: usize, mask: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![first];
    match bytes {
        0..126 => frame.push(MASKED | u8::try_from(bytes).unwrap()),
        126..65536 => {
            frame.push(MASKED | LENGTH_IN_2);
            frame.extend(u16::try_from(bytes).unwrap().to_be_bytes());
        }
        _ => {
            frame.push(MASKED | LENGTH_IN_8);
            frame.extend((bytes as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame
}

fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    client_frame(first, payload.as_ref(), MASK)
}

/// All events until there are no more, and how it ended.
pub(super) fn events(decoder: &mut Decoder, mut input: &[u8]) -> (Vec<Event>, Result<(), Violation>) {
    let mut events = Vec::new();
    loop {
        match decoder.read(&mut input) {
            Ok(Some(event)) => events.push(event),
            Ok(None) => {
                assert!(input.is_empty(), "a decoder that says nothing has taken all");
                return (events, Ok(()));
            }
            Err(violation) => return (events, Err(violation)),
        }
    }
}

/// What comes of these frames, cut nowhere and cut everywhere.
fn read(frames: &[Vec<u8>]) -> (Vec<Event>, Result<(), Violation>) {
    let bytes = frames.concat();
    let at_once = events(&mut Decoder::new(LINE_BYTES_MAX), &bytes);
    let mut decoder = Decoder::new(LINE_BYTES_MAX);
    let mut in_bytes = (Vec::new(), Ok(()));
    for byte in bytes.chunks(1) {
        let (more, end) = events(&mut decoder, byte);
        in_bytes.0.extend(more);
        in_bytes.1 = end;
        if end.is_err() {
            break;
        }
    }
    assert_eq!(at_once, in_bytes);
    at_once
}

fn is_protocol_violation(frames: &[Vec<u8>]) -> bool {
    matches!(read(frames), (events, Err(Violation::Protocol(_))) if events.is_empty())
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

/// RFC 6455, 5.7.
#[test]
fn the_examples_of_the_rfc() {
    let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(read(&[hello.into()]), (vec![text("Hello")], Ok(())));
    let pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(read(&[pong.into()]), (vec![Event::Pong], Ok(())));
    assert_eq!(&super::text(b"Hello")[..], [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    assert_eq!(&control(Opcode::Ping, b"Hello")[..], [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    assert_eq!(&data(Opcode::Binary, &[7; 256])[..4], [0x82, 0x7e, 0x01, 0x00]);
    assert_eq!(&data(Opcode::Binary, &[7; 65536])[..10], [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
}

/// Each length of a length, on both sides of its bounds.
#[test]
fn messages_of_every_length() {
    for bytes in [0, 1, 7, 8, 9, 125, 126, 127, 65535, 65536, 65537] {
        let payload: Vec<u8> = (0..bytes).map(|at: usize| at.to_le_bytes()[0]).collect();
        assert_eq!(read(&[frame(0x82, &payload)]), (vec![Event::Binary(payload.clone())], Ok(())), "{bytes}");
        let written = data(Opcode::Binary, &payload);
        assert_eq!(
            written.len(),
            bytes
                + if bytes < 126 {
                    2
                } else if bytes < 65536 {
                    4
                } else {
                    10
                }
        );
        assert_eq!(&written[written.len() - bytes..], payload);
    }
}

/// 5.4: a message in fragments, with control frames between them.
#[test]
fn fragments_are_one_message() {
    let frames = [
        frame(0x01, "Ha"),
        frame(0x89, "are you there"),
        frame(0x00, ""),
        frame(0x8a, "unasked"),
        frame(0x00, "rbour"),
        frame(0x80, ""),
        frame(0x82, [1]),
    ];
    let ping = Event::Ping(b"are you there".to_vec());
    assert_eq!(read(&frames), (vec![ping, Event::Pong, text("Harbour"), Event::Binary(vec![1])], Ok(())));
    let empty = [frame(0x02, ""), frame(0x00, ""), frame(0x80, "")];
    assert_eq!(read(&empty), (vec![Event::Binary(vec![])], Ok(())));
}

/// 5.4: fragments of different messages don't mix, and only a message that has begun goes on.
#[test]
fn fragments_out_of_order_are_refused() {
    assert!(is_protocol_violation(&[frame(0x80, "x")]));
    assert!(is_protocol_violation(&[frame(0x00, "x")]));
    for first in [0x01, 0x81, 0x02, 0x82] {
        assert!(is_protocol_violation(&[frame(0x01, "x"), frame(first, "y")]), "{first:x}");
        assert!(is_protocol_violation(&[frame(0x02, "x"), frame(0x00, "y"), frame(first, "z")]), "{first:x}");
    }
    let after_a_whole_one = [frame(0x81, "x"), frame(0x80, "y")];
    assert!(matches!(read(&after_a_whole_one), (events, Err(Violation::Protocol(_))) if events == [text("x")]));
}

/// 5.2: reserved bits and opcodes, and what has no mask. Refused with the second byte, before anything more has come.
#[test]
fn what_is_reserved_is_refused() {
    for bit in [0x10, 0x20, 0x40] {
        for opcode in [0x80, 0x81, 0x82, 0x88, 0x89, 0x8a] {
            assert!(is_protocol_violation(&[vec![opcode | bit, MASKED]]), "{bit:x} {opcode:x}");
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert!(is_protocol_violation(&[vec![FINAL | opcode, MASKED]]), "{opcode}");
        assert!(is_protocol_violation(&[vec![opcode, MASKED]]), "{opcode}");
    }
    for opcode in [0x81, 0x82, 0x88, 0x89, 0x8a] {
        assert!(is_protocol_violation(&[vec![opcode, 5]]), "{opcode:x}");
    }
}

/// 5.5: control frames are short and whole.
#[test]
fn control_frames_are_short_and_whole() {
    for opcode in [8, 9, 10] {
        assert!(is_protocol_violation(&[vec![opcode, MASKED]]), "{opcode}");
        for length in [LENGTH_IN_2, LENGTH_IN_8] {
            assert!(is_protocol_violation(&[vec![FINAL | opcode, MASKED | length]]), "{opcode} {length}");
        }
    }
    assert_eq!(read(&[frame(0x89, [7; 125])]), (vec![Event::Ping(vec![7; 125])], Ok(())));
    assert_eq!(control(Opcode::Pong, &[7; 200]).len(), 2 + 125);
}

/// 5.2: the shortest way to write a length is the only one, and no length has its highest bit set.
#[test]
fn lengths_are_written_as_they_must_be() {
    let length_of = |ext: &[u8]| {
        let kind = if ext.len() == 2 { LENGTH_IN_2 } else { LENGTH_IN_8 };
        [&[0x82, MASKED | kind], ext, &MASK].concat()
    };
    assert!(is_protocol_violation(&[length_of(&[0, 125])]));
    assert_eq!(read(&[length_of(&[0, 126])]), (vec![], Ok(())));
    assert!(is_protocol_violation(&[length_of(&[0, 0, 0, 0, 0, 0, 0xff, 0xff])]));
    assert_eq!(read(&[length_of(&[0, 0, 0, 0, 0, 1, 0, 0])]), (vec![], Ok(())));
    assert!(is_protocol_violation(&[length_of(&[0x80, 0, 0, 0, 0, 0, 0, 0])]));
    assert_eq!(read(&[length_of(&[0x7f, 0, 0, 0, 0, 0, 0, 0])]), (vec![], Err(Violation::TooLarge)));
}

/// 8.1: text is UTF-8 as a whole, wherever it is cut, and is refused at the first byte that cannot be.
#[test]
fn text_is_utf8_across_fragments() {
    let word = "κόσμε 🏴";
    for cut in 0..=word.len() {
        let (start, end) = word.as_bytes().split_at(cut);
        assert_eq!(read(&[frame(0x01, start), frame(0x80, end)]), (vec![text(word)], Ok(())), "{cut}");
        let kept = std::str::from_utf8(start).is_ok();
        let expected = if kept { Ok(()) } else { Err(Violation::NotText) };
        assert_eq!(read(&[frame(0x81, start)]).1, expected, "{cut}");
    }
    for wrong in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xce\xce"] {
        assert_eq!(read(&[frame(0x01, wrong)]), (vec![], Err(Violation::NotText)), "{wrong:x?}");
        let mut unfinished = frame_start(0x81, 100, MASK);
        unfinished.extend(wrong.iter().zip(MASK).map(|(byte, key)| byte ^ key));
        assert_eq!(read(&[unfinished]), (vec![], Err(Violation::NotText)), "{wrong:x?}");
        assert_eq!(read(&[frame(0x82, wrong)]), (vec![Event::Binary(wrong.to_vec())], Ok(())));
    }
    assert_eq!(read(&[frame(0x01, b"\xf0\x9f"), frame(0x80, "x")]), (vec![], Err(Violation::NotText)));
}

/// 5.5.1 and 7.4: a close frame says nothing, or one of the codes that may be sent, and why.
#[test]
fn close_codes_are_of_those_that_may_be_sent() {
    assert_eq!(read(&[frame(0x88, "")]), (vec![Event::Close(None)], Ok(())));
    assert!(is_protocol_violation(&[frame(0x88, [3])]));
    let close_with = |code: u16| read(&[frame(0x88, code.to_be_bytes())]);
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
        assert_eq!(close_with(code), (vec![Event::Close(Some(code))], Ok(())));
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        assert!(matches!(close_with(code), (_, Err(Violation::Protocol(_)))), "{code}");
    }
    let because = |reason: &[u8]| read(&[frame(0x88, [&[3, 232], reason].concat())]);
    assert_eq!(because("κόσμε".as_bytes()), (vec![Event::Close(Some(1000))], Ok(())));
    assert_eq!(because(b"\xce").1, Err(Violation::NotText));
    assert!(because(&[b'x'; 123]).1.is_ok());
}

#[test]
fn a_reason_is_cut_to_fit_between_two_characters() {
    assert_eq!(&close(None, "unsaid")[..], [0x88, 0]);
    assert_eq!(&close(Some(4413), "too")[..], [0x88, 5, 0x11, 0x3d, b't', b'o', b'o']);
    let written = close(Some(1000), &"é".repeat(100));
    assert_eq!(written.len(), 2 + 2 + 122);
    assert_eq!(std::str::from_utf8(&written[4..]).unwrap(), "é".repeat(61));
}

/// A bound is kept by what is announced, and by the sum of fragments, on both sides of it.
#[test]
fn a_message_has_a_bound() {
    let small = |frames: &[Vec<u8>]| events(&mut Decoder::new(100), &frames.concat());
    assert_eq!(small(&[frame(0x82, [7; 94])]), (vec![Event::Binary(vec![7; 94])], Ok(())));
    assert_eq!(small(&[frame_start(0x82, 95, MASK)]), (vec![], Err(Violation::TooLarge)));
    let halves = |bytes: usize| [frame(0x02, vec![7; 44]), frame(0x80, vec![7; bytes])];
    assert_eq!(small(&halves(44)), (vec![Event::Binary(vec![7; 88])], Ok(())));
    assert_eq!(small(&halves(45)), (vec![], Err(Violation::TooLarge)));
    // Of empty fragments there are not endlessly many.
    let empty = [vec![frame(0x02, "")], vec![frame(0x00, ""); 16]].concat();
    assert_eq!(small(&empty), (vec![], Err(Violation::TooLarge)));
    assert_eq!(small(&empty[..16]), (vec![], Ok(())));
    // Each message has it for itself, and pings don't count.
    let many = vec![frame(0x82, [7; 94]), frame(0x89, [7; 94]), frame(0x82, [7; 94])];
    assert_eq!(small(&many).0.len(), 3);
}

/// After a message that is too large, control frames are heard all the same.
#[test]
fn what_is_too_large_is_passed_over() {
    let mut decoder = Decoder::new(100);
    assert_eq!(events(&mut decoder, &frame_start(0x01, 1000, MASK)), (vec![], Err(Violation::TooLarge)));
    let rest = [vec![0xff; 1000], frame(0x89, "ping"), frame(0x80, [0xff; 9]), frame(0x81, "x"), frame(0x88, "")];
    let expected = vec![Event::Ping(b"ping".to_vec()), Event::Close(None)];
    assert_eq!(events(&mut decoder, &rest.concat()), (expected, Ok(())));
    assert!(decoder.message.is_none());
}

/// Memory is taken for what has come, not for what is announced, and given back with the message.
#[test]
fn an_announcement_takes_no_memory() {
    let mut decoder = Decoder::new(LINE_BYTES_MAX);
    let start = frame_start(0x82, LINE_BYTES_MAX / 2, MASK);
    assert_eq!(events(&mut decoder, &start), (vec![], Ok(())));
    let held = |decoder: &Decoder| decoder.message.as_ref().map_or(0, |message| message.payload.capacity());
    assert_eq!(held(&decoder), 0);
    assert_eq!(events(&mut decoder, &[7; 1000]), (vec![], Ok(())));
    assert!((1000..3000).contains(&held(&decoder)));
    assert_eq!(events(&mut decoder, &vec![7; LINE_BYTES_MAX / 2 - 1000]).0.len(), 1);
    assert_eq!(events(&mut decoder, &frame(0x89, "ping")).0.len(), 1);
    assert_eq!((held(&decoder), decoder.control.capacity()), (0, 0));
}
