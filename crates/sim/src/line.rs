//! Lines between devices and the server, as TCP has them: in order, until they are not there any more.

use std::collections::VecDeque;

use tidebook_book::{BookId, Seq};

use crate::queue::Ms;
use crate::random::Random;

/// A line, and the server's socket at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineId(pub(crate) u64);

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// What comes out of an end of a line.
#[derive(Debug)]
pub(crate) enum Parcel {
    Text(Frame),
    Closed(Option<u16>),
}

/// A text frame. Of one on its way down: the entries it tells of.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) text: String,
    pub(crate) told: Option<(BookId, Vec<Seq>)>,
}

/// Who is at the device's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceEnd {
    /// The replica.
    Replica,
    /// Another tab of the same replica: it says what it is given to say, and lets the answers fall.
    OtherTab,
    /// A program that says what it likes; nobody reads the answers.
    Liar,
}

/// A socket, with what is on its way.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) client: usize,
    /// At whose end the server's socket is.
    pub(crate) node: usize,
    pub(crate) device_end: DeviceEnd,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
}

#[derive(Debug, Default)]
pub(crate) struct Pipe {
    /// When each comes out. Later ones never come sooner.
    parcels: VecDeque<(Ms, Parcel)>,
    /// Its end is in it or came out already; what is put in is lost without a word.
    dark: bool,
    /// Text that is put in is lost without a word.
    deaf: bool,
    stalled_until: Ms,
}

impl Line {
    pub(crate) fn new(client: usize, node: usize, device_end: DeviceEnd) -> Self {
        Self { client, node, device_end, up: Pipe::default(), down: Pipe::default() }
    }

    pub(crate) fn pipe(&mut self, way: Way) -> &mut Pipe {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    /// What is put in at either end comes out at the other.
    pub(crate) fn is_sound(&self) -> bool {
        ![&self.up, &self.down].into_iter().any(|pipe| pipe.dark || pipe.deaf)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.up.parcels.is_empty() && self.down.parcels.is_empty()
    }
}

impl Pipe {
    /// Puts something in, to come out then or right after what is in front of it; says when. `None`: it is lost.
    pub(crate) fn send(&mut self, due: Ms, parcel: Parcel) -> Option<Ms> {
        if self.dark || (self.deaf && matches!(parcel, Parcel::Text(_))) {
            return None;
        }
        let due = self.parcels.back().map_or(due, |(last, _)| due.max(*last)).max(self.stalled_until);
        self.parcels.push_back((due, parcel));
        Some(due)
    }

    /// Takes out the next, if it is due.
    pub(crate) fn take_due(&mut self, now: Ms) -> Option<Parcel> {
        let is_due = self.parcels.front().is_some_and(|(due, _)| *due <= now);
        is_due.then(|| self.parcels.pop_front()).flatten().map(|(_, parcel)| parcel)
    }

    /// Nothing comes out before then.
    pub(crate) fn stall_until(&mut self, until: Ms) {
        self.stalled_until = until;
        self.parcels.iter_mut().for_each(|(due, _)| *due = (*due).max(until));
    }

    /// Everything comes out now at the latest.
    pub(crate) fn hurry(&mut self, now: Ms) {
        self.stalled_until = now;
        self.parcels.iter_mut().for_each(|(due, _)| *due = (*due).min(now));
    }

    /// Nothing more goes in, and what went in comes out before it closes. Says when it does; `None`: it does already.
    pub(crate) fn close(&mut self, due: Ms, code: Option<u16>) -> Option<Ms> {
        let due = self.send(due, Parcel::Closed(code));
        self.dark = true;
        due
    }

    /// What is on its way still comes out, and of what is put in nothing but that it closes.
    pub(crate) fn go_deaf(&mut self) {
        self.deaf = true;
    }

    /// Loses all that is on its way.
    pub(crate) fn lose_all(&mut self) {
        self.keep(0);
    }

    /// Loses the last of what is on its way, or all of it, or nothing.
    pub(crate) fn lose_some(&mut self, random: &mut Random) {
        let kept = random.between(0, self.parcels.len() as u64);
        self.keep(usize::try_from(kept).expect("a count fits"));
    }

    /// That a line closes is never lost.
    fn keep(&mut self, count: usize) {
        let closed = self.dark.then(|| self.parcels.pop_back()).flatten();
        self.parcels.truncate(count);
        self.parcels.extend(closed);
    }
}
