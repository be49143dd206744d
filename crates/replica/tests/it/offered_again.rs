//! A server restored from an older backup gets back from a device what it has lost of it.

use serde_json::{Value, json};
use tidebook_book::{Epoch, MutationId, MutationNumber, ReplicaId, Snapshot};
use tidebook_replica::Event;
use uuid::Uuid;

use crate::checklist::{Checklist, add};
use crate::shelf::Shelf;
use crate::stage::{
    BOOK, ME, OTHER, Stage, added, chain, entry, hash_of_snapshot, id, others, rejecting, snapshot, subscribed,
    subscribed_at,
};

const NEW: ReplicaId = ReplicaId(Uuid::from_u128(0x11));

const RESTORED: Epoch = Epoch(Uuid::from_u128(0xee));

/// Own entries 1, 2 and 4 of mutations 1, 2 and 3, and one of somebody else; mutation 4 waits.
fn confirm(stage: &mut Stage) -> Vec<Value> {
    for n in 1..=4 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    let own = |seq, n: u64| entry(seq, ME, n, n.into(), &[added(n as u32, "x")]);
    let log = vec![own(1, 1), own(2, 2), others(3, &[added(9, "tea")]), own(4, 3)];
    stage.hear_entries(&log);
    assert_eq!(stage.pending(), [4]);
    stage.forget();
    log
}

fn with_a_past() -> Stage {
    let mut stage = Stage::live();
    confirm(&mut stage);
    stage
}

/// A snapshot of the book as it was restored, in which replicas have these last numbers.
pub(crate) fn restored(seq: u64, numbers: &[(ReplicaId, u64)]) -> Snapshot<Checklist> {
    let replicas = numbers.iter().map(|(replica, n)| (*replica, MutationNumber(*n))).collect();
    Snapshot { epoch: RESTORED, replicas, ..snapshot(seq, &[(1, "x")]) }
}

/// The server says that it was restored, and gives that snapshot.
pub(crate) fn restore(stage: &mut Stage, from_seq: Option<u64>, snapshot: Snapshot<Checklist>) {
    let seq = snapshot.seq;
    stage.replica.handle_closed(stage.now, None);
    stage.connect();
    stage.hear(json!({
        "type": "snapshot_required", "book": BOOK, "epoch": snapshot.epoch, "from_seq": from_seq, "seq": seq,
    }));
    stage.forget();
    stage.take(snapshot);
}

pub(crate) fn follow(stage: &mut Stage, seq: u64, accepted: u64) -> Vec<(MutationId, u64, u64)> {
    let mut frame = subscribed_at(seq, hash_of_snapshot(seq), accepted);
    frame["epoch"] = json!(RESTORED);
    stage.hear(frame);
    let frames = stage.sent();
    let pushes = frames.iter().filter(|frame| frame["type"] == "push");
    let read = |mutation: &Value| {
        let id = serde_json::from_value(mutation["id"].clone()).expect("an id");
        (id, mutation["n"].as_u64().expect("a number"), mutation["base"].as_u64().expect("a seq"))
    };
    pushes.flat_map(|push| push["mutations"].as_array().expect("a list").iter().map(read)).collect()
}

#[test]
fn what_is_lacking_comes_first_under_its_number_with_a_base_that_both_histories_have() {
    let mut stage = with_a_past();
    restore(&mut stage, Some(1), restored(1, &[(ME, 1)]));
    let asked = stage.sent();
    assert_eq!((&asked[0]["type"], &asked[0]["pending_from"]), (&json!("subscribe"), &json!(2)));
    assert_eq!((stage.view().as_str(), stage.pending()), ("x x x x", vec![2, 3, 4]));
    assert_eq!(follow(&mut stage, 1, 1), [(id(2), 2, 0), (id(3), 3, 0), (id(4), 4, 0)]);
    assert!(!stage.events().contains(&Event::NewReplicaNeeded));
    stage.hear_entries(&[entry(2, ME, 2, 2, &[added(2, "x")])]);
    // A second time, to before the first.
    restore(&mut stage, None, Snapshot { epoch: Epoch(Uuid::from_u128(0xef)), ..restored(0, &[]) });
    assert_eq!(stage.pending(), [1, 2, 3, 4]);
}

