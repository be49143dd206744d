//! The engine's common ground, on a domain that has nothing to do with money.

mod checklist;

mod format;
mod state;
