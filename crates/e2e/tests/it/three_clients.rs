//! A browser, a terminal and a script in one book, while the line is cut at random. `cargo xtask prove three-clients` does
//! it for ten minutes.

use std::time::Instant;

use anyhow::ensure;
use tidebook_e2e::{Alone, journey, three_clients};

const ROUNDS: usize = 12;

#[test]
fn three_kinds_of_client_end_equal() {
    journey("three_kinds_of_client_end_equal", Alone::No, async |stage| {
        let found = three_clients(stage, ROUNDS, Instant::now()).await?;
        ensure!(found.by_terminal == ROUNDS && found.entries > ROUNDS * 3, "{found:?}");
        Ok(())
    });
}
