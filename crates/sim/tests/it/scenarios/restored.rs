//! A server comes back from a backup that is an hour old. Devices were told of what it has forgotten, and somebody writes there
//! before they are back: all of it is in the log at the end, once.

use tidebook_book::{Epoch, MutationId};
use uuid::Uuid;

use super::tab::Got;
use super::words::{gave, note, someone};
use super::world::{EPOCH, HOUR, World};

const AGAIN: Epoch = Epoch(Uuid::from_u128(0xe2));

#[test]
fn a_server_restored_from_an_hour_old_backup_declared() {
    restored_from_an_hour_old_backup(Some(AGAIN));
}

#[test]
fn a_server_restored_from_an_hour_old_backup_undeclared() {
    restored_from_an_hour_old_backup(None);
}

fn restored_from_an_hour_old_backup(declared: Option<Epoch>) {
    let mut world = World::new();
    let (ana, ben) = (world.device(0), world.device(1));
    world.settle();
    let mut typed: Vec<MutationId> = Vec::new();
    typed.push(world.write(ana, vec![someone(1), gave(1, 1, 20)]));
    world.settle();
    let backup = world.server.log.head();
    for minute in 0..60 {
        let (writer, number) = (if minute % 3 == 0 { ben } else { ana }, 100 + minute);
        let op = if minute % 2 == 0 { gave(number, 1, 5) } else { note(1, &format!("minute {minute}")) };
        typed.push(world.write(writer, vec![op]));
        world.run_for(HOUR / 60);
    }
    world.settle();
    let head = world.server.log.head();
    assert_eq!(head.0, backup.0 + 60);
    // Ana was told of it all, and goes on without a network, as does her program.
    world.cut(ana);
    typed.push(world.write(ana, vec![note(1, "on the train")]));
    world.run_for(1_000);
    world.kill(ana);

    world.kill_server();
    world.server.restore(backup, declared);
    assert_eq!(world.server.log.head(), backup);
    // Who has not heard of it writes where the lost entries were, before any other is back.
    world.cut(ben);
    let cleo = world.device(2);
    world.run_for(5_000);
    typed.push(world.write(cleo, vec![someone(3), gave(3, 3, 30)]));
    world.run_for(5_000);
    assert_eq!(world.server.log.head().0, backup.0 + 1);
    world.count(ben);
    world.mend(ben);
    world.run_for(60_000);
    world.start(ana);
    world.mend(ana);
    world.settle();

    world.check();
    let lost: Vec<_> = typed.iter().filter(|id| world.server.log.place_of(**id).is_none()).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), typed.len());
    assert_eq!(world.server.log.head().0 as usize, 2 + typed.len(), "each is there once");
    let epochs = [ana, ben, cleo].map(|tab| world.tabs[tab].copy().epoch());
    assert_eq!(epochs, [Some(declared.unwrap_or(EPOCH)); 3]);
    assert!(world.tabs.iter().all(|tab| tab.copy().rejections().is_empty() && tab.copy().held().is_none()));
    assert!(world.count(ben).iter().any(|got| matches!(got, Got::Snapshot(_))), "Ben's device found out");
}

/// Ben's device comes back first, with a transaction of Ana's contact: he has nothing to do for it to be there again once she is.
#[test]
fn what_names_a_record_that_its_maker_has_still_to_bring_back_waits_for_it() {
    let mut world = World::new();
    let (ana, ben) = (world.device(0), world.device(1));
    world.settle();
    let backup = world.server.log.head();
    world.write(ana, vec![someone(1)]);
    world.settle();
    world.write(ben, vec![gave(1, 1, 20)]);
    world.settle();
    world.cut(ana);
    world.kill_server();
    world.server.restore(backup, Some(AGAIN));
    world.run_for(HOUR / 60);
    assert_eq!(world.server.log.head().0, backup.0 + 1, "Ben's is in the log as a rejection");
    assert_eq!(world.tabs[ben].copy().rejections().len(), 1);
    world.mend(ana);
    world.settle();

    world.check();
    assert_eq!(world.server.log.head().0, backup.0 + 3);
    for tab in &world.tabs {
        assert_eq!(tab.copy().view().domain.transactions().count(), 1);
        assert!(tab.copy().rejections().is_empty() && tab.copy().held().is_none());
    }
}
