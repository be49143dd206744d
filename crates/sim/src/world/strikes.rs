//! Faults that come at a time of their own.

use tidebook_protocol::{Hello, PROTOCOL, Up};

use super::{Event, Strike, World};
use crate::check::Checked;
use crate::fault::Fault;
use crate::line::{DeviceEnd, Frame, LineId, Parcel, Way};

const STRIKES: [(Strike, Fault); 23] = [
    (Strike::Cut, Fault::Cut),
    (Strike::HalfOpen, Fault::HalfOpen),
    (Strike::Deaf, Fault::Deaf),
    (Strike::Stall, Fault::Stall),
    (Strike::DuplicatePush, Fault::DuplicatePush),
    (Strike::LatePush, Fault::LatePush),
    (Strike::SlowReader, Fault::SlowReader),
    (Strike::Offline, Fault::Offline),
    (Strike::DeviceOff, Fault::DeviceOff),
    (Strike::Crash, Fault::Crash),
    (Strike::Restore, Fault::Restored),
    (Strike::Archive, Fault::Archived),
    (Strike::Drain, Fault::Drain),
    (Strike::RoleChange, Fault::RoleChange),
    (Strike::Removal, Fault::Removal),
    (Strike::LongAway, Fault::LongAway),
    (Strike::DiskFull, Fault::DiskFull),
    (Strike::Lie, Fault::Liar),
    (Strike::PowerCut, Fault::PowerCut),
    (Strike::OpenOrClose, Fault::TabKilled),
    (Strike::StoreFull, Fault::StoreFull),
    (Strike::StoreGone, Fault::StoreGone),
    (Strike::Copy, Fault::Copied),
];

/// A server that believes in a dead line does so for this long, or until it has written too much to it.
const HALF_OPEN_MS: (u64, u64) = (20_000, 90_000);

/// Who is away for so long comes back when all is over.
const YEAR_MS: u64 = 365 * 24 * 3_600_000;

impl World {
    /// Most come while people work, the others while they rest.
    pub(super) fn plan_strikes(&mut self, works_ms: u64, within_ms: u64) {
        for (strike, fault) in STRIKES {
            let rate = self.weather.rate(fault);
            let whole = rate / 1000;
            let more = u32::from(self.random.per_mille(rate % 1000));
            for _ in 0..whole + more {
                let before = if self.random.one_in(3) { within_ms } else { works_ms };
                let after = self.random.below(before);
                self.at_in(after, Event::Strike(strike));
            }
        }
    }

    pub(super) fn strike(&mut self, strike: Strike) -> Checked {
        if self.weather.is_calm() {
            return Ok(());
        }
        match strike {
            Strike::Crash => match self.any_node() {
                None => Ok(()),
                Some(node) => {
                    self.weather.note(Fault::Crash);
                    self.crash(node, None)
                }
            },
            Strike::Restore => self.restore(),
            Strike::Archive => self.archive(),
            Strike::Drain => self.drain(),
            Strike::RoleChange => self.change_members(false),
            Strike::Removal => self.change_members(true),
            Strike::DuplicatePush | Strike::LatePush => self.push_again(matches!(strike, Strike::LatePush)),
            Strike::DiskFull => {
                self.full_until = self.now + self.random.between(1_000, 60_000);
                Ok(())
            }
            Strike::Lie => self.lie(),
            Strike::OpenOrClose => self.open_or_close(),
            Strike::StoreGone => self.delete_store(),
            Strike::Copy => {
                self.copy_a_store();
                Ok(())
            }
            Strike::StoreFull => {
                let device = self.any_device();
                self.devices[device].full_until = self.now + self.random.between(1_000, 60_000);
                Ok(())
            }
            Strike::SlowReader => self.slow_down(),
            Strike::Offline | Strike::DeviceOff | Strike::PowerCut | Strike::LongAway => self.strike_device(strike),
            Strike::Cut | Strike::HalfOpen | Strike::Deaf | Strike::Stall => self.strike_line(strike),
        }
    }

    fn strike_line(&mut self, strike: Strike) -> Checked {
        let lines: Vec<LineId> = self.clients.iter().filter_map(|client| client.line).collect();
        let Some(id) = self.random.pick(&lines).copied() else { return Ok(()) };
        let name = self.line_name(id);
        self.say(|| format!("{strike:?} on {name}"));
        match strike {
            Strike::Cut => {
                self.weather.note(Fault::Cut);
                self.cut(id);
            }
            Strike::HalfOpen => {
                self.weather.note(Fault::HalfOpen);
                self.half_open(id);
            }
            Strike::Deaf => {
                self.weather.note(Fault::Deaf);
                self.go_deaf(id);
            }
            _ => {
                self.weather.note(Fault::Stall);
                self.stall(id);
            }
        }
        Ok(())
    }

    /// One side notices at once, the other later, and may well get some of what was on its way.
    fn cut(&mut self, id: LineId) {
        let (first, last) = if self.random.one_in(2) { (Way::Down, Way::Up) } else { (Way::Up, Way::Down) };
        let after = self.random.below(3_000);
        if let Some(line) = self.lines.get_mut(&id) {
            line.pipe(first).lose_all();
            line.pipe(last).lose_some(&mut self.random);
        }
        self.close_pipe(id, first, 0, None);
        self.close_pipe(id, last, after, None);
    }

