//! Programs that start and end on a device: tabs that are opened and closed, and power that fails.

use tidebook_replica::Monotonic;

use super::{Event, World};
use crate::check::Checked;
use crate::device::Task;
use crate::fault::Fault;
use crate::line::Way;
use crate::store::Store;

/// A store is not opened before its device is up again.
const RESTARTS_MS: (u64, u64) = (500, 20_000);

impl World {
    /// A tab starts with what its device's store has.
    pub(super) fn start_tab(&mut self, index: usize) -> Checked {
        let client = &self.clients[index];
        if client.is_open || client.is_off(self.now) {
            return Ok(());
        }
        let number = client.device;
        if self.weather.may_strike(Fault::OtherRows, &mut self.random)
            && let Some(store) = self.devices[number].store.as_mut().filter(|store| store.has_rows())
        {
            store.pass_for_another_version();
            self.weather.note(Fault::OtherRows);
        }
        self.clients[index].is_newer = self.weather.may_strike(Fault::NewerApp, &mut self.random);
        let device = &self.devices[number];
        let (kept, life) = (device.store.as_ref().map(|store| store.replica), device.store_life);
        let replica = kept.unwrap_or_else(|| self.fresh_replica(index));
        let seed = self.random.next();
        self.clients[index].start(replica, kept.map(|_| life), seed);
        let name = self.clients[index].name.clone();
        self.say(|| format!("{name} starts, keeping: {}", kept.is_some()));
        for book in self.clients[index].follows.clone() {
            self.checker.handle_started(index, book);
            match kept {
                Some(_) => self.begin(index, Task::Open(book)),
                None => self.clients[index].open_book(book),
            }
        }
        self.clients[index].replica.connect_now(Monotonic(self.now));
        self.serve(index)
    }

    /// A tab ends without a word. A transaction of its that runs is done, or not.
    pub(super) fn end_tab(&mut self, index: usize) -> Checked {
        if !self.clients[index].is_open {
            return Ok(());
        }
        let name = self.clients[index].name.clone();
        self.say(|| format!("{name} ends"));
        self.end_its_transactions(index);
        self.checker.handle_ended(index, &self.clients[index]);
        if let Some(id) = self.clients[index].line {
            if let Some(line) = self.lines.get_mut(&id) {
                line.down.lose_all();
                line.up.lose_some(&mut self.random);
            }
            let after = self.random.below(20_000);
            self.close_pipe(id, Way::Up, after, None);
        }
        self.snapshots_asked.retain(|(_, (client, _))| *client != index);
        self.clients[index].end();
        Ok(())
    }

    fn end_its_transactions(&mut self, index: usize) {
        let device = self.clients[index].device;
        self.devices[device].waiting.retain(|waiting| waiting.client != index);
        let is_its = |running: &mut crate::device::Transaction| running.client == index;
        if let Some(running) = self.devices[device].running.take_if(is_its) {
            let is_done = self.random.one_in(2);
            self.finish_unheard(device, running, is_done);
            self.run_next(device);
        }
    }

    /// The program that began it is gone, and hears no more of it.
    fn finish_unheard(&mut self, device: usize, transaction: crate::device::Transaction, is_done: bool) {
        let crate::device::Transaction { client, task, stage, .. } = transaction;
        let device = &mut self.devices[device];
        let is_there = self.clients[client].keeps_in == Some(device.store_life) && device.full_until <= self.now;
        let Some(store) = device.store.as_mut().filter(|_| is_done && is_there) else { return };
        match (task, stage) {
            (Task::Write(book, lasting), crate::device::Stage::Commit(Some(write))) => {
                store.write(book, *write, lasting);
            }
            (Task::Renew { outworn, fresh }, crate::device::Stage::Commit(None)) if store.replica == outworn => {
                store.replica = fresh;
            }
            _ => {}
        }
    }

    /// A tab of some device is closed, and perhaps opened again, or another is opened.
    pub(super) fn open_or_close(&mut self) -> Checked {
        let several: Vec<usize> = (0..self.clients.len())
            .filter(|index| {
                !self.clients[*index].is_off(self.now) && self.clients[*index].keeps_in.is_some()
                    || !self.clients[*index].is_open
            })
            .collect();
        let Some(index) = self.random.pick(&several).copied() else { return Ok(()) };
        if !self.clients[index].is_open {
            return self.start_tab(index);
        }
        self.weather.note(Fault::TabKilled);
        self.end_tab(index)?;
        let after = self.random.between(RESTARTS_MS.0, RESTARTS_MS.1);
        self.at_in(after, Event::StartTab(index));
        Ok(())
    }

    /// A device is without power from one moment to the next: what its store did not say it has is gone, or not.
    pub(super) fn cut_power(&mut self, device: usize) -> Checked {
        for index in self.devices[device].tabs.clone() {
            self.end_tab(index)?;
        }
        self.devices[device].waiting.clear();
        self.devices[device].running = None;
        let Some(store) = &mut self.devices[device].store else { return Ok(()) };
        let kept = self.random.between(0, store.unsynced() as u64);
        store.lose_unsynced(usize::try_from(kept).expect("a count fits"));
        Ok(())
    }

    /// Somebody deletes what the browser keeps of this app, or the browser does so by itself.
    pub(super) fn delete_store(&mut self) -> Checked {
        let kept: Vec<usize> = (0..self.devices.len()).filter(|device| self.devices[*device].store.is_some()).collect();
        let Some(device) = self.random.pick(&kept).copied() else { return Ok(()) };
        self.weather.note(Fault::StoreGone);
        let name = self.devices[device].name.clone();
        self.say(|| format!("the store of {name} is deleted"));
        self.checker.handle_store_gone(device);
        let index = self.devices[device].tabs[0];
        let fresh = self.fresh_replica(index);
        if self.devices[device].tabs.len() > 1 {
            self.checker.note_shared(fresh);
        }
        let device = &mut self.devices[device];
        (device.store, device.store_life) = (Some(Store::new(fresh)), device.store_life + 1);
        Ok(())
    }
}
