//! Frames as bytes (RFC 6455, section 5): [`Decoder`] reads what a client sends, the functions write what it is sent.
//! Neither touches a socket.

mod write;

#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod tests;

pub(crate) use write::{close, control, data, text};

/// What a frame is, as the four bits that say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    const fn of(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A whole message, of however many frames it was.
    Text(String),
    Binary(Vec<u8>),
    /// To be answered with a pong of the same payload.
    Ping(Vec<u8>),
    Pong,
    /// With its code, where there is one.
    Close(Option<u16>),
}

/// What a client did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// The bytes are no frames, or frames in no order. Nothing after it can be read.
    Protocol(&'static str),
    /// Text that is not UTF-8. Nothing after it can be read.
    NotText,
    /// A message beyond the bound. The decoder can go on: it passes over this message and all after it.
    TooLarge,
}

/// The longest payload of a control frame (RFC 6455, 5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// Two bytes, eight of length, four of mask.
const HEADER_BYTES_MAX: usize = 14;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;

/// Lengths that say that two or eight bytes of length follow.
const LENGTH_IN_2: u8 = 126;
const LENGTH_IN_8: u8 = 127;

/// Reads frames from bytes as they come, however they are cut. Between messages it holds no memory but itself.
#[derive(Debug)]
pub struct Decoder {
    /// Bytes of one message on the line, headers included: so that a message of endlessly many empty frames ends too.
    line_bytes_max: usize,
    /// As much of a frame's header as has come.
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: usize,
    /// The frame whose header is complete and whose payload is not.
    frame: Option<Frame>,
    message: Option<Message>,
    /// The payload of a control frame, which may come in the middle of a message.
    control: Vec<u8>,
    is_skipping: bool,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    mask: [u8; 4],
    /// How much of the payload is still to come.
    bytes_left: u64,
}

#[derive(Debug)]
struct Message {
    is_text: bool,
    payload: Vec<u8>,
    /// How much of a text is known to be UTF-8.
    checked: usize,
    /// What its frames so far have, or will have, on the line.
    line_bytes: u64,
}

impl Decoder {
    pub const fn new(line_bytes_max: usize) -> Self {
        Self {
            line_bytes_max,
            header: [0; HEADER_BYTES_MAX],
            header_bytes: 0,
            frame: None,
            message: None,
            control: Vec::new(),
            is_skipping: false,
        }
    }

    /// From now on messages are passed over, and only control frames are told of.
    pub(crate) fn skip_messages(&mut self) {
        self.is_skipping = true;
        self.message = None;
    }

    /// Takes from `input` up to and including the next event; `None` where it has taken all, and there is none yet.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Violation> {
        loop {
            let frame = match self.frame {
                Some(frame) => frame,
                None => match self.read_header(input)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            let frame = self.read_payload(frame, input)?;
            if frame.bytes_left > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            self.frame = None;
            if let Some(event) = self.finish(frame)? {
                return Ok(Some(event));
            }
        }
    }

    fn read_header(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        while self.header_bytes < self.header_bytes_wanted() {
            let Some((first, rest)) = input.split_first() else { return Ok(None) };
            *input = rest;
            self.header[self.header_bytes] = *first;
            self.header_bytes += 1;
            if self.header_bytes == 2 {
                self.check_header_start()?;
            }
        }
        let frame = self.parse_header()?;
        let line_bytes = frame.bytes_left.saturating_add(self.header_bytes as u64);
        self.header_bytes = 0;
        if !frame.opcode.is_control() && !self.is_skipping {
            // Kept from here on, so that it is skipped where it is too large.
            self.frame = Some(frame);
            self.begin(frame.opcode, line_bytes)?;
        }
        Ok(Some(frame))
    }

    fn header_bytes_wanted(&self) -> usize {
        if self.header_bytes < 2 {
            return 2;
        }
        match self.header[1] & LENGTH {
            LENGTH_IN_2 => 8,
            LENGTH_IN_8 => HEADER_BYTES_MAX,
            _ => 6,
        }
    }

    /// Refuses what the first two bytes show to be wrong, before any more has to come.
    fn check_header_start(&self) -> Result<(), Violation> {
        let [first, second, ..] = self.header;
        if first & RESERVED != 0 {
            return Err(Violation::Protocol("a reserved bit is set"));
        }
        let Some(opcode) = Opcode::of(first & OPCODE) else { return Err(Violation::Protocol("a reserved opcode")) };
        if second & MASKED == 0 {
            return Err(Violation::Protocol("a frame without a mask"));
        }
        if opcode.is_control() {
            if first & FINAL == 0 {
                return Err(Violation::Protocol("a control frame in fragments"));
            }
            if usize::from(second & LENGTH) > CONTROL_BYTES_MAX {
                return Err(Violation::Protocol("a control frame of more than 125 bytes"));
            }
        } else if !self.is_skipping && (opcode == Opcode::Continuation) != self.message.is_some() {
            return Err(Violation::Protocol(match opcode {
                Opcode::Continuation => "a continuation of nothing",
                _ => "a message within a message",
            }));
        }
        Ok(())
    }

