//! Several programs over one store, one of which starts over, or is of another history than the others.

use serde_json::{Value, json};
use tidebook_book::{ChainHash, Epoch, MutationNumber, Seq, Snapshot};
use tidebook_replica::{Event, Lacking, Stored};
use uuid::Uuid;

use crate::keeping::{tab, tab_of, write};
use crate::shelf::Shelf;
use crate::stage::{
    BOOK, ME, Stage, added, chain, entry, hash_of_snapshot, others, rejecting, required, required_from, snapshot,
    subscribed_at,
};

/// Two tabs, of which the second has stored a snapshot and follows from it.
fn one_starts_at_five() -> (Shelf, [Stage; 2]) {
    let mut shelf = Shelf::new();
    let (here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    there.hear(required(5));
    there.take(snapshot(5, &[(1, "milk")]));
    shelf.sync(&mut there);
    there.hear(subscribed_at(5, there.hash(), 0));
    (shelf, [here, there])
}

/// A server restored from a backup goes on under the same epoch where nobody declares it.
#[test]
fn what_a_tab_still_has_of_a_history_that_is_gone_does_not_mix_with_what_comes() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    let (gone, stands) = (others(1, &[added(1, "oil")]), others(1, &[added(1, "milk")]));
    there.hear_entries(&[gone]);
    shelf.sync(&mut there);
    shelf.read(&mut here);
    assert_eq!(here.view(), "oil");
    here.hear_entries(&[stands.clone(), others(2, &[added(2, "tea")])]);
    assert_eq!((here.view().as_str(), here.seq()), ("oil", Seq(1)), "it follows from another log");
    assert_eq!(here.copy().contradictions().count, 1);
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    there.hear_entries(std::slice::from_ref(&stands));
    shelf.sync(&mut there);
    shelf.read(&mut here);
    here.hear_entries(&[stands]);
    here.hear_entries(&[others(2, &[added(2, "tea")])]);
    assert_eq!((here.view().as_str(), here.copy().contradictions().count), ("milk tea", 0));
}

#[test]
fn a_base_that_another_tab_has_lowered_stays_low() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    let log = [others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])];
    here.hear_entries(&log);
    shelf.sync(&mut here);
    shelf.read(&mut there);
    write(&mut there, 9, "jam").expect("fine");
    shelf.sync(&mut there);
    shelf.read(&mut here);
    // Another history under the same epoch, in which nothing counts as seen.
    here.hear(required(5));
    here.take(snapshot(5, &[(1, "oil")]));
    shelf.sync(&mut here);
    write(&mut there, 10, "figs").expect("fine");
    shelf.sync(&mut there);
    let base = |text: &String| serde_json::from_str::<Value>(text).expect("JSON")["base"].clone();
    assert_eq!(shelf.outbox.values().map(base).collect::<Vec<_>>(), [json!(0), json!(0)]);
}

/// Two tabs start over, and one goes on before the other has stored its start.
#[test]
fn a_start_over_that_is_not_stored_gives_way_to_one_that_has_gone_on() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    here.hear(required_from(0, 20));
    here.take(snapshot(20, &[(1, "milk")]));
    there.hear_entries(&(1..=21).map(|seq| others(seq, &[added(seq as u32, "tea")])).collect::<Vec<_>>());
    shelf.sync(&mut there);
    let lacking = shelf.sync(&mut here);
    assert!(matches!(lacking, Some(Lacking::Everything(_))));
    assert_eq!((here.seq(), here.hash()), (Seq(21), there.hash()));
    assert_eq!(tab(&mut shelf).seq(), Seq(21), "no cursor goes back");
}

#[test]
fn a_snapshot_that_the_store_has_overtaken_takes_no_copy_back() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    here.hear(required(1));
    here.wait_ms(0);
    assert!(here.events().contains(&Event::FetchSnapshot { book: BOOK }));
    let log = [others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])];
    there.hear_entries(&log);
    shelf.sync(&mut there);
    shelf.read(&mut here);
    assert_eq!((here.view().as_str(), here.seq()), ("milk tea", Seq(2)));
    here.take(snapshot(1, &[(1, "milk")]));
    assert_eq!((here.view().as_str(), here.seq()), ("milk tea", Seq(2)), "it was asked for before");
    here.wait_ms(60_000);
    assert!(here.events().contains(&Event::FetchSnapshot { book: BOOK }), "and is asked for again");
    here.take(snapshot(1, &[(1, "milk")]));
    assert_eq!((here.view().as_str(), here.seq()), ("milk", Seq(1)), "now it is what the server has");
}

