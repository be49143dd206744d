//! An ack is lost and the client restarted 30 days later: what it offers again is in the log once, with the fate it had.

use super::words::{contact, someone};
use super::world::{DAY, World};

/// How much others wrote meanwhile: the second is more than is sent as entries, and the client comes back by a snapshot.
const MEANWHILE: [u128; 2] = [20, 10_020];

#[test]
fn an_ack_lost_and_the_client_restarted_30_days_later() {
    for meanwhile in MEANWHILE {
        let mut world = World::new();
        let (ana, ben) = (world.device(0), world.device(1));
        world.settle();
        // Both make a contact of one id: whose comes second is rejected.
        world.write(ben, vec![someone(7)]);
        let accepted = world.write(ana, vec![someone(2)]);
        let rejected = world.write(ana, vec![someone(7)]);
        while world.server.log.place_of(rejected).is_none() {
            assert!(world.step_until(world.now + DAY));
        }
        world.cut(ana);
        world.kill(ana);
        let fates = [accepted, rejected].map(|id| *world.server.log.place_of(id).expect("it is on the disk"));
        let kept = &world.stores[0].shelf;
        assert_eq!((kept.outbox.len(), kept.rejections.len()), (2, 0), "the device has not heard of it");

        world.run_for(15 * DAY);
        for number in 0..meanwhile {
            world.write(ben, vec![someone(100 + number)]);
        }
        world.run_for(15 * DAY);
        let head = world.server.log.head();
        world.start(ana);
        world.mend(ana);
        world.settle();

        world.check();
        assert_eq!(world.server.log.head(), head, "nothing entered that was there already");
        assert_eq!([accepted, rejected].map(|id| *world.server.log.place_of(id).expect("it is there")), fates);
        let copy = world.tabs[ana].copy();
        let told: Vec<_> = copy.rejections().iter().map(|it| (it.mutation.id, it.rejected.code.as_str())).collect();
        assert_eq!(told, [(rejected, "id_taken")]);
        assert!(copy.view().domain.contact(contact(2)).is_some());
        let kept = &world.stores[0].shelf;
        assert_eq!((kept.outbox.len(), kept.rejections.len()), (0, 1));
        assert_eq!(kept.state.is_some(), meanwhile > 10_000, "who was far behind came by a snapshot");
    }
}
