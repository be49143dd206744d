//! Lines between clients and the server: in order, until they are not there any more.

use std::collections::VecDeque;

use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineId(pub(crate) u64);

/// What comes out of an end of a line.
#[derive(Debug)]
pub(crate) enum Parcel {
    Text(String),
    Closed,
}

/// A socket, with what is on its way.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) client: usize,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
}

#[derive(Debug, Default)]
pub(crate) struct Pipe {
    /// When each comes out. Later ones never come sooner.
    parcels: VecDeque<(u64, Parcel)>,
    /// Its end is in it or came out already; what is put in is lost without a word.
    dark: bool,
}

impl Line {
    pub(crate) fn new(client: usize) -> Self {
        Self { client, up: Pipe::default(), down: Pipe::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.up.parcels.is_empty() && self.down.parcels.is_empty()
    }

    /// The client notices at once, the server later, and may well get what was on its way.
    pub(crate) fn cut_for_the_client(&mut self, now: u64, random: &mut Random) {
        self.down.lose_all();
        self.down.close(now);
        self.up.lose_some(random);
        self.up.close(now + random.below(3_000));
    }

    /// The other way round.
    pub(crate) fn cut_for_the_server(&mut self, now: u64, random: &mut Random) {
        self.up.lose_all();
        self.down.lose_some(random);
        self.down.close(now + random.below(3_000));
    }

    /// Both directions lose what is put in from now on, one of them some of what is on its way too; both ends notice
    /// some time later.
    pub(crate) fn go_dark(&mut self, now: u64, random: &mut Random) {
        let ends_at = now + random.between(500, 3_000);
        if random.one_in(2) {
            self.up.lose_some(random)
        } else {
            self.down.lose_some(random)
        }
        self.up.close(ends_at);
        self.down.close(ends_at);
    }

    /// A line that is dark or closing closes now, and the others stay.
    pub(crate) fn end_of_the_storm(&mut self, now: u64) {
        for pipe in [&mut self.up, &mut self.down] {
            pipe.parcels.iter_mut().for_each(|(due, _)| *due = (*due).min(now));
        }
    }
}

impl Pipe {
    /// Puts something in, to come out then or right after what is in front of it.
    pub(crate) fn send(&mut self, due: u64, parcel: Parcel) {
        if !self.dark {
            let due = self.parcels.back().map_or(due, |(last, _)| due.max(*last));
            self.parcels.push_back((due, parcel));
        }
    }

    /// Takes out what is due.
    pub(crate) fn due(&mut self, now: u64) -> Vec<Parcel> {
        let count = self.parcels.iter().take_while(|(due, _)| *due <= now).count();
        self.parcels.drain(..count).map(|(_, parcel)| parcel).collect()
    }

    /// Nothing more goes in, and what went in comes out before it closes.
    pub(crate) fn close(&mut self, due: u64) {
        self.send(due, Parcel::Closed);
        self.dark = true;
    }

    /// Loses all that is on its way.
    pub(crate) fn lose_all(&mut self) {
        self.keep(0);
    }

    /// Loses the last of what is on its way, or all of it, or nothing.
    pub(crate) fn lose_some(&mut self, random: &mut Random) {
        self.keep(random.between(0, self.parcels.len() as u64) as usize);
    }

    /// That a line closes is never lost.
    fn keep(&mut self, count: usize) {
        let closed = self.dark.then(|| self.parcels.pop_back()).flatten();
        self.parcels.truncate(count);
        self.parcels.extend(closed);
    }
}
