//! The ledger's rules as tables, its changes at random against invariants, and its sums against a second opinion.

mod life;
mod rules;
mod stage;
mod sums;
