//! What does not fit: another history, a state that was computed otherwise, an app that is too old.

use serde_json::{Value, json};
use tidebook_book::{ChainHash, Epoch, Seq, Snapshot};
use tidebook_protocol::Refusal;
use tidebook_replica::{Event, Seen, SyncStatus};
use uuid::Uuid;

use crate::checklist::{Checklist, add};
use crate::stage::{
    BOOK, EPOCH, ME, Stage, added, chain, entry, hash_of_snapshot, others, required, required_from, snapshot,
    subscribed_at,
};

/// The longest first wait of the back-off.
const FIRST_WAIT_MS: u64 = 300;

const ANOTHER_EPOCH: Epoch = Epoch(Uuid::from_u128(0xee));

const FETCH: Event<Checklist> = Event::FetchSnapshot { book: BOOK };

fn log() -> [Value; 3] {
    [others(1, &[added(1, "milk")]), others(2, &[added(2, "tea")]), others(3, &[added(3, "jam")])]
}

/// Subscribed to a book of three entries, and all of them are here.
fn with_a_log() -> Stage {
    let mut stage = Stage::live();
    stage.hear_entries(&log());
    stage.forget();
    stage
}

/// Waits until the snapshot that is planned is asked for, and says how long that was.
fn wait_for_fetch(stage: &mut Stage) -> u64 {
    let due = stage.replica.poll_timeout().expect("another fetch is planned");
    let wait = due.0 - stage.now.0;
    if wait > 0 {
        stage.wait_ms(wait - 1);
        assert_eq!(stage.events(), [], "not before its time");
    }
    stage.wait_ms(due.0 - stage.now.0);
    assert_eq!(stage.events(), [FETCH]);
    wait
}

#[test]
fn a_head_that_is_another_than_the_copys_makes_it_start_over() {
    let here = chain(&log());
    let elsewhere = ChainHash::of(b"another log");
    let cases = [
        (subscribed_at(3, here, 0), true),
        (subscribed_at(3, elsewhere, 0), false),
        (subscribed_at(2, here, 0), false),
        (subscribed_at(4, elsewhere, 0), true),
    ];
    for (frame, fits) in cases {
        let mut stage = with_a_log();
        stage.mutate(1, &[add(9, "oil")]).expect("fine");
        stage.replica.handle_closed(stage.now, None);
        stage.connect();
        stage.forget();
        stage.hear(frame.clone());
        assert_eq!(stage.events().contains(&FETCH), !fits, "{frame}");
        let pushed: &[u64] = if fits { &[1] } else { &[] };
        assert_eq!(stage.pushed(), pushed, "{frame}");
        assert_eq!(stage.copy().contradictions().count, u32::from(!fits), "{frame}");
        assert_eq!((stage.view().as_str(), stage.seq().0), ("milk tea jam oil", 3), "{frame}");
    }
    let mut stage = with_a_log();
    let mut frame = subscribed_at(3, here, 0);
    frame["epoch"] = json!(ANOTHER_EPOCH);
    stage.hear(frame);
    assert!(stage.events().contains(&FETCH));
}

#[test]
fn an_entry_that_cannot_be_read_is_skipped_with_a_snapshot() {
    let mut stage = with_a_log();
    stage.mutate(1, &[add(9, "oil")]).expect("fine");
    stage.forget();
    stage.hear_entries(&[others(4, &[json!({ "type": "item_folded", "id": 1 })])]);
    assert_eq!(stage.events(), [FETCH]);
    let last = stage.copy().contradictions().last.clone().expect("one");
    assert!(last.starts_with("unreadable entry"), "{last}");
    stage.hear_entries(&[others(5, &[])]);
    stage.mutate(2, &[add(10, "rye")]).expect("it can still be written");
    assert_eq!((stage.seq().0, stage.sent().len()), (3, 0), "meanwhile nothing comes nor goes");

    stage.take(snapshot(5, &[(1, "milk")]));
    let sent = stage.sent();
    assert_eq!((&sent[0]["type"], &sent[0]["after"]), (&json!("subscribe"), &json!(5)));
    stage.hear_entries(&[others(6, &[])]);
    assert_eq!(stage.seq().0, 5, "of the old subscription");
    stage.hear(subscribed_at(5, hash_of_snapshot(5), 0));
    stage.hear_entries(&[others(6, &[added(2, "tea")])]);
    assert_eq!((stage.view().as_str(), stage.pushed()), ("milk tea oil rye", vec![1, 2]));
}

