//! A book's state, as a server sends it.

use serde_json::json;
use tidebook_book::{Domain as _, Seq, Snapshot};
use tidebook_ledger::Ledger;
use tidebook_replica::Keeps;

use crate::Reading;
use crate::book::BOOK;
use crate::device::Device;

/// What reads reads the same after it was written; a device takes it if it is what its hash says, can go on from it, and
/// is as it was where it is not.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let Some((text, mut snapshot)) = read(bytes) else { return Reading::Refused };
    let written = serde_json::to_string(&snapshot).expect("a snapshot serialises into memory");
    let again: Snapshot<Ledger> = serde_json::from_str(&written).expect("what was written reads");
    let hash = snapshot.clone().into_state().hash();
    assert_eq!(again.into_state().hash(), hash, "what was written reads the same");

    let is_as_it_says = snapshot.state_hash == hash || snapshot.state_version < Ledger::STATE_VERSION;
    let mut device = taking(&snapshot, text);
    let is_taken = is_as_it_says && snapshot.state_version <= Ledger::STATE_VERSION && snapshot.book == BOOK;
    assert_eq!(device.copy().seq(), if is_taken { snapshot.seq } else { Seq::ZERO });
    device.check_nothing_is_lost(bytes);

    // Whoever makes it up can make its hash, too.
    snapshot.state_hash = hash;
    snapshot.book = BOOK;
    snapshot.state_version = Ledger::STATE_VERSION;
    device = taking(&snapshot, &serde_json::to_string(&snapshot).expect("a snapshot serialises into memory"));
    assert_eq!((device.copy().seq(), device.copy().hash()), (snapshot.seq, snapshot.hash));
    device.type_something();
    device.check_numbers();
    device.check_nothing_is_lost(bytes);
    Reading::Taken
}

fn read(bytes: &[u8]) -> Option<(&str, Snapshot<Ledger>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some((text, serde_json::from_str(text).ok()?))
}

/// A device with something typed, which was told that it needs a snapshot.
fn taking(snapshot: &Snapshot<Ledger>, text: &str) -> Device {
    let mut device = Device::new(Keeps::InMemory);
    device.type_something();
    let (epoch, seq) = (snapshot.epoch, snapshot.seq);
    let required = json!({ "type": "snapshot_required", "book": BOOK, "epoch": epoch, "from_seq": null, "seq": seq });
    device.hear(&required.to_string());
    device.take_snapshot(text);
    device
}
