//! Deciding goes on while the disk writes; what the disk refuses was never decided.

use tidebook_authority::{NumberRow, TailError};
use tidebook_book::{ChainHash, EncodedEntry, MutationNumber, Seq};
use tidebook_protocol::RawMutation;

use crate::checklist::{Checklist, add, tick};
use crate::support::{ANA, BEN, Desk, mutation};

/// All of an authority that can be seen from outside.
fn seen(desk: &Desk<Checklist>) -> (Seq, String, Vec<(String, u64)>) {
    let authority = &desk.authority;
    let mut numbers: Vec<_> = authority.last_numbers().map(|(replica, n)| (replica.to_string(), n.0)).collect();
    numbers.sort();
    (authority.head(), authority.state().hash().to_string(), numbers)
}

#[test]
fn one_batch_is_on_its_way_at_a_time_and_the_next_holds_all_decided_meanwhile() {
    let mut desk = Desk::new();
    assert!(desk.authority.poll_batch().is_none(), "nothing is decided yet");
    desk.push_one(ANA, 1, 1, vec![add(1, "milk")]);
    let first = desk.authority.poll_batch().expect("one entry");
    assert_eq!((first.expected_head, first.entries.len()), (Seq(2), 1));

    assert_eq!(desk.push_one(BEN, 1, 2, vec![tick(1)]), "entry 4", "what is not on disk yet is decided on");
    assert_eq!(desk.push_one(ANA, 2, 3, vec![add(2, "tea")]), "entry 5");
    assert!(desk.authority.poll_batch().is_none(), "the disk is busy");
    desk.log.append(first).expect("appended");
    desk.authority.handle_committed();

    let second = desk.authority.poll_batch().expect("two entries");
    assert_eq!(second.expected_head, Seq(3));
    assert_eq!(second.entries.iter().map(|staged| staged.entry.seq.0).collect::<Vec<_>>(), [4, 5]);
    let row = |author: tidebook_book::Author, n| NumberRow {
        replica: author.replica,
        user: author.user,
        n: MutationNumber(n),
    };
    assert_eq!(second.numbers, [row(BEN, 1), row(ANA, 2)]);
    desk.log.append(second).expect("appended");
    desk.authority.handle_committed();
    assert!(desk.authority.poll_batch().is_none());
    assert_eq!(desk.authority.state().hash(), desk.log.replay::<Checklist>(Seq(5)).hash());
}

#[test]
fn a_replica_has_one_row_in_a_batch_its_last_number() {
    let mut desk = Desk::new();
    let adds: Vec<RawMutation> = (1..=3).map(|n| mutation(n, n.into(), vec![add(n as u32, "x")])).collect();
    desk.push(ANA, &adds);
    let batch = desk.authority.poll_batch().expect("three entries");
    assert_eq!(batch.numbers.iter().map(|row| row.n.0).collect::<Vec<_>>(), [3]);
    let keys: Vec<_> = batch.entries.iter().map(|staged| (staged.id.0.as_u128(), staged.replica, staged.n.0)).collect();
    assert_eq!(keys, [(1, ANA.replica, 1), (2, ANA.replica, 2), (3, ANA.replica, 3)]);
    assert!(batch.members.is_empty());
}

/// Another node's entries are taken in whole, or not at all.
#[test]
fn a_tail_that_does_not_follow_changes_nothing() {
    let mut another = Desk::new();
    another.push_one(BEN, 1, 1, vec![add(1, "milk")]);
    another.push_one(BEN, 2, 2, vec![add(2, "tea")]);
    another.commit();
    let [third, fourth] = [2, 3].map(|place| another.log.entries[place].clone());
    let mut desk = Desk::new();
    let before = seen(&desk);
    let mut take = |entries: &[EncodedEntry]| {
        let taken = desk.authority.handle_tail(entries, []);
        assert_eq!(seen(&desk), before, "{taken:?}");
        taken
    };
    let gap = take(std::slice::from_ref(&fourth));
    assert!(matches!(gap, Err(TailError::Gap { expected: Seq(3), got: Seq(4) })));
    let rotten = EncodedEntry { hash: ChainHash::ZERO, ..fourth.clone() };
    assert!(matches!(take(&[third.clone(), rotten]), Err(TailError::AnotherLog(Seq(4)))));
    let bytes = b"{}";
    let unreadable = EncodedEntry { seq: Seq(4), bytes: bytes[..].into(), hash: third.hash.followed_by(bytes) };
    assert!(matches!(take(&[third.clone(), unreadable]), Err(TailError::Unreadable { seq: Seq(4), .. })));

    desk.authority.handle_tail(&[third, fourth], []).expect("it follows");
    assert_eq!(seen(&desk), seen(&another));
}

