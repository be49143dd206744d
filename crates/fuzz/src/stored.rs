//! Rows of a device's store, by whichever version of the app they were written, and in whatever state the disk is.

use tidebook_replica::{Keeps, Lacking, Stored};

use crate::Reading;
use crate::book::BOOK;
use crate::device::Device;
use crate::target::lines;

/// Each line is a row, and says by its first character which: `h` the head, `s` the state, `e` an entry, `o` one of the outbox, `r` a
/// rejection, `c` a confirmed mutation. What does not read changes nothing, nothing typed before is lost, and what is
/// written then can be read.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let rows = |kind: u8| lines(bytes).filter(move |line| line.0 == kind).map(|(_, text)| text.to_owned());
    let mut device = Device::new(Keeps::InStore);
    device.type_something();
    let head = rows(b'h').next().unwrap_or_default();
    let Ok(lacking) = Lacking::all_of(&head) else { return Reading::Refused };
    let (state, entries) = (rows(b's').next(), rows(b'e').collect());
    let (outbox, rejections) = (rows(b'o').collect(), rows(b'r').collect());
    let stored = Stored { lacking, head, state, entries, outbox, rejections };

    let before = device.copy().view().hash();
    if device.replica.handle_stored(BOOK, &stored).is_err() {
        assert_eq!(device.copy().view().hash(), before, "what does not read changes nothing");
        device.check_nothing_is_lost(&[]);
        return Reading::Refused;
    }
    device.type_something();
    write(&mut device, rows(b'c').collect());
    device.check_nothing_is_lost(bytes);
    Reading::Taken
}

/// Writes what there is to write, and reads it as another program would.
fn write(device: &mut Device, confirmed: Vec<String>) {
    if device.replica.wants_confirmed(BOOK) && device.replica.handle_confirmed(BOOK, confirmed).is_err() {
        return;
    }
    let Some(write) = device.replica.take_write(BOOK) else { return };
    device.replica.handle_written(BOOK);
    assert_eq!(device.replica.lacking(BOOK, &write.head).ok(), Some(None), "what it wrote it knows");
    device.wait();

    let mut other = Device::new(Keeps::InStore);
    let lacking = Lacking::all_of(&write.head).expect("a head that was written reads");
    let outbox = write.outbox.into_iter().filter_map(|(_, row)| row).collect();
    let rejections = write.rejections.into_iter().filter_map(|(_, row)| row).collect();
    let entries = write.entries.into_iter().map(|(_, row)| row).collect();
    let stored = Stored { lacking, head: write.head, state: write.state, entries, outbox, rejections };
    other.replica.handle_stored(BOOK, &stored).expect("what was written reads");
}
