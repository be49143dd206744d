//! Ten clients lose the network for 300 seconds, again and again and each at another time, while 40 mutations a second are
//! made: once all are back and it is quiet, all is drained and equal within 5 seconds.

use super::words::{amount, gave, note, someone};
use super::world::{SECOND, World};

const CLIENTS: usize = 10;
/// 40 mutations a second.
const EVERY_MS: u64 = 25;
const CUT_MS: u64 = 300 * SECOND;
const UP_MS: u64 = 20 * SECOND;
const ROUNDS: u64 = 2;
/// Each client's partitions begin so much after those of the one before.
const APART_MS: u64 = 2 * SECOND;
const QUIET_MS: u64 = 5 * SECOND;

/// Whether a client is cut off. The last partition goes on until all end at once.
fn is_cut(client: usize, now: u64) -> bool {
    const PERIOD_MS: u64 = CUT_MS + UP_MS;
    let since = now.checked_sub(UP_MS + client as u64 * APART_MS);
    since.is_some_and(|since| since >= (ROUNDS - 1) * PERIOD_MS || since % PERIOD_MS < CUT_MS)
}

#[test]
fn ten_clients_flapping_through_300_s_partitions_are_drained_and_equal_within_5_s_of_quiet() {
    let mut world = World::new();
    for person in 0..CLIENTS as u128 {
        world.device(person);
    }
    world.settle();
    world.write(0, (0..CLIENTS as u128).map(someone).collect());
    world.settle();

    let ends_at = ROUNDS * (CUT_MS + UP_MS) + CLIENTS as u64 * APART_MS;
    let (mut made, mut cuts) = (0_usize, 0);
    while world.now < ends_at {
        for client in 0..CLIENTS {
            match (is_cut(client, world.now), world.tabs[client].is_offline) {
                (true, false) => {
                    world.cut(client);
                    cuts += 1;
                }
                (false, true) => world.mend(client),
                _ => {}
            }
        }
        write(&mut world, made);
        made += 1;
        world.run_for(EVERY_MS);
    }
    (0..CLIENTS).for_each(|client| world.mend(client));
    let took_ms = world.settle();

    assert!(took_ms <= QUIET_MS, "it took {took_ms} ms");
    world.check();
    assert_eq!(cuts, CLIENTS * ROUNDS as usize);
    // The log's two, and that of the contacts.
    assert_eq!(world.server.log.head().0 as usize, 3 + made, "each became one entry");
    assert!(made >= 25_000, "{made} mutations");
}

/// One mutation of the client whose turn it is: each has transactions of its own, and now and then one is made or another's is
/// changed, which may be late.
fn write(world: &mut World<tidebook_ledger::Ledger, tidebook_ledger::Ledger>, made: usize) {
    let (client, turn) = (made % CLIENTS, (made / CLIENTS) as u128);
    let own = client as u128 * 1_000 + turn / 64;
    let first_of_next = ((client + 1) % CLIENTS) as u128 * 1_000;
    let op = match turn % 64 {
        0 => gave(own, client as u128, 100),
        31 if turn > 64 => amount(first_of_next, 100 + i64::try_from(turn).expect("few turns")),
        _ => note(own, &format!("{turn} of {client}")),
    };
    world.write(client, vec![op]);
}
