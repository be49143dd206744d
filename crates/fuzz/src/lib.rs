//! Attacks on what reads bytes that came from outside: each [`Target`] gives any bytes to one decoder that is shipped,
//! and asserts what must hold whatever the bytes are.
//!
//! The fuzzer's program (`src/main.rs`) runs one of them on inputs without end (`cargo xtask prove fuzz`); the tests run
//! all of them on the files in `inputs/`, where every input that ever broke something stays.

mod book;
mod device;
mod plan;
mod prepared;
mod target;

/// The simulator's second opinion on a log, without the simulator.
#[path = "../../sim/src"]
#[expect(unreachable_pub, reason = "there it is public")]
mod sim {
    pub(crate) mod fold;
}

mod bring;
mod down;
mod entry;
mod import_csv;
mod import_json;
mod import_splitwise;
mod kept;
mod ops;
mod push;
mod request;
mod snapshot;
mod socket;
mod stored;
mod typed;
mod up;
mod websocket;

pub use target::{Reading, Target};

/// By name, each with a folder of that name in `inputs/`.
pub const TARGETS: [Target; 16] = [
    Target::new("bring", bring::attack),
    Target::new("down", down::attack),
    Target::new("entry", entry::attack),
    Target::new("import_csv", import_csv::attack),
    Target::new("import_json", import_json::attack),
    Target::new("import_splitwise", import_splitwise::attack),
    Target::new("kept", kept::attack),
    Target::new("ops", ops::attack),
    Target::new("push", push::attack),
    Target::new("request", request::attack),
    Target::new("snapshot", snapshot::attack),
    Target::new("socket", socket::attack),
    Target::new("stored", stored::attack),
    Target::new("typed", typed::attack),
    Target::new("up", up::attack),
    Target::new("websocket", websocket::attack),
];
