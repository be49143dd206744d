//! The client half of the engine, driven by hand: every frame a server could send, and every frame it gets.

#[path = "../../../book/tests/it/checklist.rs"]
mod checklist;
mod shelf;
mod stage;

mod answers;
mod histories;
mod keeping;
mod kept_histories;
mod line;
mod new_replica;
mod offered_again;
mod outbox;
mod presence;
mod refused;
mod removed;
mod resume;
mod retried;
mod tabs_at_random;
mod view;
mod withdrawn;