#[test]
fn a_copy_that_does_not_come_right_starts_over_at_growing_intervals() {
    let mut stage = with_a_log();
    let mut waits = Vec::new();
    for attempt in 0..30 {
        let seq = stage.seq().0;
        stage.hear_entries(&[others(seq + 2, &[])]);
        if attempt == 0 {
            assert_eq!(stage.events(), [FETCH], "the first at once");
        } else {
            waits.push(wait_for_fetch(&mut stage));
        }
        stage.take(snapshot(seq + 2, &[]));
        stage.hear(subscribed_at(seq + 2, hash_of_snapshot(seq + 2), 0));
        // What was here already is no progress.
        stage.hear_entries(&[others(seq + 2, &[])]);
        stage.forget();
    }
    assert!(waits[0] <= FIRST_WAIT_MS && waits.iter().max() > Some(&5_000), "{waits:?}");
    assert_eq!(stage.copy().contradictions().count, 30);
    let seq = stage.seq().0;
    stage.hear_entries(&[others(seq + 1, &[])]);
    stage.forget();
    stage.hear_entries(&[others(seq + 3, &[])]);
    assert_eq!(stage.events(), [FETCH], "entries were applied in between");
}

#[test]
fn a_snapshot_that_fails_is_fetched_again_after_a_wait() {
    let bad_hash = |mut snapshot: Snapshot<Checklist>| {
        snapshot.state_hash = ChainHash::of(b"another state");
        snapshot
    };
    type Fail = fn(&mut Stage, Snapshot<Checklist>);
    let cases: [(Fail, u32); 4] = [
        (|stage, _| stage.replica.handle_snapshot_failed(stage.now, BOOK), 0),
        (|stage, _| stage.replica.handle_snapshot_text(stage.now, BOOK, "<html>"), 0),
        (|stage, snapshot| stage.take(snapshot), 1),
        (
            |stage, snapshot| {
                let text = serde_json::to_string(&snapshot).expect("JSON");
                stage.replica.handle_snapshot_text(stage.now, BOOK, &text);
            },
            1,
        ),
    ];
    for (case, (fail, counted)) in cases.into_iter().enumerate() {
        let mut stage = with_a_log();
        stage.hear(required(9));
        assert_eq!(stage.events(), [FETCH]);
        stage.hear(required(9));
        assert_eq!(stage.events(), [], "one is on its way");
        let mut waits = Vec::new();
        for _ in 0..20 {
            fail(&mut stage, bad_hash(snapshot(9, &[])));
            assert_eq!((stage.view().as_str(), stage.seq().0), ("milk tea jam", 3), "case {case}");
            waits.push(wait_for_fetch(&mut stage));
        }
        assert!(waits[0] <= FIRST_WAIT_MS && waits.iter().max() > Some(&5_000), "case {case}: {waits:?}");
        assert_eq!(stage.copy().contradictions().count, 20 * counted, "case {case}");
        stage.take(snapshot(9, &[]));
        assert_eq!(stage.seq().0, 9, "case {case}");
    }
}

#[test]
fn the_text_of_a_snapshot_is_a_snapshot() {
    let mut stage = with_a_log();
    stage.hear(required(9));
    stage.forget();
    let text = serde_json::to_string(&snapshot(9, &[(4, "rye")])).expect("JSON");
    let another = tidebook_book::BookId(Uuid::from_u128(0xbb));
    stage.replica.open_book(another);
    stage.replica.handle_snapshot_text(stage.now, another, &text);
    assert_eq!(stage.seq().0, 3, "of another book than the one asked for");
    stage.replica.handle_snapshot_text(stage.now, BOOK, &text);
    assert_eq!((stage.view().as_str(), stage.seq().0), ("rye", 9));
}

#[test]
fn without_a_line_nothing_is_fetched_and_on_the_next_the_book_is_asked_for_first() {
    let mut stage = with_a_log();
    stage.hear(required(9));
    stage.replica.handle_snapshot_failed(stage.now, BOOK);
    stage.replica.handle_closed(stage.now, Some(4401));
    // The second time its driver may wait for long for a server that is gone.
    assert_eq!(stage.replica.poll_timeout(), None);
    for _ in 0..2 {
        stage.wait_ms(60_000);
        stage.forget();
        stage.connect();
        assert!(!stage.events().contains(&FETCH), "the server may go on from here now");
        assert_eq!(stage.sent().pop().map(|frame| frame["after"].clone()), Some(json!(3)));
        stage.hear(required(9));
        assert!(stage.events().contains(&FETCH));
        stage.replica.handle_closed(stage.now, None);
    }
    stage.connect();
    stage.take(snapshot(9, &[]));
    stage.take(snapshot(8, &[]));
    assert_eq!(stage.seq().0, 9);
}

