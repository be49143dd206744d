//! Devices that go on from a copy of a store: numbers are given twice until somebody notices.

use tidebook_book::BookId;

use super::{Event, World};
use crate::check::Checked;
use crate::client::Client;
use crate::device::Device;
use crate::fault::Fault;
use crate::store::Store;

/// How old a copy is when it is gone on from.
const COPY_AGE_MS: (u64, u64) = (1, 600_000);

/// Devices of a run that came to be as copies, so that it stays short.
const COPIES_MAX: usize = 2;

impl World {
    /// Somebody makes a copy of all that is on a device.
    pub(super) fn copy_a_store(&mut self) {
        let index = self.any_device();
        let device = &mut self.devices[index];
        let Some(store) = device.store.as_ref().filter(|_| device.copy.is_none()) else { return };
        device.copy = Some(store.copied());
        let after = self.random.between(COPY_AGE_MS.0, COPY_AGE_MS.1);
        self.at_in(after, Event::UseCopy(index));
    }

    /// The copy is put on another device, or back on the same: there, what came since never was.
    pub(super) fn use_copy(&mut self, index: usize) -> Checked {
        let Some(store) = self.devices[index].copy.take().filter(|_| !self.weather.is_calm()) else { return Ok(()) };
        self.weather.note(Fault::Copied);
        self.devices[index].may_renew = true;
        let copies = self.devices.iter().filter(|device| device.is_copy).count();
        if self.random.one_in(2) && copies < COPIES_MAX {
            return self.add_copy(index, store);
        }
        let name = self.devices[index].name.clone();
        self.say(|| format!("{name} goes on from a copy of its store"));
        self.cut_power(index)?;
        self.checker.handle_store_gone(index);
        let device = &mut self.devices[index];
        (device.store, device.store_life) = (Some(store), device.store_life + 1);
        for tab in self.devices[index].tabs.clone() {
            let after = self.random.between(100, 20_000);
            self.at_in(after, Event::StartTab(tab));
        }
        Ok(())
    }

    fn add_copy(&mut self, of: usize, store: Store) -> Checked {
        let (name, user) = (format!("a copy of {}", self.devices[of].name), self.devices[of].user);
        let follows: std::collections::BTreeSet<BookId> = self.clients[self.devices[of].tabs[0]].follows.clone();
        let (index, number) = (self.clients.len(), self.devices.len());
        let mut device = Device::new(name.clone(), user, Some(store));
        (device.may_renew, device.is_copy) = (true, true);
        device.tabs.push(index);
        self.devices.push(device);
        self.clients.push(Client { follows, ..Client::new(name, number, user) });
        self.start_tab(index)
    }
}
