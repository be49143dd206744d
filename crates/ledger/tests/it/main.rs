//! The ledger's rules as tables, its changes at random against invariants, its sums against a second opinion, and books that
//! go out as files and come back.

mod deeds;
mod formats;
mod life;
mod reference;
mod rules;
mod stage;
mod sums;
