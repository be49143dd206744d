//! The servers that are measured beside ours are started and used as the load uses them.

use std::process::Command;

fn try_peer(name: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidebook-bench"));
    let output = command.args(["peers", "try", name]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with(&format!("{name}: 30 deliveries")), "{said}");
}

#[test]
fn bare_copies_every_event_to_everybody() {
    try_peer("bare");
}

#[test]
fn naive_sends_every_event_to_everybody() {
    try_peer("naive");
}

#[test]
fn naive_durable_sends_every_event_to_everybody() {
    try_peer("naive-durable");
}
