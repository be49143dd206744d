//! What the pure crates cost: deciding, rebasing, opening, encoding, hashing. Run by `cargo xtask bench core`.

fn main() {}