/// A store whose state does not read, one mutation confirmed at 6 and one waiting.
fn with_a_state_that_does_not_read() -> Shelf {
    let mut shelf = Shelf::new();
    let mut first = tab(&mut shelf);
    first.hear(required(5));
    first.take(snapshot(5, &[(1, "milk")]));
    shelf.sync(&mut first);
    first.hear(subscribed_at(5, first.hash(), 0));
    write(&mut first, 9, "jam").expect("fine");
    shelf.sync(&mut first);
    first.hear_entries(&[entry(6, ME, 1, 9, &[added(9, "jam")])]);
    write(&mut first, 10, "figs").expect("fine");
    shelf.sync(&mut first);
    shelf.state = Some(r#"{"version":99}"#.into());
    shelf
}

/// From nothing it would follow a server that was restored and does not say so, and never offer what that lacks.
#[test]
fn a_state_that_does_not_read_leaves_no_way_but_a_snapshot() {
    let mut shelf = with_a_state_that_does_not_read();
    // Each of them ends before a snapshot has come, and what the first has stored is what the second starts from.
    tab_of(&mut shelf);
    let mut next = tab_of(&mut shelf);
    next.connect();
    assert!(next.sent().iter().all(|frame| frame["type"] != "subscribe"));
    assert!(next.events().contains(&Event::FetchSnapshot { book: BOOK }));
    next.take(snapshot(2, &[(1, "milk")]));
    shelf.sync(&mut next);
    assert_eq!((next.view().as_str(), next.pending()), ("milk jam figs", vec![1, 2]));
    assert!(next.copy().pending().all(|pending| pending.mutation.base == Seq(0)));
}

/// The snapshot comes in the middle of a write, between what is read and what is put.
#[test]
fn what_was_read_before_a_snapshot_came_is_read_again_and_compared_with_it() {
    let mut shelf = with_a_state_that_does_not_read();
    let mut next = Stage::kept();
    shelf.read(&mut next);
    next.connect();
    shelf.read_confirmed(&mut next);
    next.take(snapshot(2, &[(1, "milk")]));
    assert!(next.replica.take_write(BOOK).is_none(), "it would forget what the snapshot lacks");
    shelf.sync(&mut next);
    assert_eq!((next.view().as_str(), next.pending()), ("milk jam figs", vec![1, 2]));
}

/// A tab stores an entry before it has read that its mutation was typed in another, and a third hears of both from the store.
#[test]
fn an_entry_that_the_store_had_first_is_the_fate_of_what_waits() {
    let mut shelf = Shelf::new();
    let [mut typing, mut hearing, mut third] = [tab(&mut shelf), tab(&mut shelf), tab(&mut shelf)];
    write(&mut typing, 9, "jam").expect("fine");
    shelf.sync(&mut typing);
    let own = entry(1, ME, 1, 9, &[added(9, "jam")]);
    hearing.hear_entries(std::slice::from_ref(&own));
    shelf.sync(&mut hearing);
    shelf.read(&mut third);
    assert_eq!((third.seq(), third.pending()), (Seq(1), vec![1]));
    assert_eq!(third.pushed(), [1]);
    third.hear_entries(&[own]);
    assert!(third.pending().is_empty());
    assert_eq!((third.view().as_str(), third.copy().is_current()), ("jam", true));
}

#[test]
fn rows_that_do_not_fit_each_other_are_no_copy() {
    let mut shelf = Shelf::new();
    let mut first = tab(&mut shelf);
    first.hear(required(5));
    first.take(snapshot(5, &[(1, "milk")]));
    shelf.sync(&mut first);
    assert_eq!(tab_of(&mut shelf).seq(), Seq(5));

    let (state, head) = (shelf.state.clone().expect("a state"), shelf.head.clone().expect("a head"));
    shelf.state = Some(state.replace(r#""seq":5"#, r#""seq":4"#));
    assert_eq!(tab_of(&mut shelf).seq(), Seq(0), "a state of another seq than its head says is not read");

    let stored = Stored {
        lacking: Lacking::Everything(Seq(6)),
        head: head.replace(r#""state_seq":5"#, r#""state_seq":6"#),
        state: Some(state),
        entries: Vec::new(),
        outbox: Vec::new(),
        rejections: Vec::new(),
    };
    let mut stage = Stage::kept();
    assert!(stage.replica.handle_stored(BOOK, &stored).is_err());
    assert_eq!(stage.seq(), Seq(0), "and nothing has changed");
}

/// A tab stores the entry of a mutation before it has read that it was typed in another.
#[test]
fn a_fate_that_another_tab_did_not_know_for_one_is_remembered() {
    let (mut shelf, [mut here, mut there]) = one_starts_at_five();
    shelf.sync(&mut here);
    write(&mut here, 9, "jam").expect("fine");
    shelf.sync(&mut here);
    there.hear_entries(&[entry(6, ME, 1, 9, &[added(9, "jam")])]);
    shelf.sync(&mut there);
    // Meanwhile the server was restored; twice, for the first start over gives way to what the store has.
    for _ in 0..2 {
        let mut parts = required(4);
        (parts["epoch"], parts["from_seq"]) = (json!(Epoch(Uuid::from_u128(2))), json!(3));
        here.hear(parts);
        here.take(Snapshot { epoch: Epoch(Uuid::from_u128(2)), ..snapshot(4, &[(1, "milk")]) });
        shelf.sync(&mut here);
    }
    assert_eq!((here.view().as_str(), here.pending()), ("milk jam", vec![1]));
}

/// A history that has a mutation is left for one that lacks it: what counted as seen in the first still does, and no more.
#[test]
fn what_a_second_restore_lacks_is_offered_with_what_was_seen_before_the_first() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    here.hear_entries(&[others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])]);
    write(&mut here, 9, "jam").expect("fine");
    shelf.sync(&mut here);
    here.hear_entries(&[entry(3, ME, 1, 9, &[added(9, "jam")])]);
    shelf.sync(&mut here);
    for (epoch, from_seq, seq, numbers) in [(2, 1, 3, Some((ME, MutationNumber(1)))), (3, 2, 2, None)] {
        let epoch = Epoch(Uuid::from_u128(epoch));
        let mut parts = required(seq);
        (parts["epoch"], parts["from_seq"]) = (json!(epoch), json!(from_seq));
        here.hear(parts);
        let replicas = numbers.into_iter().collect();
        here.take(Snapshot { epoch, replicas, ..snapshot(seq, &[(1, "milk")]) });
        shelf.sync(&mut here);
    }
    assert_eq!(here.copy().pending().map(|pending| pending.mutation.base).collect::<Vec<_>>(), [Seq(1)]);
}

/// What enters over a subscription from before a snapshot would pass for what the snapshot's history lacks.
#[test]
fn what_answers_to_a_subscription_from_before_a_snapshot_is_not_followed() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    here.hear(required_from(0, 5));
    here.take(snapshot(5, &[(1, "milk")]));
    here.forget();
    here.hear(subscribed_at(5, hash_of_snapshot(5), 0));
    here.hear_entries(&[others(6, &[added(2, "tea")])]);
    assert_eq!((here.seq(), here.view()), (Seq(5), "milk".into()));
    assert!(here.sent().is_empty());
    shelf.sync(&mut here);
    assert_eq!(here.sent()[0]["type"], "subscribe", "once the start is stored");
    here.hear(subscribed_at(5, hash_of_snapshot(5), 0));
    here.hear_entries(&[others(6, &[added(2, "tea")])]);
    assert_eq!((here.seq(), here.view()), (Seq(6), "milk tea".into()));
}

