//! Requests as an input spells them, and as they go over the line.

/// What one request has before its body, at most: more is refused before any of the server's own code sees it.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How long a body or the content of a frame is, is said by who sends it; what is said wrong the HTTP library finds out.
const SAID_HERE: [&str; 3] = ["content-length", "transfer-encoding", "expect"];

/// One request.
pub(crate) struct Spelled {
    /// As it goes over the line. Whoever asks for a socket has no body.
    pub(crate) bytes: Vec<u8>,
    pub(crate) method: Vec<u8>,
    /// What is said over the socket, if it opens: a text frame each. Where one is empty, an answer is waited for.
    pub(crate) frames: Vec<Vec<u8>>,
}

impl Spelled {
    /// `METHOD path?query`, a line for each header, an empty line, and the body. `None` where it is too long, or nothing.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let (head, body) = parts(text);
        let mut lines = head.split(|byte| *byte == b'\n');
        let asked = lines.next().filter(|line| !line.is_empty())?;
        let headers: Vec<&[u8]> = lines.filter(|line| !SAID_HERE.contains(&&*name_of(line))).collect();
        let wants_socket = headers.iter().any(|line| name_of(line) == "upgrade");

        let mut bytes = [asked, b" HTTP/1.1\r\n"].concat();
        headers.iter().for_each(|line| bytes.extend([line, &b"\r\n"[..]].concat()));
        if bytes.len() > HEAD_BYTES_MAX {
            return None;
        }
        let sent = if wants_socket { &[][..] } else { body };
        if !sent.is_empty() {
            bytes.extend(format!("content-length: {}\r\n", sent.len()).into_bytes());
        }
        // Last, so that nothing said before keeps the line open.
        bytes.extend(b"connection: close\r\n\r\n");
        bytes.extend(sent);
        let frames =
            if wants_socket { body.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect() } else { vec![] };
        Some(Self { bytes, method: asked.split(|byte| *byte == b' ').next().unwrap_or_default().to_vec(), frames })
    }

    /// Whether it may change nothing.
    pub(crate) fn is_safe(&self) -> bool {
        [&b"GET"[..], b"HEAD", b"OPTIONS", b"TRACE"].contains(&&*self.method)
    }
}

/// What is before the first empty line, and what is after it.
fn parts(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((text, &b""[..]), |at| (&text[..at], &text[at + 2..]));
    (without_end(head), without_end(body))
}

/// A file ends with a line's end.
fn without_end(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\n").unwrap_or(text)
}

fn name_of(line: &[u8]) -> String {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    String::from_utf8_lossy(name).trim().to_ascii_lowercase()
}

/// The requests of an input, between lines of `###`, with what stands for each of the words.
pub(crate) fn requests(input: &[u8], words: &[(&str, String)]) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let texts = lines.split(|line| *line == b"###").map(|lines| lines.join(&b'\n'));
    texts.map(|text| filled_in(&text, words)).collect()
}

fn filled_in(text: &[u8], words: &[(&str, String)]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
        let (before, from) = rest.split_at(at);
        filled.extend(before);
        let word = words.iter().find(|(name, _)| from.starts_with(name.as_bytes()));
        let (meant, length) = word.map_or((&from[..1], 1), |(name, meant)| (meant.as_bytes(), name.len()));
        filled.extend(meant);
        rest = &from[length..];
    }
    filled.extend(rest);
    filled
}
