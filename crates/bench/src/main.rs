//! Load on a server, measured from outside, beside what else could carry it. Run by `cargo xtask bench`.

fn main() {}
