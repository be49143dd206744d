//! What a store on the device keeps, and several programs over one store.

use serde_json::json;
use tidebook_book::ReplicaId;
use tidebook_replica::{Event, Lacking, MutateError, Unsent};
use uuid::Uuid;

use crate::checklist::add;
use crate::shelf::Shelf;
use crate::stage::{
    BOOK, ME, Stage, added, chain, entry, hash_of_snapshot, id, others, refused, rejecting, required, snapshot,
    subscribed, subscribed_at,
};

const FRESH: ReplicaId = ReplicaId(Uuid::from_u128(0x77));

/// A tab that was just opened over what is stored, and has a line.
pub(crate) fn tab(shelf: &mut Shelf) -> Stage {
    let mut tab = Stage::kept();
    shelf.sync(&mut tab);
    tab.connect();
    let accepted = 0;
    let (seq, hash) = (tab.seq().0, tab.hash());
    tab.hear(subscribed_at(seq, hash, accepted));
    shelf.sync(&mut tab);
    tab.forget();
    tab
}

pub(crate) fn write(tab: &mut Stage, number: u128, text: &str) -> Result<(), MutateError> {
    tab.mutate(number, &[add(number as u32, text)]).map(drop)
}

#[test]
fn a_mutation_goes_out_once_it_is_stored() {
    let (mut shelf, mut here) = (Shelf::new(), Stage::kept());
    here.connect();
    here.hear(subscribed(0, 0));
    here.forget();
    write(&mut here, 1, "milk").expect("fine");
    assert_eq!((here.view().as_str(), here.pushed().len(), here.copy().unsaved()), ("milk", 0, 1));
    shelf.sync(&mut here);
    assert_eq!((here.pushed(), here.copy().unsaved()), (vec![1], 0));
    assert_eq!(shelf.outbox.len(), 1);
}

#[test]
fn a_write_that_failed_is_due_again_and_nothing_of_it_went_out() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    let before = shelf.clone();
    here.hear_entries(&[others(1, &[added(1, "milk")])]);
    write(&mut here, 2, "tea").expect("fine");
    let lost = here.replica.take_write(BOOK).expect("something to write");
    assert_eq!(here.replica.take_write(BOOK), None, "one at a time");
    write(&mut here, 3, "jam").expect("fine");
    here.replica.handle_write_failed(BOOK);
    assert_eq!(here.pushed(), [0; 0]);
    assert_eq!((lost.entries.len(), lost.outbox.len()), (1, 1));
    assert_eq!(shelf.outbox, before.outbox);
    assert_eq!(here.replica.to_write(), [BOOK]);
    shelf.sync(&mut here);
    assert_eq!(here.pushed(), [1, 2]);
    assert_eq!((shelf.entries.len(), shelf.outbox.len()), (1, 2));
    assert_eq!(tab(&mut shelf).view(), "milk tea jam");
}

#[test]
fn a_program_goes_on_where_the_last_one_ended() {
    let mut shelf = Shelf::new();
    let mut first = tab(&mut shelf);
    let log = [others(1, &[added(1, "milk")]), entry(2, ME, 1, 2, &[added(2, "tea")])];
    write(&mut first, 2, "tea").expect("fine");
    shelf.sync(&mut first);
    first.hear_entries(&log);
    write(&mut first, 3, "jam").expect("fine");
    shelf.sync(&mut first);

    let mut second = Stage::kept();
    assert!(matches!(shelf.sync(&mut second), Some(Lacking::Everything(_))));
    assert_eq!((second.view(), second.seq(), second.hash()), (first.view(), first.seq(), chain(&log)));
    assert_eq!((second.pending(), second.copy().role()), (vec![2], first.copy().role()));
    second.connect();
    let subscribe = second.sent().pop().expect("subscribe");
    assert_eq!((&subscribe["after"], &subscribe["hash"]), (&json!(2), &json!(chain(&log))));
    assert_eq!((&subscribe["pending_from"], &subscribe["epoch"]), (&json!(2), &json!(crate::stage::EPOCH)));
    second.hear(subscribed_at(2, chain(&log), 1));
    assert_eq!(second.pushed(), [2]);
    write(&mut second, 4, "oil").expect("fine");
    shelf.sync(&mut second);
    assert_eq!(second.pushed(), [3], "numbers go on");
}

#[test]
fn two_tabs_share_numbers_and_each_shows_what_the_other_wrote() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    write(&mut here, 1, "milk").expect("fine");
    write(&mut there, 2, "tea").expect("fine");
    shelf.sync(&mut here);
    assert_eq!(here.pushed(), [1]);
    assert!(matches!(shelf.sync(&mut there), Some(Lacking::EntriesAfter(_))));
    assert_eq!(there.pushed(), [1, 2], "whoever has a line offers what is stored");
    assert_eq!((there.view().as_str(), there.pending()), ("milk tea", vec![1, 2]));
    shelf.read(&mut here);
    assert_eq!((here.view().as_str(), here.pending()), ("milk tea", vec![1, 2]));
    assert_eq!(here.pushed(), [2]);
}