#[test]
fn what_the_history_has_is_not_offered_again() {
    for numbers in [&[(ME, 3)][..], &[(OTHER, 9), (ME, 4)]] {
        let mut stage = with_a_past();
        restore(&mut stage, Some(4), restored(4, numbers));
        assert_eq!(stage.pending(), [4], "{numbers:?}");
    }
}

#[test]
fn a_restore_that_nobody_declared_shows_by_what_is_lacking() {
    let mut stage = with_a_past();
    stage.mutate(5, &[add(5, "x")]).expect("fine");
    assert_eq!(stage.copy().pending().last().map(|pending| pending.mutation.base.0), Some(4));
    // It has grown past the copy since.
    let grown = Snapshot { epoch: crate::stage::EPOCH, ..restored(7, &[(ME, 1), (OTHER, 9)]) };
    restore(&mut stage, None, grown);
    let bases = stage.copy().pending().map(|pending| pending.mutation.base.0);
    assert_eq!((bases.collect::<Vec<_>>(), stage.pending()), (vec![0; 4], vec![2, 3, 4, 5]));
}

/// The device is told to go on under another id, and does.
fn renew(stage: &mut Stage) {
    assert!(stage.events().contains(&Event::NewReplicaNeeded));
    stage.replica.handle_new_replica(stage.now, NEW);
    stage.replica.handle_closed(stage.now, None);
    stage.connect();
}

#[test]
fn where_numbers_are_gone_for_good_none_is_given_again() {
    let mut stage = Stage::live();
    for n in 1..=4 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    stage.replica.withdraw(BOOK, id(3)).expect("it waits");
    stage.hear_entries(&[rejecting(1, 1, 1, "no"), entry(2, ME, 2, 2, &[added(2, "x")]), entry(3, ME, 3, 3, &[])]);
    restore(&mut stage, Some(0), restored(0, &[]));
    assert_eq!((stage.pending(), follow(&mut stage, 0, 0)), (vec![5, 6], vec![]), "none that the other history has");
    renew(&mut stage);
    assert_eq!(follow(&mut stage, 0, 0), [(id(2), 1, 0), (id(4), 2, 0)], "nor rejected nor withdrawn");
    assert_eq!(stage.copy().rejections().len(), 1);
    assert_eq!(stage.mutate(5, &[add(5, "x")]).map(|n| n.0), Ok(3));
}

/// Of the last number too: the next that is typed would get it.
#[test]
fn the_last_number_is_not_given_again_either() {
    let mut stage = Stage::live();
    for n in 1..=2 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    stage.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "x")]), rejecting(2, 2, 2, "no")]);
    restore(&mut stage, Some(0), restored(0, &[]));
    assert_eq!(stage.pending(), [3]);
}

/// The first of the two was the wrong backup. The second was taken when a number stood for something else.
#[test]
fn what_a_second_restore_lacks_is_offered_though_its_number_is_there() {
    let mut stage = Stage::live();
    for n in 1..=4 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    let own = |seq, replica, n, id: u128| entry(seq, replica, n, id, &[added(id as u32, "x")]);
    stage.hear_entries(&[own(1, ME, 1, 1), rejecting(2, 2, 2, "no"), own(3, ME, 3, 3), own(4, ME, 4, 4)]);
    restore(&mut stage, Some(1), restored(1, &[(ME, 1)]));
    follow(&mut stage, 1, 1);
    renew(&mut stage);
    assert_eq!(follow(&mut stage, 1, 0), [(id(3), 1, 0), (id(4), 2, 0)]);
    stage.hear_entries(&[own(2, NEW, 1, 3), own(3, NEW, 2, 4)]);
    assert!(stage.pending().is_empty());
    let older = Snapshot { epoch: Epoch(Uuid::from_u128(0xef)), ..restored(3, &[(ME, 3)]) };
    restore(&mut stage, Some(1), older);
    let waiting: Vec<_> = stage.copy().pending().map(|pending| pending.mutation.id).collect();
    assert_eq!(waiting, [id(3), id(4)]);
}

