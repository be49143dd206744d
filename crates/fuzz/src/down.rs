//! What a server says, to a device that somebody types into.

use tidebook_protocol::Down;
use tidebook_replica::Keeps;

use crate::Reading;
use crate::device::Device;
use crate::target::lines;

/// Each line says by its first character what happens: `>` a frame comes, `s` a snapshot comes, `m` somebody types, `t` time
/// passes, `c` the line is cut. Whatever comes, the device comes to rest, what it says reads, and nothing typed is lost.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let mut device = Device::new(Keeps::InMemory);
    let mut is_read = false;
    for (first, text) in lines(bytes) {
        match first {
            b'>' => {
                is_read |= reads(text);
                device.hear(text);
            }
            b's' => device.take_snapshot(text),
            b'm' => device.type_something(),
            b't' => device.wait(),
            _ => device.cut(),
        }
    }
    device.check_numbers();
    device.check_nothing_is_lost(bytes);
    Reading::taken_if(is_read)
}

/// Whether it is a frame, which then reads the same after it was written.
fn reads(text: &str) -> bool {
    match Down::parse(text) {
        Ok(Down::Unknown) | Err(_) => false,
        Ok(frame) => {
            let written = frame.encode();
            let again = Down::parse(&written).expect("what was written reads");
            assert_eq!(again.encode(), written);
            true
        }
    }
}