/// What it says of own numbers is from before what the store has: it would seem that the server has lost some.
#[test]
fn what_answers_to_a_subscription_from_before_the_stored_state_was_lost_is_not_followed() {
    let (mut shelf, [mut here, mut there]) = one_starts_at_five();
    write(&mut there, 9, "jam").expect("fine");
    write(&mut there, 10, "figs").expect("fine");
    shelf.sync(&mut there);
    here.forget();
    shelf.sync(&mut here);
    assert_eq!((here.sent()[0]["type"].as_str(), here.pending()), (Some("subscribe"), vec![1, 2]));

    there.hear_entries(&[entry(6, ME, 1, 9, &[added(9, "jam")])]);
    shelf.sync(&mut there);
    shelf.state = Some(r#"{"version":99}"#.into());
    tab_of(&mut shelf);
    shelf.sync(&mut here);
    assert_eq!(here.pending(), [2]);
    here.events();
    here.hear(subscribed_at(5, hash_of_snapshot(5), 0));
    assert!(here.copy().held().is_none() && !here.events().contains(&Event::NewReplicaNeeded));
    let numbers = [(ME, MutationNumber(1))].into_iter().collect();
    here.take(Snapshot { replicas: numbers, ..snapshot(6, &[(1, "milk"), (9, "jam")]) });
    assert_eq!((here.seq(), here.pending()), (Seq(6), vec![2]));
}

/// A tab that starts from nothing hears from the store alone which history it is in.
#[test]
fn what_comes_from_the_store_is_of_the_stores_history() {
    let mut shelf = Shelf::new();
    let (mut there, mut here) = (Stage::kept(), Stage::kept());
    for stage in [&mut there, &mut here] {
        shelf.sync(stage);
        stage.connect();
    }
    // Somebody looked before they were let in, and what they were told is stored.
    there.hear(json!({ "type": "role", "book": BOOK, "role": null }));
    shelf.sync(&mut there);
    shelf.read(&mut here);
    there.replica.subscribe_again(BOOK);
    there.hear(subscribed_at(0, there.hash(), 0));
    here.hear(required_from(0, 20));
    here.forget();
    there.hear_entries(&[others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])]);
    shelf.sync(&mut there);
    shelf.read(&mut here);
    assert_eq!((here.seq(), here.copy().epoch()), (Seq(2), there.copy().epoch()));
    here.take(snapshot(1, &[(1, "milk")]));
    assert_eq!((here.seq(), here.view().as_str()), (Seq(2), "milk tea"), "it was asked for before");
}

