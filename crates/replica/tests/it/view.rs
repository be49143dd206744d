//! The view: confirmed state with the outbox on top, and what a screen is told of it.

use std::collections::BTreeSet;

use serde_json::json;
use tidebook_replica::{Event, MutateError, SyncStatus};

use crate::checklist::{Checklist, ItemId, ListOp, add, tick};
use crate::stage::{BOOK, ME, OTHER, Stage, added, entry, id, others, rejecting, ticked};

fn changed(touched: &[u32], news: &[u32]) -> Event<Checklist> {
    let set = |ids: &[u32]| ids.iter().map(|id| ItemId(*id)).collect::<BTreeSet<_>>();
    Event::Changed { book: BOOK, touched: set(touched), news: set(news) }
}

#[test]
fn what_a_person_does_shows_at_once_with_and_without_a_line() {
    for mut stage in [Stage::new(), Stage::welcome(), Stage::live()] {
        stage.forget();
        stage.mutate(1, &[add(1, "milk"), add(2, "tea")]).expect("fine");
        assert_eq!(stage.view(), "milk tea");
        assert_eq!(stage.events(), [changed(&[1, 2], &[])]);
        stage.mutate(2, &[tick(2)]).expect("fine");
        assert_eq!(stage.view(), "milk tea+");
        assert_eq!(stage.events(), [changed(&[2], &[])]);
        assert_eq!(stage.pending(), [1, 2]);
    }
}

#[test]
fn what_the_view_rejects_was_never_made() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.forget();
    let rejected = stage.mutate(2, &[add(2, "tea"), tick(9)]).expect_err("there is no 9");
    let MutateError::Rejected(rejected) = rejected else { panic!("{rejected:?}") };
    assert_eq!((&*rejected.code, rejected.op), ("unknown_item", 1));
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk", vec![1]));
    assert!(stage.events().is_empty() && stage.sent().is_empty());
    assert_eq!(stage.mutate(2, &[add(2, "tea")]).map(|n| n.0), Ok(2), "its number was not used up");
}

#[test]
fn an_own_entry_empties_the_outbox_and_leaves_the_view_as_it_is() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.mutate(2, &[tick(1)]).expect("fine");
    let predicted = stage.replica.view(BOOK).cloned();
    stage.forget();
    stage.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "milk")])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk+", vec![2]));
    stage.hear_entries(&[entry(2, ME, 2, 2, &[ticked(1, "milk")])]);
    assert_eq!(stage.events(), [], "nothing to look at again");
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk+", vec![]));
    assert_eq!(stage.replica.view(BOOK).cloned(), predicted, "to the seq");
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::Synced);
}

#[test]
fn own_entries_that_say_other_than_the_view_are_told() {
    let mine = |seq: u64, n: u64, changes: &[serde_json::Value]| entry(seq, ME, n, n.into(), changes);
    let milk = || mine(1, 1, &[added(1, "milk")]);
    let cases: [(&[serde_json::Value], &[u32]); 7] = [
        (&[milk(), mine(2, 2, &[added(2, "tea")])], &[]),
        (&[milk(), mine(2, 2, &[])], &[1, 2, 3]),
        (&[milk(), mine(2, 2, &[added(2, "coffee")])], &[1, 2, 3]),
        (&[milk(), others(2, &[])], &[1, 2, 3]),
        (&[mine(1, 2, &[added(2, "tea")])], &[1, 2, 3]),
        (&[mine(1, 2, &[added(1, "milk")])], &[1, 2, 3]),
        (&[entry(1, OTHER, 9, 1, &[added(1, "milk")])], &[1, 2, 3]),
    ];
    for (frame, expected) in cases {
        let mut stage = Stage::live();
        for (n, text) in [(1, "milk"), (2, "tea"), (3, "jam")] {
            stage.mutate(n, &[add(n as u32, text)]).expect("fine");
        }
        stage.forget();
        stage.hear_entries(frame);
        let events = if expected.is_empty() { vec![] } else { vec![changed(expected, &[])] };
        assert_eq!(stage.events(), events, "{frame:?}");
    }
}

#[test]
fn entries_of_others_go_below_the_outbox() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.mutate(2, &[tick(1)]).expect("fine");
    stage.forget();
    stage.hear_entries(&[others(1, &[added(2, "tea")]), others(2, &[ticked(2, "tea"), added(3, "jam")])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk+ tea+ jam", vec![1, 2]));
    assert_eq!(stage.events(), [changed(&[1, 2, 3], &[2, 3])], "one rebase for a frame, and news from elsewhere alone");
    stage.hear_entries(&[
        entry(3, ME, 1, 1, &[added(1, "milk")]),
        others(4, &[added(4, "rye")]),
        entry(5, ME, 2, 2, &[ticked(1, "milk")]),
    ]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk+ tea+ jam rye", vec![]));
    assert_eq!(stage.events(), [changed(&[1, 4], &[4])]);
    stage.hear_entries(&[others(6, &[ticked(3, "jam")])]);
    assert_eq!(stage.events(), [changed(&[3], &[3])], "without an outbox, no more than what the entry touches");
}

#[test]
fn what_a_person_typed_stays_on_their_screen_until_its_entry_sets_it_aside() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(1, &[added(1, "milk")])]);
    let rename = ListOp::Rename { id: ItemId(1), text: "rye".into() };
    stage.mutate(1, &[rename]).expect("fine");
    stage.hear_entries(&[others(2, &[json!({ "type": "item_renamed", "id": 1, "text": "oats" })])]);
    assert_eq!(stage.view(), "rye", "a later edit of another's is none in the way of a prediction");
    stage.hear_entries(&[entry(3, ME, 1, 1, &[json!({ "type": "text_set_aside", "id": 1, "text": "rye" })])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("oats", vec![]));
    let item = stage.replica.view(BOOK).expect("open")[&ItemId(1)].clone();
    assert_eq!(item.set_aside.as_deref(), Some("rye"));
}

