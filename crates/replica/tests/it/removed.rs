//! The person's role, and a person who is no longer a member.

use serde_json::{Value, json};
use tidebook_book::Role;
use tidebook_replica::{Event, SyncStatus};

use crate::checklist::add;
use crate::stage::{ANA, BOOK, Stage, added, others, required, snapshot, subscribed};

fn people(role: Value) -> Value {
    let other = json!({ "id": uuid::Uuid::from_u128(0xaa), "name": "Ben", "role": "owner" });
    json!({ "type": "people", "book": BOOK, "people": [other, { "id": ANA, "name": "Ana", "role": role }] })
}

fn removed() -> Value {
    json!({ "type": "role", "book": BOOK, "role": null })
}

/// Ana wrote two things, of which the second is unsent, and was removed.
fn removed_with_two_pending() -> Stage {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.hear(removed());
    stage.mutate(2, &[add(2, "tea")]).expect("it can still be written");
    stage.forget();
    stage
}

#[test]
fn the_role_is_that_last_told() {
    let mut stage = Stage::welcome();
    assert_eq!(stage.copy().role(), None);
    stage.hear(subscribed(0, 0));
    assert_eq!(stage.copy().role(), Some(Role::Editor));
    for (role, expected) in [("viewer", Role::Viewer), ("owner", Role::Owner), ("editor", Role::Editor)] {
        stage.hear(people(json!(role)));
        assert_eq!(stage.copy().role(), Some(expected));
    }
    stage.hear(people(json!(null)));
    assert_eq!((stage.copy().role(), stage.copy().is_removed()), (Some(Role::Editor), false), "`role` says that");
    let mut snapshot = snapshot(4, &[]);
    snapshot.people = vec![tidebook_book::Person { id: ANA, name: "Ana".into(), role: Some(Role::Viewer) }];
    snapshot.state_hash = snapshot.clone().into_state().hash();
    stage.hear(required(4));
    stage.take(snapshot);
    assert_eq!(stage.copy().role(), Some(Role::Viewer));
}

#[test]
fn of_a_book_someone_was_removed_from_nothing_is_taken() {
    let mut stage = removed_with_two_pending();
    assert!(stage.copy().is_removed() && stage.copy().role().is_none() && stage.copy().held().is_some());
    assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::NeedsAttention(1));
    stage.hear_entries(&[others(1, &[added(9, "secret")])]);
    stage.take(snapshot(5, &[(9, "secret")]));
    stage.hear(people(json!("owner")));
    stage.hear(json!({ "type": "role", "book": BOOK, "role": "owner" }));
    assert!(stage.copy().is_removed() && stage.copy().role().is_none() && stage.copy().people().is_empty());
    assert_eq!((stage.view().as_str(), stage.seq().0), ("milk tea", 0));
    assert_eq!(stage.pending(), [1, 2], "and what was not sent stays");
    assert!(stage.sent().is_empty());
    assert_eq!(stage.replica.poll_timeout(), None);
}

#[test]
fn it_is_not_subscribed_to_until_the_person_asks() {
    let mut stage = removed_with_two_pending();
    stage.replica.handle_closed(stage.now, None);
    stage.connect();
    let sent = stage.sent();
    assert_eq!((&sent[0]["type"], sent.len()), (&json!("hello"), 1));

    stage.replica.subscribe_again(BOOK);
    assert_eq!(stage.sent()[0]["type"], "subscribe");
    stage.hear(removed());
    assert!(stage.copy().is_removed(), "no is no");
    stage.replica.subscribe_again(BOOK);
    stage.forget();
    stage.hear(subscribed(0, 0));
    assert!(!stage.copy().is_removed() && stage.copy().held().is_none());
    assert_eq!((stage.copy().role(), stage.pushed()), (Some(Role::Editor), vec![1, 2]));
}

#[test]
fn to_ask_without_a_line_is_to_ask_on_the_next() {
    let mut stage = removed_with_two_pending();
    stage.replica.handle_closed(stage.now, None);
    stage.replica.subscribe_again(BOOK);
    assert!(stage.sent().is_empty());
    stage.connect();
    assert_eq!(stage.sent()[1]["type"], "subscribe");
}

/// Nothing but the answer to a subscription can tell why there is no snapshot; all else it says is passed over.
#[test]
fn who_was_removed_while_the_copy_starts_over_by_itself_is_told() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(5, &[])]);
    assert_eq!(stage.events(), [Event::FetchSnapshot { book: BOOK }]);
    stage.replica.handle_snapshot_failed(stage.now, BOOK);
    let asked = stage.sent();
    assert_eq!((asked.len(), &asked[0]["type"]), (1, &json!("subscribe")));
    stage.hear(subscribed(5, 0));
    stage.hear(required(5));
    stage.hear_entries(&[others(1, &[added(1, "milk")])]);
    assert_eq!((stage.seq().0, stage.sent().len()), (0, 0));
    stage.hear(removed());
    assert!(stage.copy().is_removed());
    assert_eq!(stage.replica.poll_timeout(), None);
}

#[test]
fn a_snapshot_that_comes_after_the_removal_is_not_taken() {
    let mut stage = Stage::live();
    stage.hear(required(5));
    assert_eq!(stage.events(), [Event::FetchSnapshot { book: BOOK }]);
    stage.hear(removed());
    stage.forget();
    stage.take(snapshot(5, &[(9, "secret")]));
    assert_eq!((stage.view().as_str(), stage.seq().0, stage.events()), ("", 0, vec![]));
}
