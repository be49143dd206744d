//! Three weeks offline across two format versions: the server and the others have gone on to a version with another state,
//! another op and another change. The older app holds what it has and says that it needs a later version; the newer one opens
//! its store, starts over from a snapshot, and sends what waits there.
//!
//! A stored state of another version is not upcast: it is fetched anew. Ops and changes are read as they were written; no
//! version of them has changed its form so far, so nothing there needs to be upcast either.

use tidebook_book::{Epoch, MutationId, Seq};
use tidebook_ledger::Ledger;
use tidebook_protocol::Refusal;
use uuid::Uuid;

use super::later::{Either, LaterLedger, tint};
use super::words::{amount, contact, gave, note, someone, told};
use super::world::{DAY, World};

const WAITING: usize = 4;

/// An older app's device with a stored state, entries after it and an outbox, and what it typed; and another that is current.
fn left_behind() -> (World<Ledger, Ledger>, Vec<MutationId>) {
    let mut world = World::new();
    let (ana, ben) = (world.device(0), world.device(1));
    world.settle();
    world.write(ana, vec![someone(1), gave(1, 1, 20)]);
    world.settle();
    // A restore makes all start over from a snapshot, which is stored.
    world.kill_server();
    let head = world.server.log.head();
    world.server.restore(head, Some(Epoch(Uuid::from_u128(0xe2))));
    world.run_for(5_000);
    world.settle();
    world.write(ben, vec![someone(2)]);
    world.settle();
    world.cut(ana);
    let typed = [gave(2, 2, 5), amount(1, 25), note(1, "lunch"), someone(3)].map(|op| world.write(ana, vec![op]));
    world.run_for(1_000);
    let kept = &world.stores[0].shelf;
    assert!(kept.state.is_some() && !kept.entries.is_empty() && kept.outbox.len() == WAITING);
    (world, typed.to_vec())
}

#[test]
fn three_weeks_offline_across_two_format_versions() {
    let (old, typed) = left_behind();
    // The others are of the later version, and use it.
    let (server, stores) = (old.server.upgraded::<LaterLedger>(), old.stores);
    let mut others: World<LaterLedger, LaterLedger> = World::over(server, stores);
    let ben = others.tab(1, 1);
    others.settle();
    others.write(ben, vec![tint(contact(1), "red"), Either::Old(amount(1, 30))]);
    others.settle();
    others.check();
    let head = others.server.log.head();

    // Ana is back with the app as it was.
    let mut older: World<LaterLedger, Ledger> = World::over(others.server, others.stores);
    older.now = 21 * DAY;
    let ana = older.tab(0, 0);
    older.run_for(60_000);
    assert!(older.tabs[ana].needs_update, "it says what it needs");
    let copy = older.tabs[ana].copy();
    assert_eq!(copy.held().map(|held| held.code), Some(Refusal::Other));
    assert_eq!(copy.pending().map(|pending| pending.mutation.id).collect::<Vec<_>>(), typed);
    assert_eq!(told(&copy.view().domain), "c1 someone 1; c2 someone 2; c3 someone 3; t1 c1 25 lunch; t2 c2 5; 0 open");
    // What it sent before it met what it cannot read is in the log, and it cannot know. What is typed from now on waits.
    assert_eq!(older.server.log.head().0, head.0 + WAITING as u64);
    let later = older.write(ana, vec![someone(4)]);
    older.run_for(60_000);
    assert_eq!(older.server.log.place_of(later), None);
    assert_eq!(older.stores[0].shelf.outbox.len(), WAITING + 1, "all of it is kept");

    // The app is updated, and opens what the older one stored.
    let mut newer: World<LaterLedger, LaterLedger> = World::over(older.server, older.stores);
    let (ana, ben) = (newer.tab(0, 0), newer.tab(1, 1));
    newer.settle();
    newer.check();
    let seqs: Vec<Seq> = typed.iter().chain([&later]).map(|id| newer.seq_of(*id)).collect();
    let expected = (head.0 + 1..=newer.server.log.head().0).map(Seq).collect::<Vec<_>>();
    assert_eq!((seqs, expected.len()), (expected.clone(), WAITING + 1), "each once, in their order");
    let state = &newer.tabs[ana].copy().view().domain;
    // Ben's amount was confirmed first; Ana's is kept beside it.
    assert_eq!(
        told(&state.ledger),
        "c1 someone 1; c2 someone 2; c3 someone 3; c4 someone 4; t1 c1 30 lunch; t2 c2 5; 1 open"
    );
    assert_eq!(state.tints.get(&contact(1)).map(String::as_str), Some("red"));
    assert!(newer.tabs[ana].copy().rejections().is_empty() && newer.tabs[ben].copy().rejections().is_empty());
    assert!(newer.stores[0].shelf.outbox.is_empty());
}

/// The other way round: what the server does not know yet waits, with all that comes after it, and goes once it does.
#[test]
fn a_newer_app_waits_for_an_older_server() {
    let (old, _) = left_behind();
    let mut newer: World<Ledger, LaterLedger> = World::over(old.server, old.stores);
    // On a new device, which reads the log as the older versions wrote it.
    let ana = newer.device(0);
    newer.settle();
    let tinted = newer.write(ana, vec![tint(contact(1), "red")]);
    let after = newer.write(ana, vec![Either::Old(someone(5))]);
    newer.run_for(30_000);
    let copy = newer.tabs[ana].copy();
    assert_eq!(copy.held().map(|held| held.code), Some(Refusal::UnknownOp));
    assert_eq!(copy.pending().map(|pending| pending.mutation.id).collect::<Vec<_>>(), [tinted, after]);
    newer.kill(ana);

    let mut upgraded: World<LaterLedger, LaterLedger> = World::over(newer.server.upgraded(), newer.stores);
    upgraded.tab(0, 2);
    upgraded.settle();
    upgraded.check();
    assert!(upgraded.seq_of(tinted) < upgraded.seq_of(after));
}
