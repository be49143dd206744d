//! The local store is full, or gone: the app goes on in memory and says saved of nothing any more; what was typed reaches the
//! log once, also where a store that still has it is opened later.

use super::words::{someone, told};
use super::world::World;

#[test]
fn the_local_store_full() {
    let mut world = World::new();
    let ana = world.device(0);
    world.settle();
    world.cut(ana);
    let kept = world.write(ana, vec![someone(1)]);
    world.run_for(1_000);
    world.stores[0].is_full = true;
    let unkept = world.write(ana, vec![someone(2)]);
    world.run_for(1_000);
    let saved = &world.tabs[ana].saved;
    assert!(saved.contains(&kept) && !saved.contains(&unkept), "what does not fit is not called saved");
    assert!(world.tabs[ana].store.is_none());
    assert_eq!(world.tabs[ana].copy().unsaved(), 2, "it goes with the program");
    world.mend(ana);
    world.settle();
    world.check();
    let head = world.server.log.head();

    // Somebody makes room, and the next run finds what was kept.
    world.stores[0].is_full = false;
    world.kill(ana);
    assert_eq!(world.stores[0].shelf.outbox.len(), 1);
    let next = world.tab(0, 0);
    world.settle();
    world.check();
    assert_eq!(world.server.log.head(), head, "the log has both already");
    assert!(world.stores[0].shelf.outbox.is_empty());
    let third = world.write(next, vec![someone(3)]);
    world.settle();
    assert!(world.tabs[next].saved.contains(&third));
    assert_eq!(told(&world.tabs[next].copy().view().domain), "c1 someone 1; c2 someone 2; c3 someone 3; 0 open");
}

#[test]
fn the_local_store_gone() {
    let mut world = World::new();
    let ana = world.device(0);
    world.settle();
    world.write(ana, vec![someone(1)]);
    world.settle();
    // Under the program, while something waits.
    world.cut(ana);
    let waits = world.write(ana, vec![someone(2)]);
    world.run_for(1_000);
    world.lose_store(ana);
    let typed_after = world.write(ana, vec![someone(3)]);
    world.run_for(1_000);
    assert!(!world.tabs[ana].saved.contains(&typed_after));
    world.mend(ana);
    world.settle();
    world.check();
    assert!(world.seq_of(waits) < world.seq_of(typed_after));

    // And between two runs: the device begins anew, and numbers given before are not given again.
    world.kill(ana);
    let anew = world.device(0);
    world.settle();
    world.write(anew, vec![someone(4)]);
    world.settle();
    world.check();
    let told = told(&world.tabs[anew].copy().view().domain);
    assert_eq!(told, "c1 someone 1; c2 someone 2; c3 someone 3; c4 someone 4; 0 open");
    assert_eq!(world.server.log.head().0, 2 + 4);
}