#[test]
fn what_was_removed_meanwhile_takes_what_builds_on_it_from_the_view() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(1, &[added(1, "milk"), added(2, "tea")])]);
    stage.mutate(1, &[tick(1)]).expect("fine");
    stage.mutate(2, &[ListOp::Remove { id: ItemId(2) }]).expect("fine");
    assert_eq!(stage.view(), "milk+");
    stage.hear_entries(&[others(2, &[json!({ "type": "item_removed", "id": 1 })])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("", vec![1, 2]));
    stage.hear_entries(&[rejecting(3, 1, 1, "unknown_item"), entry(4, ME, 2, 2, &[])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("tea", vec![]), "an edit of it had come first");
}

#[test]
fn the_same_person_on_another_device_is_news_too() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(1, &[added(1, "milk")])]);
    assert_eq!(stage.events(), [changed(&[1], &[1])]);
}

#[test]
fn what_the_confirmed_state_no_longer_takes_waits_for_the_server_unseen() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk"), add(2, "tea")]).expect("fine");
    stage.mutate(2, &[tick(2)]).expect("fine");
    stage.mutate(3, &[tick(1)]).expect("fine");
    stage.forget();
    // Another device took the number 1 on the list: mine is rejected as a whole, and what builds on it.
    stage.hear_entries(&[others(1, &[added(1, "rye")])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("rye+", vec![1, 2, 3]));
    assert_eq!(stage.events(), [changed(&[1, 2], &[1])]);
    // The next entry makes room for one of them.
    stage.hear_entries(&[others(2, &[added(2, "oil")])]);
    assert_eq!(stage.view(), "rye+ oil+");
}

#[test]
fn what_shows_again_is_told_though_no_entry_touched_it() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk"), add(2, "tea")]).expect("fine");
    stage.mutate(2, &[tick(2), add(5, "jam")]).expect("fine");
    stage.hear_entries(&[others(1, &[added(1, "rye")])]);
    assert_eq!(stage.view(), "rye");
    stage.forget();
    stage.hear_entries(&[others(2, &[added(2, "oil")])]);
    assert_eq!(stage.view(), "rye oil+ jam");
    assert_eq!(stage.events(), [changed(&[2, 5], &[2])]);
}

#[test]
fn a_rejected_mutation_leaves_the_view_and_is_kept_for_its_person() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk"), add(2, "tea")]).expect("fine");
    stage.mutate(2, &[tick(2)]).expect("fine");
    stage.mutate(3, &[add(3, "jam")]).expect("fine");
    stage.forget();
    stage.hear_entries(&[rejecting(1, 1, 1, "id_taken"), rejecting(2, 2, 2, "unknown_item")]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("jam", vec![3]));
    let rejected = |number| Event::Rejected { book: BOOK, mutation: id(number) };
    assert_eq!(stage.events(), [changed(&[1, 2, 3], &[]), rejected(1), rejected(2)]);

    let rejections = stage.replica.book(BOOK).expect("open").rejections();
    let kept: Vec<_> = rejections.iter().map(|kept| (kept.mutation.id, &*kept.rejected.code)).collect();
    assert_eq!(kept, [(id(1), "id_taken"), (id(2), "unknown_item")]);
    assert_eq!(rejections[0].mutation.ops, [add(1, "milk"), add(2, "tea")]);
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::NeedsAttention(2));
    stage.hear_entries(&[entry(3, ME, 3, 3, &[added(3, "jam")])]);
    assert!(!stage.replica.close_book(BOOK), "what is only here keeps the book open");

    assert_eq!(stage.replica.discard_rejection(BOOK, id(9)), None);
    assert_eq!(stage.replica.discard_rejection(BOOK, id(1)), Some(vec![add(1, "milk"), add(2, "tea")]));
    assert_eq!(stage.replica.discard_rejection(BOOK, id(1)), None);
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::NeedsAttention(1));
    assert_eq!(stage.replica.discard_rejection(BOOK, id(2)), Some(vec![tick(2)]));
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::Synced);
    assert!(stage.replica.close_book(BOOK));
    assert!(stage.replica.view(BOOK).is_none());
}

#[test]
fn a_rejection_of_someone_elses_changes_nothing_here() {
    let mut stage = Stage::live();
    let mut entry = others(1, &[]);
    entry["rejected"] = serde_json::json!({ "code": "id_taken", "detail": "", "op": 0 });
    stage.hear_entries(&[entry]);
    assert_eq!((stage.seq().0, stage.events()), (1, vec![]));
    assert!(stage.replica.book(BOOK).expect("open").rejections().is_empty());
}

#[test]
fn an_entry_may_say_other_than_predicted() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.mutate(2, &[tick(1)]).expect("fine");
    stage.hear_entries(&[entry(1, ME, 1, 1, &[added(5, "cream")])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("cream", vec![2]), "the log is right, and the tick waits");
}

#[test]
fn an_own_mutation_is_known_by_its_id_under_whatever_number_it_entered() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.hear_entries(&[entry(1, OTHER, 8, 1, &[added(1, "milk")])]);
    assert_eq!((stage.view().as_str(), stage.pending()), ("milk", vec![]));
}