/// An undeclared restore in between shows by nothing else.
#[test]
fn what_a_server_said_on_another_line_tells_nothing_of_a_snapshot() {
    for is_asked_again in [false, true] {
        let mut stage = with_a_log();
        stage.mutate_from(Seen::default().at(Seq(3)), 1, &[add(91, "x")]).expect("fine");
        let far_behind = required_from(3, 9);
        stage.hear(far_behind.clone());
        stage.replica.handle_closed(stage.now, None);
        stage.connect();
        if is_asked_again {
            stage.hear(far_behind);
        }
        stage.take(snapshot(9, &[]));
        let base = stage.copy().pending().map(|pending| pending.mutation.base).next();
        assert_eq!(base, Some(Seq(if is_asked_again { 3 } else { 0 })));
    }
}

/// With a log; one snapshot was given up with its line, and another is asked for.
fn awaiting_two_snapshots() -> Stage {
    let mut stage = with_a_log();
    stage.hear(required(8));
    stage.replica.handle_closed(stage.now, None);
    stage.connect();
    stage.hear(required(8));
    stage.wait_ms(FIRST_WAIT_MS);
    stage
}

/// Of two snapshots in flight the older one may come last, when the copy needs yet another.
#[test]
fn a_snapshot_that_was_given_up_with_its_line_takes_no_copy_back() {
    for is_asked_again in [false, true] {
        let mut stage = awaiting_two_snapshots();
        stage.take(snapshot(9, &[(1, "milk")]));
        stage.hear(required(9));
        stage.forget();
        if is_asked_again {
            wait_for_fetch(&mut stage);
            // It may be this one that comes, with the one that was given up still to come.
            stage.take(snapshot(8, &[]));
        }
        stage.take(snapshot(8, &[]));
        assert_eq!((stage.seq().0, stage.view().as_str()), (9, "milk"), "asked again: {is_asked_again}");
        wait_for_fetch(&mut stage);
        // Nothing is given up any more: what is older now is what the server has.
        stage.take(snapshot(8, &[(2, "tea")]));
        assert_eq!((stage.seq().0, stage.view().as_str()), (8, "tea"), "asked again: {is_asked_again}");
    }
}

/// The one that was asked for next may itself be overtaken before it comes.
#[test]
fn of_two_snapshots_on_their_way_neither_takes_the_copy_back() {
    let mut stage = awaiting_two_snapshots();
    stage.take(snapshot(2, &[]));
    stage.forget();
    wait_for_fetch(&mut stage);
    stage.take(snapshot(2, &[]));
    assert_eq!(stage.seq().0, 3, "it is what was asked for before");
}

/// One that was given up and is of the history that the server has now is what was asked for, however short that is.
#[test]
fn a_snapshot_from_before_entries_that_came_since_takes_no_copy_back() {
    let mut stage = Stage::live();
    // Nothing is here yet, and the server says that it goes on from there.
    let far_behind = required_from(0, 1);
    stage.hear(far_behind.clone());
    assert_eq!(stage.events(), [FETCH]);
    stage.hear(subscribed_at(1, chain(&log()[..1]), 0));
    stage.replica.subscribe_again(BOOK);
    stage.forget();
    stage.hear_entries(&log());
    stage.mutate(1, &[add(9, "oil")]).expect("fine");
    // This answers to the last subscription, which was sent before the entries came.
    stage.hear(far_behind);
    stage.forget();
    stage.take(snapshot(1, &[(1, "milk")]));
    assert_eq!((stage.seq(), stage.view()), (Seq(3), "milk tea jam oil".into()));
    wait_for_fetch(&mut stage);
    stage.take(snapshot(3, &[(1, "milk"), (2, "tea"), (3, "jam")]));
    assert_eq!((stage.seq(), stage.view()), (Seq(3), "milk tea jam oil".into()));
    let base = stage.copy().pending().next().expect("it waits").mutation.base;
    assert_eq!(base, Seq(3), "they have one history, and all of it was seen");
}