/// The server has not said that the snapshot's history is another, and in the store's its numbers may be used up.
#[test]
fn a_start_over_that_may_be_of_the_same_history_gives_way_to_one_that_has_gone_on() {
    for is_line_gone in [true, false] {
        let mut shelf = Shelf::new();
        let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
        write(&mut there, 9, "jam").expect("fine");
        shelf.sync(&mut there);
        shelf.read(&mut here);
        if is_line_gone {
            here.hear(required_from(0, 20));
            here.replica.handle_closed(here.now, None);
            here.connect();
        } else {
            // What the copy finds by itself.
            here.hear(subscribed_at(0, hash_of_snapshot(9), 0));
            assert_eq!(here.copy().contradictions().count, 1);
        }
        here.take(snapshot(1, &[(1, "milk")]));
        there.hear_entries(&[others(1, &[added(1, "milk")]), entry(2, ME, 1, 9, &[added(9, "jam")])]);
        shelf.sync(&mut there);
        shelf.sync(&mut here);
        assert_eq!((here.seq(), here.pending(), here.view()), (Seq(2), vec![], "milk jam".into()), "{is_line_gone}");
    }
}

/// Another tab stores an entry while the answer that was read before it is still on its way.
#[test]
fn an_answer_that_is_older_than_what_the_store_has_is_asked_for_again() {
    let mut shelf = Shelf::new();
    let (mut there, mut here) = (tab(&mut shelf), tab(&mut shelf));
    write(&mut here, 9, "jam").expect("fine");
    shelf.sync(&mut here);
    let log = [entry(1, ME, 1, 9, &[added(9, "jam")]), others(2, &[added(2, "tea")])];
    here.replica.handle_closed(here.now, None);
    here.connect();
    let ask =
        |stage: &mut Stage| stage.sent().into_iter().filter(|frame| frame["type"] == "subscribe").collect::<Vec<_>>();
    assert_eq!(ask(&mut here)[0]["after"], 0);
    shelf.read(&mut there);
    there.hear_entries(&log[..1]);
    shelf.sync(&mut there);
    shelf.read(&mut here);
    here.events();
    here.hear(subscribed_at(0, ChainHash::ZERO, 0));
    assert_eq!(ask(&mut here)[0]["after"], 1);
    here.hear_entries(&log[1..]);
    assert_eq!(here.seq(), Seq(1), "over the first subscription");
    here.hear(subscribed_at(1, here.hash(), 1));
    here.hear_entries(&log[1..]);
    assert_eq!((here.seq(), here.copy().contradictions().count, here.copy().held()), (Seq(2), 0, None));
    assert!(!here.events().contains(&Event::FetchSnapshot { book: BOOK }));
}

