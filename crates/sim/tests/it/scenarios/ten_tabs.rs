//! Ten tabs over one store are opened and killed at random, while they are typed into and the network comes and goes: what
//! any of them called saved is in the book, once, and all that are open show the same.

use tidebook_ledger::Ledger;

use super::words::{amount, gave, someone};
use super::world::World;

const TABS: usize = 10;
const SEEDS: u64 = 8;
const ACTS: usize = 200;

#[test]
fn ten_tabs_opened_and_killed_at_random() {
    let (mut saved, mut kills) = (0, 0);
    for seed in 0..SEEDS {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut world = World::new();
        world.device(0);
        for _ in 1..TABS {
            world.tab(0, 0);
        }
        world.settle();
        world.write(0, vec![someone(1), gave(1, 1, 20)]);
        world.settle();
        for number in 0..ACTS {
            kills += usize::from(act(&mut world, &mut chance, number as u128));
            let ms = chance.below(40) as u64;
            world.run_for(ms);
        }
        for tab in 0..TABS {
            if world.tabs[tab].replica.is_none() {
                world.start(tab);
            }
            world.mend(tab);
        }
        world.settle();
        world.check();
        assert!(world.stores[0].shelf.outbox.is_empty(), "seed {seed}");
        assert!(world.tabs.iter().all(|tab| tab.copy().contradictions().count == 0), "seed {seed}");
        saved += world.tabs.iter().map(|tab| tab.saved.len()).sum::<usize>();
    }
    assert!(saved > 400 && kills > 150, "{saved} saved and {kills} killed prove little");
}

/// Something happens to one of the tabs; whether it was killed.
fn act(world: &mut World<Ledger, Ledger>, chance: &mut Chance, number: u128) -> bool {
    let tab = chance.below(TABS);
    if world.tabs[tab].replica.is_none() {
        world.start(tab);
        return false;
    }
    match chance.below(8) {
        0 | 1 => {
            world.kill(tab);
            return true;
        }
        2 if world.tabs[tab].is_offline => world.mend(tab),
        2 => world.cut(tab),
        3 if world.tabs[tab].copy().view().domain.transaction(super::words::transaction(1)).is_some() => {
            world.write(tab, vec![amount(1, 100 + i64::try_from(number).expect("few"))]);
        }
        _ => {
            world.write(tab, vec![someone(100 + number)]);
        }
    }
    false
}

/// xorshift64 (Marsaglia, 2003).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