#[test]
fn what_one_tab_heard_the_other_reads_and_nothing_is_written_twice() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    write(&mut here, 1, "milk").expect("fine");
    shelf.sync(&mut here);
    shelf.sync(&mut there);
    let log = [entry(1, ME, 1, 1, &[added(1, "milk")]), others(2, &[added(2, "tea")])];
    here.hear_entries(&log);
    shelf.sync(&mut here);
    assert_eq!((shelf.outbox.len(), shelf.entries.len()), (0, 2));
    there.forget();
    shelf.read(&mut there);
    assert_eq!((there.view().as_str(), there.pending().len(), there.seq().0), ("milk tea", 0, 2));
    let told = there.events();
    let is_news = |event: &Event<_>| matches!(event, Event::Changed { news, .. } if news.len() == 1);
    assert!(told.iter().any(is_news), "{told:?}");
    there.hear_entries(&log);
    assert_eq!(there.replica.take_write(BOOK), None, "the store has it already");
}

#[test]
fn what_found_its_fate_here_does_not_come_back_from_the_store() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    write(&mut here, 1, "milk").expect("fine");
    shelf.sync(&mut here);
    here.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "milk")])]);
    // Before that is stored another tab writes.
    write(&mut there, 2, "tea").expect("fine");
    shelf.sync(&mut there);
    shelf.sync(&mut here);
    assert_eq!((here.pending(), here.view().as_str()), (vec![2], "milk tea"));
    assert_eq!(shelf.outbox.len(), 1);
}

#[test]
fn what_changes_while_it_is_written_is_not_stored_yet() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    write(&mut here, 1, "milk").expect("fine");
    let on_its_way = here.replica.take_write(BOOK).expect("something to write");
    here.replica.withdraw(BOOK, id(1)).expect("it waits");
    write(&mut here, 2, "tea").expect("fine");
    shelf.put(on_its_way);
    here.replica.handle_written(BOOK);
    assert_eq!((here.pushed(), here.copy().unsaved()), (vec![], 2));
    shelf.sync(&mut here);
    assert_eq!((here.pushed(), here.copy().unsaved()), (vec![1, 2], 0));
}

#[test]
fn a_tab_that_is_behind_takes_nothing_back() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    let log = [others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")]), others(3, &[added(3, "jam")])];
    there.hear_entries(&log[..1]);
    here.hear_entries(&log);
    shelf.sync(&mut here);
    shelf.sync(&mut there);
    assert_eq!((shelf.entries.len(), there.seq().0, there.hash()), (3, 3, chain(&log)));
    assert_eq!(tab(&mut shelf).view(), "milk tea jam");
}

#[test]
fn a_rejection_stays_until_somebody_deals_with_it_in_any_tab() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    write(&mut here, 1, "milk").expect("fine");
    shelf.sync(&mut here);
    shelf.sync(&mut there);
    here.hear_entries(&[rejecting(1, 1, 1, "no")]);
    shelf.sync(&mut here);
    shelf.sync(&mut there);
    assert_eq!((there.copy().rejections().len(), there.pending().len()), (1, 0));
    assert_eq!(tab(&mut shelf).copy().rejections().len(), 1);
    there.replica.discard_rejection(BOOK, id(1)).expect("it is there");
    shelf.sync(&mut there);
    shelf.sync(&mut here);
    assert_eq!((here.copy().rejections().len(), shelf.rejections.len()), (0, 0));
    // Heard once more, it does not come back.
    there.hear_entries(&[rejecting(1, 1, 1, "no")]);
    shelf.sync(&mut there);
    assert_eq!(tab(&mut shelf).copy().rejections().len(), 0);
}

#[test]
fn what_is_in_no_book_is_the_same_from_the_copy_and_from_its_rows() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    assert!(here.copy().unsent().is_empty());
    write(&mut here, 1, "milk").expect("fine");
    write(&mut here, 2, r#"tea "ops":[]"#).expect("fine");
    write(&mut here, 3, "jam").expect("fine");
    shelf.sync(&mut here);
    here.hear_entries(&[rejecting(1, 1, 1, "no")]);
    here.replica.withdraw(BOOK, id(3)).expect("it is pending");
    shelf.sync(&mut here);
    let unsent = here.copy().unsent();
    assert_eq!((unsent.mutations.len(), unsent.rejections.len(), unsent.len()), (1, 1, 2));
    assert!(unsent.mutations[0].contains("tea") && unsent.rejections[0].contains("milk"), "{unsent:?}");
    let (outbox, rejections) = (shelf.outbox.values().cloned().collect(), shelf.rejections.values().cloned().collect());
    assert_eq!(Unsent::of_rows(outbox, rejections), unsent);
}