/// Another tab stores what became of a mutation, but not its entry, while the answer that was read before is on its way.
#[test]
fn an_answer_that_is_older_than_a_fate_in_the_store_is_asked_for_again() {
    let mut shelf = Shelf::new();
    let (mut here, mut there, mut anew) = (tab(&mut shelf), tab(&mut shelf), tab(&mut shelf));
    write(&mut here, 9, "jam").expect("fine");
    shelf.sync(&mut here);
    for tab in [&mut there, &mut anew] {
        shelf.read(tab);
    }
    let mut log: Vec<_> = (1..=5).map(|seq| others(seq, &[])).collect();
    log.push(rejecting(6, 1, 9, "id_taken"));
    there.hear_entries(&log);
    anew.hear(required(5));
    anew.take(snapshot(5, &[(1, "milk")]));
    shelf.sync(&mut anew);
    here.forget();
    shelf.sync(&mut here);
    assert_eq!((here.sent()[0]["pending_from"].as_u64(), here.seq()), (Some(1), Seq(5)));
    write(&mut here, 10, "figs").expect("fine");
    shelf.sync(&mut there);
    shelf.sync(&mut here);
    assert_eq!((here.pending(), shelf.outbox.len()), (vec![2], 1), "the store tells what became of the first");

    here.hear(subscribed_at(5, hash_of_snapshot(5), 0));
    assert_eq!((here.sent()[0]["pending_from"].as_u64(), here.copy().held()), (Some(2), None));
    here.hear(subscribed_at(5, hash_of_snapshot(5), 1));
    assert_eq!(here.pushed(), [2]);
    assert!(!here.events().contains(&Event::NewReplicaNeeded));
}

/// The other tab heard it from the server before that was restored.
#[test]
fn what_the_store_brings_before_the_answer_is_compared_with_what_comes() {
    let mut shelf = Shelf::new();
    let (mut there, mut here) = (tab(&mut shelf), tab(&mut shelf));
    here.replica.handle_closed(here.now, None);
    here.connect();
    there.hear_entries(&[others(1, &[added(1, "oil")])]);
    shelf.sync(&mut there);
    shelf.read(&mut here);
    let log = [others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])];
    here.hear(subscribed_at(2, chain(&log), 0));
    here.hear_entries(&log);
    assert_eq!((here.seq(), here.copy().contradictions().count), (Seq(1), 1));
}

/// Both knew of no epoch when they asked, and between the two the server was restored.
#[test]
fn what_the_store_has_of_another_epoch_is_not_mixed_with_what_came() {
    let mut shelf = Shelf::new();
    let (mut there, mut here) = (Stage::kept(), Stage::kept());
    write(&mut there, 9, "jam").expect("fine");
    shelf.sync(&mut there);
    shelf.read(&mut here);
    there.connect();
    there.hear(subscribed_at(0, ChainHash::ZERO, 0));
    there.hear_entries(&[entry(1, ME, 1, 9, &[added(9, "jam")]), others(2, &[added(2, "oil")])]);
    shelf.sync(&mut there);

    here.connect();
    let mut restored = subscribed_at(1, ChainHash::ZERO, 0);
    restored["epoch"] = json!(Epoch(Uuid::from_u128(2)));
    here.hear(restored);
    here.hear_entries(&[others(1, &[added(1, "tea")])]);
    here.forget();
    assert_eq!(shelf.read(&mut here), Some(Lacking::Everything(Seq(0))));
    assert_eq!((here.seq(), here.view().as_str(), here.copy().epoch()), (Seq(2), "oil jam", there.copy().epoch()));
    assert_eq!(here.sent()[0]["epoch"], json!(there.copy().epoch()), "it asks again");
}
