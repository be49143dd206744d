//! The half of a WebSocket that writes. The connection has it, and with it whoever publishes what many are sent.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Buf as _, Bytes};
use tokio::net::TcpStream;

/// Writes frames whole and in their order, whoever begins them.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(super) stream: TcpStream,
    /// What is left of frames that were begun.
    unsent: Mutex<VecDeque<Bytes>>,
}

/// How far a write came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    All,
    /// The line takes no more for now; the rest is kept.
    Some,
    /// There is nobody there any more.
    Cut,
}

impl Outlet {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, unsent: Mutex::default() }
    }

    /// Nothing that was begun is left to send.
    pub(super) fn is_free(&self) -> bool {
        self.unsent().is_empty()
    }

    /// Begins a frame behind those that were begun.
    pub(super) fn begin(&self, frame: Bytes) -> Written {
        let mut unsent = self.unsent();
        if unsent.is_empty() {
            return self.begin_on(&mut unsent, frame);
        }
        unsent.push_back(frame);
        self.write(&mut unsent)
    }

    /// Begins a frame, unless the line has not taken yet what was begun before. `None`: it has not.
    pub(crate) fn begin_if_free(&self, frame: &Bytes) -> Option<Written> {
        let mut unsent = self.unsent();
        unsent.is_empty().then(|| self.begin_on(&mut unsent, frame.clone()))
    }

    /// Waits until the line has taken all that was begun; false where there is nobody there any more.
    pub(crate) async fn taken(&self) -> bool {
        while self.stream.writable().await.is_ok() {
            match self.write_on() {
                Written::All => return true,
                Written::Some => {}
                Written::Cut => break,
            }
        }
        false
    }

    /// Writes as much as the line takes.
    pub(super) fn write_on(&self) -> Written {
        self.write(&mut self.unsent())
    }

    /// Where the line takes all of it at once this is one write, and nothing else.
    fn begin_on(&self, unsent: &mut VecDeque<Bytes>, mut frame: Bytes) -> Written {
        let written = self.write_of(&mut frame);
        if written != Written::All {
            unsent.push_back(frame);
        }
        written
    }

    fn write(&self, unsent: &mut VecDeque<Bytes>) -> Written {
        while let Some(first) = unsent.front_mut() {
            match self.write_of(first) {
                Written::All => drop(unsent.pop_front()),
                other => return other,
            }
        }
        // Lets go of its room: most lines are idle most of the time.
        *unsent = VecDeque::new();
        Written::All
    }

    fn write_of(&self, frame: &mut Bytes) -> Written {
        match self.stream.try_write(frame) {
            Ok(bytes) => frame.advance(bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Written::Cut,
        }
        if frame.is_empty() { Written::All } else { Written::Some }
    }

    fn unsent(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
