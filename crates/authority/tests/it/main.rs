//! The server half of the engine, driven by hand and then by a whole small world.

#[path = "../../../book/tests/it/checklist.rs"]
mod checklist;
mod log;
mod support;

mod batches;
mod bytes;
mod content;
mod interleavings;
mod numbers;
mod opening;
mod standing;

mod world;
mod worlds;