    fn parse_header(&self) -> Result<Frame, Violation> {
        let [first, second, ext @ ..] = self.header;
        let [a, b, c, d, e, f, g, h, ..] = ext;
        let (bytes, is_shortest, mask_at) = match second & LENGTH {
            LENGTH_IN_2 => {
                let bytes = u64::from(u16::from_be_bytes([a, b]));
                (bytes, bytes >= u64::from(LENGTH_IN_2), 4)
            }
            LENGTH_IN_8 => {
                let bytes = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                (bytes, bytes > u64::from(u16::MAX), 10)
            }
            length => (u64::from(length), true, 2),
        };
        if !is_shortest || bytes > i64::MAX as u64 {
            return Err(Violation::Protocol("a length that is not written as it must be"));
        }
        let opcode = Opcode::of(first & OPCODE).ok_or(Violation::Protocol("a reserved opcode"))?;
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.header[mask_at..mask_at + 4]);
        Ok(Frame { opcode, is_final: first & FINAL != 0, mask, bytes_left: bytes })
    }

    /// A frame of a message begins: its first, or another.
    fn begin(&mut self, opcode: Opcode, line_bytes: u64) -> Result<(), Violation> {
        let is_text = opcode == Opcode::Text;
        let message = self.message.get_or_insert(Message { is_text, payload: Vec::new(), checked: 0, line_bytes: 0 });
        message.line_bytes = message.line_bytes.saturating_add(line_bytes);
        if message.line_bytes > self.line_bytes_max as u64 {
            self.skip_messages();
            return Err(Violation::TooLarge);
        }
        Ok(())
    }

    /// Takes of the frame's payload what is there. Memory is taken for what has come, never for what is announced.
    fn read_payload(&mut self, mut frame: Frame, input: &mut &[u8]) -> Result<Frame, Violation> {
        let bytes = usize::try_from(frame.bytes_left).map_or(input.len(), |left| left.min(input.len()));
        let (payload, rest) = input.split_at(bytes);
        *input = rest;
        frame.bytes_left -= bytes as u64;
        let kept = match &mut self.message {
            _ if frame.opcode.is_control() => &mut self.control,
            Some(message) => &mut message.payload,
            // Passed over.
            None => return Ok(frame),
        };
        let from = kept.len();
        kept.extend_from_slice(payload);
        unmask(&mut kept[from..], frame.mask);
        frame.mask.rotate_left(bytes % 4);
        let is_whole = frame.is_final && frame.bytes_left == 0;
        match &mut self.message {
            // A whole message is checked when it becomes a string.
            Some(message) if message.is_text && !frame.opcode.is_control() && !is_whole => message.check_text()?,
            _ => {}
        }
        Ok(frame)
    }

    /// All of a frame has come.
    fn finish(&mut self, frame: Frame) -> Result<Option<Event>, Violation> {
        Ok(Some(match frame.opcode {
            Opcode::Ping => Event::Ping(std::mem::take(&mut self.control)),
            Opcode::Pong => {
                self.control = Vec::new();
                Event::Pong
            }
            Opcode::Close => Event::Close(close_code(&std::mem::take(&mut self.control))?),
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                let Some(Message { is_text, payload, .. }) = self.message.take_if(|_| frame.is_final) else {
                    return Ok(None);
                };
                match is_text {
                    true => Event::Text(String::from_utf8(payload).map_err(|_| Violation::NotText)?),
                    false => Event::Binary(payload),
                }
            }
        }))
    }
}

impl Message {
    /// Wrong text is refused when it comes, not when the message ends; a character may still be cut in the middle.
    fn check_text(&mut self) -> Result<(), Violation> {
        match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation::NotText),
        }
        Ok(())
    }
}

/// What a close frame says: nothing, or a code and a reason, which is read by nobody here but must be text.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(Violation::Protocol("half a close code")),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    // Those of RFC 6455, 7.4, that may be sent, and those registered since; then libraries' and everyone's own.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("a close code that is none"));
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(Violation::NotText);
    }
    Ok(Some(code))
}

/// Eight bytes at a time, which compilers make into as many as the machine can.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = payload.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}