    /// The device comes back over another line soon; the server believes in this one for long.
    fn half_open(&mut self, id: LineId) {
        if let Some(line) = self.lines.get_mut(&id) {
            line.down.lose_all();
            line.up.lose_some(&mut self.random);
        }
        let after = self.random.between(HALF_OPEN_MS.0, HALF_OPEN_MS.1);
        self.close_pipe(id, Way::Down, 0, None);
        self.close_pipe(id, Way::Up, after, None);
    }

    /// Nothing comes out of one direction for a while.
    fn stall(&mut self, id: LineId) {
        let way = if self.random.one_in(2) { Way::Up } else { Way::Down };
        let lasts_ms = self.random.between(1_000, 15_000);
        let until = self.now + lasts_ms;
        if way == Way::Up {
            self.plan_not_heard(id, lasts_ms);
        }
        if let Some(line) = self.lines.get_mut(&id) {
            line.pipe(way).stall_until(until);
        }
        self.queue.put(until, Event::Deliver(id, way));
    }

    pub(super) fn any_device(&mut self) -> usize {
        usize::try_from(self.random.below(self.devices.len() as u64)).expect("few devices")
    }

    /// One tab stops reading for a while.
    fn slow_down(&mut self) -> Checked {
        let index = usize::try_from(self.random.below(self.clients.len() as u64)).expect("few tabs");
        let name = self.clients[index].name.clone();
        self.say(|| format!("{name} is slow to read"));
        self.weather.note(Fault::SlowReader);
        self.clients[index].reads_at = self.now + self.random.between(2_000, 30_000);
        Ok(())
    }

    fn strike_device(&mut self, strike: Strike) -> Checked {
        let device = self.any_device();
        let tabs = self.devices[device].tabs.clone();
        if tabs.iter().any(|index| self.clients[*index].is_off(self.now)) {
            return Ok(());
        }
        let name = self.devices[device].name.clone();
        self.say(|| format!("{strike:?} at {name}"));
        let (fault, lasts_ms) = match strike {
            Strike::Offline => (Fault::Offline, self.random.between(2_000, 400_000)),
            Strike::LongAway => (Fault::LongAway, YEAR_MS),
            Strike::PowerCut => (Fault::PowerCut, self.random.between(1_000, 900_000)),
            _ => (Fault::DeviceOff, self.random.between(1_000, 900_000)),
        };
        self.weather.note(fault);
        let until = self.now + lasts_ms;
        if fault == Fault::Offline {
            for index in tabs {
                self.clients[index].offline_until = until;
                self.lose_line(index)?;
            }
            return Ok(());
        }
        // Who comes back after a year does so with what was stored, or has only slept.
        if fault == Fault::PowerCut || (fault == Fault::LongAway && self.random.one_in(2)) {
            self.cut_power(device)?;
        }
        for index in tabs {
            if self.clients[index].is_open {
                self.lose_line(index)?;
            }
            self.clients[index].off_until = until;
            self.at_in(lasts_ms, Event::SwitchOn(index));
        }
        Ok(())
    }

    /// The device notices at once; the server may for long not.
    fn lose_line(&mut self, index: usize) -> Checked {
        if let Some(id) = self.clients[index].line {
            if let Some(line) = self.lines.get_mut(&id) {
                line.down.lose_all();
                line.up.lose_some(&mut self.random);
            }
            let after = self.random.below(60_000);
            self.close_pipe(id, Way::Up, after, None);
            self.clients[index].handle_closed(self.now, None);
        }
        self.serve(index)
    }

    /// Another tab of a device sends a push that was sent before: the latest, or one of some time ago.
    fn push_again(&mut self, late: bool) -> Checked {
        let sent: Vec<usize> =
            (0..self.clients.len()).filter(|index| !self.clients[*index].pushes.is_empty()).collect();
        let Some(index) = self.random.pick(&sent).copied() else { return Ok(()) };
        if self.clients[index].is_offline(self.now) || self.clients[index].is_off(self.now) {
            return Ok(());
        }
        let Some(node) = self.any_node() else { return Ok(()) };
        self.weather.note(if late { Fault::LatePush } else { Fault::DuplicatePush });
        let pushes = &self.clients[index].pushes;
        let push = if late { self.random.pick(pushes) } else { pushes.last() };
        let push = push.expect("it has sent some").clone();
        let (replica, client) = (self.clients[index].author().replica, "sim/1".into());
        let hello = Up::Hello(Hello { protocol: PROTOCOL, replica, client, token: None }).encode();
        let name = self.clients[index].name.clone();
        self.say(|| format!("another tab of {name} pushes again, late: {late}"));
        let id = self.open_line(index, node, DeviceEnd::OtherTab);
        for text in [hello, push] {
            self.put(id, Way::Up, Parcel::Text(Frame { text, told: None }));
        }
        let after = self.random.between(500, 20_000);
        self.close_pipe(id, Way::Up, after, None);
        Ok(())
    }
}