#[test]
fn a_withdrawal_is_stored_before_it_is_offered() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    let mut there = tab(&mut shelf);
    write(&mut here, 1, "milk").expect("fine");
    shelf.sync(&mut here);
    shelf.sync(&mut there);
    here.forget();
    here.replica.withdraw(BOOK, id(1)).expect("it waits");
    assert_eq!(here.pushed(), [0; 0]);
    shelf.sync(&mut here);
    let frame = here.sent().pop().expect("a push");
    assert_eq!(frame["mutations"][0]["ops"], json!([]));
    shelf.read(&mut there);
    assert_eq!(there.view(), "");
}

#[test]
fn under_a_new_replica_id_all_is_numbered_anew_in_every_tab() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    for number in 1..=2 {
        write(&mut here, number, "x").expect("fine");
    }
    shelf.sync(&mut here);
    shelf.sync(&mut there);
    here.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "x")])]);
    shelf.sync(&mut here);
    write(&mut there, 3, "y").expect("fine");
    shelf.replica = FRESH;
    here.forget();
    shelf.sync(&mut here);
    assert_eq!((here.replica.id(), here.pending()), (FRESH, vec![1]));
    shelf.sync(&mut there);
    assert_eq!((there.replica.id(), there.pending(), there.view().as_str()), (FRESH, vec![1, 2], "x x y"));
    let third = tab_of(&mut shelf);
    assert_eq!((third.pending(), third.view().as_str()), (vec![1, 2], "x x y"));
}

/// A tab whose replica id is the stored one, without a line.
pub(crate) fn tab_of(shelf: &mut Shelf) -> Stage {
    let mut tab = Stage::kept();
    shelf.sync(&mut tab);
    tab
}

#[test]
fn a_copy_that_starts_over_does_so_in_the_store_and_in_every_tab() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    here.hear_entries(&[others(1, &[added(1, "milk")])]);
    write(&mut here, 9, "jam").expect("fine");
    shelf.sync(&mut here);
    shelf.sync(&mut there);
    here.hear(required(5));
    here.take(snapshot(5, &[(1, "milk"), (2, "tea")]));
    shelf.sync(&mut here);
    assert_eq!((shelf.entries.len(), shelf.state.is_some()), (0, true));
    there.forget();
    assert!(matches!(shelf.read(&mut there), Some(Lacking::Everything(_))));
    assert_eq!((there.view().as_str(), there.seq().0, there.pending()), ("milk tea jam", 5, vec![1]));
    assert!(there.events().contains(&Event::Reset { book: BOOK }));
    assert_eq!(there.sent().last().map(|frame| frame["after"].clone()), Some(json!(5)), "asks from there");
    assert_eq!(tab(&mut shelf).view(), "milk tea jam");
}

/// The other tab went on from a snapshot, so that no entry tells this one.
#[test]
fn what_was_withdrawn_too_late_is_not_offered_under_another_number() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    write(&mut here, 1, "tea").expect("fine");
    shelf.sync(&mut here);
    shelf.sync(&mut there);
    there.hear(required(5));
    there.take(snapshot(5, &[(1, "tea")]));
    shelf.sync(&mut there);
    there.hear(subscribed_at(5, hash_of_snapshot(5), 1));
    there.hear(json!({ "type": "fates", "book": BOOK, "entries": [entry(3, ME, 1, 1, &[added(1, "tea")])] }));
    shelf.sync(&mut there);
    assert!(there.pending().is_empty());
    here.replica.withdraw(BOOK, id(1)).expect("it has no fate here");
    here.forget();
    shelf.sync(&mut here);
    assert_eq!((here.pending(), here.view().as_str()), (Vec::new(), "tea"));
}

/// Its line was slow, and another tab's quick.
#[test]
fn a_gap_that_another_tab_has_seen_close_is_none() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    for n in 1..=3 {
        write(&mut here, n, "tea").expect("fine");
    }
    shelf.sync(&mut here);
    here.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "tea")]), entry(2, ME, 2, 2, &[added(2, "tea")])]);
    here.forget();
    for (n, expected) in [(2, 1), (3, 2)] {
        let mut gap = refused(n, "gap");
        gap["expected"] = json!(expected);
        here.hear(gap);
        assert_eq!(here.copy().held(), None, "{n}, {expected}");
        assert_eq!(here.events(), [], "{n}, {expected}");
    }
}