#[test]
fn what_entered_under_an_older_id_comes_back_under_the_present_one() {
    let mut stage = with_a_past();
    stage.replica.handle_new_replica(stage.now, OTHER);
    stage.replica.handle_closed(stage.now, None);
    restore(&mut stage, Some(1), restored(1, &[(ME, 1)]));
    assert_eq!(follow(&mut stage, 1, 0), []);
    renew(&mut stage);
    assert_eq!(follow(&mut stage, 1, 0), [(id(2), 1, 0), (id(3), 2, 0), (id(4), 3, 0)]);
}

#[test]
fn with_a_store_nothing_is_asked_for_before_it_is_written() {
    let (mut stage, mut shelf) = (Stage::kept(), Shelf::new());
    stage.connect();
    stage.hear(subscribed(0, 0));
    confirm_stored(&mut stage, &mut shelf);
    let mut next = Stage::kept();
    shelf.sync(&mut next);
    restore(&mut next, Some(1), restored(1, &[(ME, 1)]));
    assert_eq!(next.sent(), Vec::<Value>::new(), "it waits for the store");
    next.replica.subscribe_again(BOOK);
    assert_eq!((next.sent(), next.pending()), (vec![], vec![]));

    assert!(
        next.replica.wants_confirmed(BOOK) && next.replica.take_write(BOOK).is_none(),
        "and forgets nothing unread"
    );
    shelf.read_confirmed(&mut next);
    assert_eq!(next.view(), "x x x");
    let write = next.replica.take_write(BOOK).expect("it starts over");
    assert_eq!(next.sent(), Vec::<Value>::new());
    next.replica.handle_write_failed(BOOK);
    assert!(next.replica.wants_confirmed(BOOK), "another program may have written meanwhile");
    assert_eq!((write.confirmed.len(), write.outbox.len()), (1, 2));
    shelf.sync(&mut next);
    assert_eq!(next.sent()[0]["pending_from"], 2);
    assert_eq!(follow(&mut next, 1, 1), [(id(2), 2, 0), (id(3), 3, 0)]);
    assert_eq!((shelf.confirmed.len(), shelf.outbox.len()), (1, 2));
}

/// One was confirmed while a write was on its way that then failed, and the store is given up.
#[test]
fn what_a_failed_write_held_comes_before_what_was_confirmed_since() {
    let (mut stage, mut shelf) = (Stage::kept(), Shelf::new());
    stage.connect();
    stage.hear(subscribed(0, 0));
    for n in 1..=2 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    shelf.sync(&mut stage);
    let own = |n: u64| entry(n, ME, n, n.into(), &[added(n as u32, "x")]);
    stage.hear_entries(&[own(1)]);
    stage.replica.take_write(BOOK).expect("an entry to write");
    stage.hear_entries(&[own(2)]);
    stage.replica.handle_write_failed(BOOK);
    stage.replica.go_on_in_memory(stage.now, NEW);
    restore(&mut stage, Some(0), restored(0, &[]));
    let waiting: Vec<_> = stage.copy().pending().map(|pending| pending.mutation.id).collect();
    assert_eq!(waiting, [id(1), id(2)]);
}

fn confirm_stored(stage: &mut Stage, shelf: &mut Shelf) {
    for n in 1..=3 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    shelf.sync(stage);
    let log: Vec<_> = (1..=3).map(|n| entry(n, ME, n, n.into(), &[added(n as u32, "x")])).collect();
    stage.hear_entries(&log);
    shelf.sync(stage);
    assert_eq!((shelf.confirmed.len(), shelf.outbox.len(), stage.hash()), (3, 0, chain(&log)));
}

#[test]
fn without_a_store_no_more_is_remembered_than_its_bound() {
    const BYTES_MAX: usize = 4 * 1024 * 1024;
    let text = "x".repeat(100 * 1024);
    let mut stage = Stage::live();
    for n in 1..=60 {
        stage.mutate(n.into(), &[add(n, &text)]).expect("fine");
        stage.hear_entries(&[entry(n.into(), ME, n.into(), n.into(), &[added(n, &text)])]);
        stage.forget();
    }
    restore(&mut stage, Some(0), restored(0, &[]));
    let back = stage.copy().pending().count();
    assert!((BYTES_MAX / text.len() - 2..=BYTES_MAX / text.len()).contains(&back), "{back}");
    assert_eq!(stage.copy().pending().last().map(|pending| pending.mutation.id), Some(id(60)), "the latest");
}
