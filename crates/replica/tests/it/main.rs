//! The client half of the engine, driven by hand: every frame a server could send, and every frame it gets.

#[path = "../../../book/tests/it/checklist.rs"]
mod checklist;
mod stage;

mod line;
mod outbox;
mod refused;
mod resume;
mod view;