#[test]
fn a_snapshot_of_another_epoch_is_taken_however_late_it_comes() {
    let mut stage = with_a_log();
    let mut required = required(2);
    required["epoch"] = json!(ANOTHER_EPOCH);
    stage.hear(required);
    stage.replica.handle_closed(stage.now, None);
    stage.connect();
    stage.wait_ms(FIRST_WAIT_MS);
    let mut late = snapshot(2, &[(1, "milk")]);
    late.epoch = ANOTHER_EPOCH;
    stage.take(late);
    assert_eq!((stage.seq().0, stage.view().as_str(), stage.copy().epoch()), (2, "milk", Some(ANOTHER_EPOCH)));
}

#[test]
fn a_snapshot_of_a_newer_form_holds_the_book_as_it_was() {
    let newer = || {
        let mut snapshot = snapshot(9, &[(4, "rye")]);
        snapshot.state_version = 2;
        snapshot
    };
    let unreadable = || {
        let mut text = serde_json::to_value(newer()).expect("JSON");
        text["state"] = json!(["of a form nobody knows"]);
        text.to_string()
    };
    let ways: [fn(&mut Stage, Snapshot<Checklist>, String); 2] = [
        |stage, newer, _| stage.take(newer),
        |stage, _, text| stage.replica.handle_snapshot_text(stage.now, BOOK, &text),
    ];
    for take in ways {
        let mut stage = with_a_log();
        stage.mutate(1, &[add(9, "oil")]).expect("fine");
        stage.hear(required(9));
        stage.forget();
        take(&mut stage, newer(), unreadable());
        assert_eq!(stage.events(), [Event::UpdateNeeded { book: BOOK }]);
        assert_eq!(stage.copy().held().map(|held| held.code), Some(Refusal::Other));
        assert_eq!(stage.replica.sync_status(BOOK), SyncStatus::NeedsAttention(1));
        stage.hear_entries(&[others(4, &[])]);
        assert_eq!((stage.view().as_str(), stage.seq().0, stage.pending()), ("milk tea jam oil", 3, vec![1]));
        assert_eq!((stage.replica.poll_timeout(), stage.copy().contradictions().count), (None, 0));
        stage.replica.handle_closed(stage.now, None);
        stage.connect();
        assert_eq!(stage.sent().len(), 1, "hello");

        stage.replica.subscribe_again(BOOK);
        assert_eq!(stage.sent()[0]["type"], "subscribe", "the server may have gone back");
        stage.hear(subscribed_at(3, chain(&log()), 0));
        assert_eq!((stage.pushed(), stage.copy().held()), (vec![1], None));
    }
}

#[test]
fn a_snapshot_of_an_older_form_has_a_hash_that_nobody_here_can_make() {
    let mut stage = with_a_log();
    stage.hear(required(9));
    let mut older = snapshot(9, &[(4, "rye")]);
    (older.state_version, older.state_hash) = (0, ChainHash::of(b"an older form"));
    stage.take(older);
    assert_eq!((stage.view().as_str(), stage.seq().0), ("rye", 9));
}

/// The new history has grown past the seq at which the form was opened.
#[test]
fn a_form_that_is_open_while_the_copy_starts_over_has_seen_what_both_histories_have() {
    let mut stage = with_a_log();
    let seen = stage.copy().seen();
    stage.replica.subscribe_again(BOOK);
    stage.hear(required_from(1, 9));
    stage.take(snapshot(9, &[]));
    let seen_since = stage.copy().seen();
    for (number, seen, expected) in [(1, seen, 1), (2, seen_since, 9), (3, seen_since.at(Seq(7)), 7)] {
        stage.mutate_from(seen, number, &[add(90 + number as u32, "x")]).expect("fine");
        let base = stage.copy().pending().last().map(|pending| pending.mutation.base);
        assert_eq!(base, Some(Seq(expected)));
    }
}