/// Mutations of all kinds: with changes, without, rejected, for a number only.
fn offers() -> [(tidebook_book::Author, RawMutation); 6] {
    [
        (ANA, mutation(2, 2, vec![add(2, "tea"), tick(1)])),
        (BEN, mutation(1, 3, vec![tick(2)])),
        (ANA, mutation(3, 4, vec![tick(2)])),
        (ANA, mutation(4, 5, vec![tick(77)])),
        (BEN, mutation(2, 1, vec![add(1, "milk")])),
        (BEN, mutation(3, 6, vec![add(3, "jam")])),
    ]
}

#[test]
fn a_clean_failure_takes_back_all_that_is_not_on_disk() {
    // How many of the offers are staged when the batch is taken; the rest is decided while it is on its way.
    for in_flight in 1..=offers().len() {
        let mut desk = Desk::new();
        desk.push_one(ANA, 1, 1, vec![add(1, "milk")]);
        desk.commit();
        let before = seen(&desk);

        let offer = |desk: &mut Desk<_>, offers: &[(_, RawMutation)]| -> Vec<String> {
            offers.iter().map(|(author, mutation)| desk.push(*author, std::slice::from_ref(mutation))).collect()
        };
        let mut first_answers = offer(&mut desk, &offers()[..in_flight]);
        assert!(desk.start_commit());
        first_answers.extend(offer(&mut desk, &offers()[in_flight..]));
        assert_ne!(seen(&desk), before);
        desk.fail_commit();
        assert_eq!(seen(&desk), before, "{in_flight} in flight");
        assert!(!desk.start_commit(), "nothing is left of it");

        assert_eq!(offer(&mut desk, &offers()), first_answers, "offered again, all is as it was");
        desk.commit();
        assert_eq!(desk.log.head(), Seq(8));
        assert_eq!(desk.authority.state().hash(), desk.log.replay::<Checklist>(Seq(8)).hash());
    }
}

#[test]
fn a_failure_after_a_commit_takes_back_no_more_than_its_own_batch() {
    let mut desk = Desk::new();
    desk.push_one(ANA, 1, 1, vec![add(1, "milk")]);
    assert!(desk.start_commit());
    desk.push_one(ANA, 2, 2, vec![add(2, "tea")]);
    desk.finish_commit();
    let hash_after_the_first = desk.log.replay::<Checklist>(Seq(3)).hash();
    assert!(desk.start_commit());
    desk.push_one(BEN, 1, 3, vec![tick(2)]);
    desk.fail_commit();
    assert_eq!((desk.authority.head(), desk.authority.state().hash()), (Seq(3), hash_after_the_first));
    // The chain goes on from the entry that stands: the log checks that.
    assert_eq!(desk.push_one(BEN, 1, 4, vec![tick(1)]), "entry 4");
    desk.commit();
    assert_eq!(desk.push_one(ANA, 1, 1, vec![add(1, "milk")]), "entry 3");
    assert_eq!(desk.push_one(ANA, 2, 2, vec![add(2, "tea")]), "entry 5");
}

#[test]
#[should_panic(expected = "nothing was being committed")]
fn a_commit_that_never_began_cannot_end() {
    Desk::new().authority.handle_committed();
}

#[test]
#[should_panic(expected = "nothing was being committed")]
fn a_commit_that_never_began_cannot_fail() {
    Desk::new().authority.handle_failed();
}