#[test]
fn a_copy_that_starts_over_takes_nothing_of_the_history_it_left() {
    let mut shelf = Shelf::new();
    let (mut here, mut there) = (tab(&mut shelf), tab(&mut shelf));
    let log = [others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])];
    here.hear_entries(&log);
    shelf.sync(&mut here);
    here.hear(required(1));
    here.take(snapshot(1, &[(1, "oil")]));
    // Before that is stored another tab writes, still in the old history.
    write(&mut there, 9, "jam").expect("fine");
    shelf.sync(&mut there);
    shelf.sync(&mut here);
    assert_eq!((here.view().as_str(), here.seq().0, here.pending()), ("oil jam", 1, vec![1]));
    shelf.read(&mut there);
    assert_eq!((there.view().as_str(), there.seq().0, there.hash()), ("oil jam", 1, here.hash()));
    assert_eq!(tab_of(&mut shelf).view(), "oil jam");
}

#[test]
fn what_was_typed_in_a_history_that_was_left_is_stored_with_what_counts_as_seen() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    here.hear_entries(&[others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")])]);
    write(&mut here, 9, "jam").expect("fine");
    shelf.sync(&mut here);
    here.hear(required(1));
    here.take(snapshot(1, &[(1, "milk")]));
    shelf.sync(&mut here);
    let mut next = tab(&mut shelf);
    assert_eq!(next.copy().pending().next().map(|pending| pending.mutation.base.0), Some(0));
    write(&mut next, 10, "oil").expect("fine");
    assert_eq!(next.copy().pending().last().map(|pending| pending.mutation.base.0), Some(1));
}

#[test]
fn the_state_is_stored_anew_every_few_thousand_entries() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    let log: Vec<_> = (1..=10_000).map(|seq| others(seq, &[added(seq as u32, "x")])).collect();
    for frame in log.chunks(500) {
        here.hear_entries(frame);
        shelf.sync(&mut here);
    }
    let state = shelf.state.as_ref().expect("a state");
    assert!(state.contains(r#""seq":9000"#) && !state.contains("9001"), "{}", &state[..200]);
    assert_eq!(shelf.entries.keys().next(), Some(&(9_000 - 4_096 + 1)));
    let again = tab_of(&mut shelf);
    assert_eq!((again.seq().0, again.hash(), again.view()), (10_000, here.hash(), here.view()));
}

#[test]
fn what_does_not_read_changes_nothing() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    write(&mut here, 1, "milk").expect("fine");
    shelf.sync(&mut here);
    assert!(here.replica.lacking(BOOK, "{").is_err());
    let mut stored = shelf.clone();
    stored.outbox.insert(id(2), r#"{"id":"x"}"#.into());
    let rows = tidebook_replica::Stored {
        lacking: Lacking::EntriesAfter(here.seq()),
        head: stored.head.clone().expect("a head"),
        state: None,
        entries: Vec::new(),
        outbox: stored.outbox.values().cloned().collect(),
        rejections: Vec::new(),
    };
    assert!(here.replica.handle_stored(BOOK, &rows).is_err());
    assert_eq!((here.view().as_str(), here.pending()), ("milk", vec![1]));
}

#[test]
fn a_state_that_does_not_read_is_fetched_anew_and_what_waits_is_still_there() {
    let mut shelf = Shelf::new();
    let mut first = tab(&mut shelf);
    first.hear(required(5));
    first.take(snapshot(5, &[(1, "milk")]));
    first.hear(subscribed_at(5, first.hash(), 0));
    first.hear_entries(&[others(6, &[added(2, "tea")])]);
    write(&mut first, 9, "jam").expect("fine");
    shelf.sync(&mut first);
    shelf.state = Some(r#"{"version":99}"#.into());

    let mut next = tab_of(&mut shelf);
    assert_eq!((next.seq().0, next.pending(), next.view().as_str()), (0, vec![1], "jam"));
    next.connect();
    next.hear(required(6));
    shelf.sync(&mut next);
    next.take(snapshot(6, &[(1, "milk"), (2, "tea")]));
    shelf.sync(&mut next);
    let last = tab_of(&mut shelf);
    assert_eq!((last.seq().0, last.pending(), last.view().as_str()), (6, vec![1], "milk tea jam"));
    assert_eq!(shelf.entries.len(), 0, "they followed from what was lost");
}

#[test]
fn without_a_store_what_waits_goes_out_from_memory_under_another_id() {
    let mut shelf = Shelf::new();
    let mut here = tab(&mut shelf);
    write(&mut here, 1, "milk").expect("fine");
    here.replica.take_write(BOOK).expect("something to write");
    here.replica.handle_write_failed(BOOK);
    here.replica.go_on_in_memory(here.now, FRESH);
    here.connect();
    here.hear(subscribed(0, 0));
    let frames = here.sent();
    assert!(frames.iter().any(|frame| frame["type"] == "hello" && frame["replica"] == json!(FRESH)), "{frames:?}");
    assert_eq!(frames.last().map(|frame| frame["mutations"][0]["n"].clone()), Some(json!(1)));
    assert_eq!((here.replica.to_write().len(), here.copy().unsaved()), (0, 1));
}
