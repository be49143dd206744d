//! Attacks on what reads bytes that came from outside: each [`Target`] gives any bytes to one decoder that is shipped,
//! and asserts what must hold whatever the bytes are.
//!
//! The fuzzer's program (`src/main.rs`) runs one of them on inputs without end (`cargo xtask prove fuzz`); the tests run
//! all of them on the files in `inputs/`, where every input that ever broke something stays.

mod book;
mod device;
mod plan;
mod target;

/// The server's own source: what it reads sockets with touches none, and an HTTP server is much to build for a fuzzer.
#[path = "../../server/src/websocket"]
#[allow(dead_code, unused_imports, reason = "what writes frames is not attacked")]
mod server_websocket {
    pub(crate) mod frames;
}

/// The simulator's second opinion on a log, without the simulator, for the same reason.
#[path = "../../sim/src"]
#[expect(unreachable_pub, reason = "there it is public")]
mod sim {
    pub(crate) mod fold;
}

mod down;
mod entry;
mod import_csv;
mod import_json;
mod import_splitwise;
mod ops;
mod push;
mod snapshot;
mod socket;
mod stored;
mod typed;
mod up;
mod websocket;

pub use target::{Reading, Target};

/// By name, each with a folder of that name in `inputs/`.
pub const TARGETS: [Target; 13] = [
    Target::new("down", down::attack),
    Target::new("entry", entry::attack),
    Target::new("import_csv", import_csv::attack),
    Target::new("import_json", import_json::attack),
    Target::new("import_splitwise", import_splitwise::attack),
    Target::new("ops", ops::attack),
    Target::new("push", push::attack),
    Target::new("snapshot", snapshot::attack),
    Target::new("socket", socket::attack),
    Target::new("stored", stored::attack),
    Target::new("typed", typed::attack),
    Target::new("up", up::attack),
    Target::new("websocket", websocket::attack),
];
