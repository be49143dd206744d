//! A WebSocket client that writes bytes: frames that no library would send, and cuts where no library would cut.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::person::Person;
use crate::raw::PATIENCE;

const MASK: [u8; 4] = [1, 2, 3, 4];

/// A frame as a client sends it, whatever its first byte says.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = announced(first, payload.len() as u64);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// The beginning of a frame whose payload is to have so many bytes.
pub(crate) fn announced(first: u8, bytes: u64) -> Vec<u8> {
    let mut frame = vec![first];
    match (u8::try_from(bytes), u16::try_from(bytes)) {
        (Ok(short @ 0..126), _) => frame.push(0x80 | short),
        (_, Ok(medium)) => {
            frame.push(0x80 | 126);
            frame.extend(medium.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend(bytes.to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame
}

/// What a handshake begins with.
pub(crate) fn request(address: SocketAddr, path: &str, lines: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    )
}

/// An open line.
pub(crate) struct Line {
    pub(crate) stream: TcpStream,
}

impl Line {
    /// Writes the handshake, and what comes right behind it without an answer being waited for.
    pub(crate) async fn open(address: SocketAddr, path: &str, lines: &str, behind: &[u8]) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a line");
        let sent = [request(address, path, lines).as_bytes(), behind].concat();
        stream.write_all(&sent).await.expect("a line that takes it");
        let mut line = Self { stream };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(line.take(1).await.expect("an answer"));
        }
        let head = String::from_utf8(head).expect("text");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        line
    }

    /// A feed of the person's oldest book, which says `ready` and then nothing that isn't asked for.
    pub(crate) async fn feed(person: &Person) -> Self {
        let lines = format!("Authorization: {}\r\n", person.bearer());
        let mut line = Self::open(person.address, "/ws", &lines, &[]).await;
        let (first, payload) = line.frame().await.expect("a frame");
        assert!(first == 0x81 && payload.starts_with(br#"{"type":"ready""#));
        line
    }

    /// A server that has closed already is found out when reading.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _sent = self.stream.write_all(bytes).await;
    }

    /// The next frame's first byte and its payload; `None` at the end of the line.
    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let start = self.take(2).await?;
        let bytes = match start[1] {
            126 => u64::from(u16::from_be_bytes(self.take(2).await?.try_into().expect("two bytes"))),
            127 => u64::from_be_bytes(self.take(8).await?.try_into().expect("eight bytes")),
            bytes => u64::from(bytes),
        };
        Some((start[0], self.take(usize::try_from(bytes).expect("few bytes")).await?))
    }

    /// The code of the close frame that comes next but for text, and that nothing comes after.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.frame().await.expect("a close frame before the end of the line") {
                (0x81, _) => {}
                (0x88, payload) => {
                    assert_eq!(self.frame().await, None);
                    return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                }
                (first, _) => panic!("a frame that begins with {first:x}"),
            }
        }
    }

    async fn take(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let mut taken = vec![0; bytes];
        let read = timeout(PATIENCE, self.stream.read_exact(&mut taken)).await;
        read.expect("bytes, or the end of the line").is_ok().then_some(taken)
    }
}