/// Bases after a snapshot, of mutations made at 0, 1, 2 and 3.
#[test]
fn bases_are_lowered_to_where_histories_part() {
    let required = |epoch: Epoch, from_seq: Option<u64>| json!({ "type": "snapshot_required", "book": BOOK, "epoch": epoch, "from_seq": from_seq, "seq": 9 });
    let cases = [
        // Far behind, in the same history.
        (required(EPOCH, Some(3)), EPOCH, 9, [0, 1, 2, 3]),
        // The same, but for a restore between the server's word and the snapshot.
        (required(EPOCH, Some(3)), ANOTHER_EPOCH, 9, [0, 0, 0, 0]),
        // Another history, of the same name where nobody declared the restore.
        (required(EPOCH, None), EPOCH, 9, [0, 0, 0, 0]),
        (required(ANOTHER_EPOCH, Some(2)), ANOTHER_EPOCH, 9, [0, 1, 2, 2]),
        (required(ANOTHER_EPOCH, Some(3)), ANOTHER_EPOCH, 9, [0, 1, 2, 3]),
        (required(ANOTHER_EPOCH, Some(7)), ANOTHER_EPOCH, 9, [0, 1, 2, 3]),
        (required(ANOTHER_EPOCH, None), ANOTHER_EPOCH, 9, [0, 0, 0, 0]),
        (required(EPOCH, None), ANOTHER_EPOCH, 9, [0, 0, 0, 0]),
        (required(EPOCH, Some(1)), EPOCH, 9, [0, 1, 1, 1]),
        // Its head lies behind what was here.
        (required(EPOCH, None), EPOCH, 2, [0, 0, 0, 0]),
        (required(ANOTHER_EPOCH, Some(2)), ANOTHER_EPOCH, 2, [0, 1, 2, 2]),
        (required(ANOTHER_EPOCH, Some(3)), ANOTHER_EPOCH, 2, [0, 1, 2, 2]),
        // By another proof than the server's word.
        (subscribed_at(3, ChainHash::of(b"another log"), 0), EPOCH, 9, [0, 0, 0, 0]),
        (json!({ "type": "entries", "book": BOOK, "entries": [others(5, &[])] }), EPOCH, 9, [0, 1, 2, 3]),
    ];
    for (frame, epoch, seq, expected) in cases {
        let mut stage = with_a_log();
        for (number, base) in (1..).zip([0, 1, 2, 3]) {
            stage.mutate_from(Seen::default().at(Seq(base)), number, &[add(90 + number as u32, "x")]).expect("fine");
        }
        assert_eq!(stage.pushed(), [1, 2, 3, 4]);
        stage.replica.subscribe_again(BOOK);
        assert_eq!(stage.sent().len(), 1);
        stage.hear(frame.clone());
        let mut snapshot = snapshot(seq, &[]);
        snapshot.epoch = epoch;
        stage.take(snapshot);
        stage.forget();
        let mut frame_after = subscribed_at(seq, hash_of_snapshot(seq), 0);
        frame_after["epoch"] = json!(epoch);
        if frame["type"] == "entries" {
            stage.hear(frame_after.clone());
            assert_eq!(stage.sent(), Vec::<Value>::new(), "what answers to the first subscription is passed over");
        }
        stage.hear(frame_after);
        let frames = stage.sent();
        assert_eq!((frames.len(), &frames[0]["epoch"]), (1, &json!(epoch)), "{frame}");
        let mutations = frames[0]["mutations"].as_array().expect("a list").iter();
        let told: Vec<_> = mutations.map(|mutation| (mutation["n"].clone(), mutation["base"].clone())).collect();
        let expected: Vec<_> = (1..).zip(expected).map(|(n, base)| (json!(n), json!(base))).collect();
        assert_eq!(told, expected, "{frame}");
    }
}

#[test]
fn in_another_history_only_what_it_lacks_is_offered() {
    let mut stage = with_a_log();
    for n in 1..=3 {
        stage.mutate(n, &[add(90 + n as u32, "x")]).expect("fine");
    }
    stage.hear(required(9));
    stage.forget();
    stage.take(snapshot(9, &[(91, "x")]));
    assert_eq!(stage.sent()[0]["pending_from"], 1, "the fates of its own are asked for");
    stage.hear(subscribed_at(9, hash_of_snapshot(9), 1));
    assert_eq!(stage.pushed(), [2, 3]);
    stage.hear(json!({ "type": "fates", "book": BOOK, "entries": [entry(4, ME, 1, 1, &[added(91, "x")])] }));
    assert_eq!((stage.pending(), stage.view().as_str()), (vec![2, 3], "x x x"));
}

#[test]
fn a_fate_is_read_whatever_it_changed() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    let fate = entry(1, ME, 1, 1, &[json!({ "type": "item_folded", "id": 1 })]);
    stage.hear(json!({ "type": "fates", "book": BOOK, "entries": [fate] }));
    assert!(stage.pending().is_empty());
}
