//! A crash at every step: whatever a store, the disk or a line just did, a program or the server dies before the next of it.
//! The person starts the program again and types again what it does not show; all end with what a run without a crash has.

use tidebook_ledger::{Ledger, LedgerOp, LedgerState};

use super::words::{amount, contact, gave, name, note, someone, told, transaction};
use super::world::{SECOND, World};

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Tab(usize),
    Server,
}

const ANA: usize = 0;
const BEN: usize = 1;
const VICTIMS: [Victim; 3] = [Victim::Tab(ANA), Victim::Tab(BEN), Victim::Server];

/// Something a person does, and how they see that it is done.
struct Act {
    tab: usize,
    ops: fn() -> Vec<LedgerOp>,
    shows: fn(&LedgerState) -> bool,
    /// What passes before the next act.
    then_ms: u64,
}

/// Short times lie within what is on its way; Ben is without a network in the middle.
const ACTS: [Act; 6] = [
    Act { tab: ANA, ops: || vec![someone(1)], shows: |state| state.contact(contact(1)).is_some(), then_ms: 5 },
    Act {
        tab: ANA,
        ops: || vec![gave(1, 1, 500)],
        shows: |state| state.transaction(transaction(1)).is_some(),
        then_ms: 150,
    },
    Act {
        tab: BEN,
        ops: || vec![someone(2), gave(2, 2, 70)],
        shows: |state| state.transaction(transaction(2)).is_some(),
        then_ms: 150,
    },
    Act {
        tab: BEN,
        ops: || vec![note(1, "lunch")],
        shows: |state| state.transaction(transaction(1)).is_some_and(|it| it.note.is_some()),
        then_ms: 30,
    },
    Act {
        tab: ANA,
        ops: || vec![amount(1, 700)],
        shows: |state| state.transaction(transaction(1)).is_some_and(|it| it.amount == 700),
        then_ms: 60,
    },
    Act {
        tab: BEN,
        ops: || vec![name(2, "Benno")],
        shows: |state| state.contact(contact(2)).is_some_and(|it| it.name == "Benno"),
        then_ms: 60,
    },
];

/// Ben has no network from the act of this place on, for as long as it takes.
const CUT_AT: usize = 3;

#[test]
fn a_crash_at_every_store_and_network_step() {
    let (expected, steps) = play(None);
    assert_eq!(expected, "c1 someone 1; c2 Benno; t1 c1 700 lunch; t2 c2 70; 0 open");
    assert!(steps > 60, "{steps} steps are few");
    for victim in VICTIMS {
        for step in 0..steps {
            assert_eq!(play(Some((victim, step))).0, expected, "{victim:?} died after {step} steps");
        }
    }
}

/// How the story ends, and how many steps it took.
fn play(crash: Option<(Victim, usize)>) -> (String, usize) {
    let mut world = World::new();
    assert_eq!((world.device(0), world.device(1)), (ANA, BEN));
    let replicas = [ANA, BEN].map(|store| world.stores[store].shelf.replica);
    run(&mut world, 100, crash);
    for (place, act) in ACTS.iter().enumerate() {
        if place == CUT_AT {
            world.cut(BEN);
        }
        do_unless_done(&mut world, act);
        run(&mut world, act.then_ms, crash);
    }
    world.mend(BEN);
    run(&mut world, 20 * SECOND, crash);
    let steps = world.steps;
    // What somebody died over, and was not saved; or could not do, for they saw too little.
    while !ACTS.iter().all(|act| is_done(&world, act)) {
        ACTS.iter().for_each(|act| do_unless_done(&mut world, act));
        world.settle();
        assert!(world.now < 600 * SECOND);
    }
    world.settle();
    world.check();
    for (store, replica) in world.stores.iter().zip(replicas) {
        assert!(store.shelf.outbox.is_empty() && store.shelf.rejections.is_empty(), "what came back came back once");
        assert_eq!(store.shelf.replica, replica, "no number named two things");
    }
    (told(&world.tabs[ANA].copy().view().domain), steps)
}

fn do_unless_done(world: &mut World<Ledger, Ledger>, act: &Act) {
    if !is_done(world, act) {
        // Somebody who does not see what it is about has to wait until they do.
        world.offer(act.tab, (act.ops)()).ok();
    }
}

fn is_done(world: &World<Ledger, Ledger>, act: &Act) -> bool {
    (act.shows)(&world.tabs[act.tab].copy().view().domain)
}

fn run(world: &mut World<Ledger, Ledger>, ms: u64, crash: Option<(Victim, usize)>) {
    let until = world.now + ms;
    loop {
        match crash.filter(|(_, step)| *step == world.steps).map(|(victim, _)| victim) {
            Some(Victim::Tab(tab)) if world.tabs[tab].life == 0 => {
                world.kill(tab);
                world.start(tab);
            }
            Some(Victim::Server) if !world.server_has_died() => world.kill_server(),
            _ => {}
        }
        if !world.step_until(until) {
            return;
        }
    }
}
