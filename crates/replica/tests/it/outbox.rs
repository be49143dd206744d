//! The outbox: what is pushed when, and how much at a time.

use serde_json::{Value, json};
use tidebook_book::{BookId, Seq, UnixMillis};
use tidebook_protocol::{FRAME_BYTES, MUTATION_BYTES_MAX, MUTATION_OPS_MAX};
use tidebook_replica::{MutateError, NewMutation, Seen};
use uuid::Uuid;

use crate::checklist::{ListOp, add};
use crate::stage::{
    BOOK, EPOCH, ME, OTHER, Stage, added, entry, hash_of_snapshot, id, others, required, snapshot, subscribed,
    subscribed_at,
};

#[test]
fn a_push_says_what_was_made() {
    let mut stage = Stage::live();
    stage.mutate(0xab, &[add(1, "milk")]).expect("fine");
    expect_test::expect![[r#"{"type":"push","book":"00000000-0000-0000-0000-00000000000b","epoch":"00000000-0000-0000-0000-00000000000e","mutations":[{"id":"00000000-0000-0000-0000-0000000000ab","n":1,"made_at":5,"base":0,"ops":[{"op":"add","id":1,"text":"milk"}]}]}"#]].assert_eq(&stage.replica.poll_transmit(stage.now).expect("a push"));
    assert!(stage.sent().is_empty());
}

#[test]
fn an_undo_says_what_it_undoes_and_a_base_is_never_above_what_is_here() {
    let mut stage = Stage::live();
    stage.hear_entries(&[others(1, &[])]);
    let new = |number, base, undoes| {
        let ops = vec![add(number as u32, "x")];
        NewMutation { id: id(number), made_at: UnixMillis(5), base: Seen::default().at(Seq(base)), ops, undoes }
    };
    for new in [new(1, 1, Some(Seq(1))), new(2, 0, None), new(3, 9, None)] {
        stage.replica.mutate(BOOK, new).expect("fine");
    }
    let frames = stage.sent();
    let mutations: Vec<&Value> =
        frames.iter().flat_map(|frame| frame["mutations"].as_array().expect("a list")).collect();
    let said: Vec<_> = mutations.iter().map(|mutation| (mutation.get("undoes"), &mutation["base"])).collect();
    assert_eq!(said, [(Some(&json!(1)), &json!(1)), (None, &json!(0)), (None, &json!(1))]);
}

#[test]
fn what_was_made_before_the_subscription_is_pushed_with_it() {
    let mut stage = Stage::new();
    for n in 1..=3 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    stage.connect();
    let subscribe = stage.sent().pop().expect("subscribe");
    assert_eq!((&subscribe["after"], &subscribe["pending_from"]), (&json!(0), &json!(1)));
    stage.hear(subscribed(0, 0));
    let frames = stage.sent();
    assert_eq!(frames.len(), 1, "in one frame");
    assert_eq!((&frames[0]["epoch"], frames[0]["mutations"].as_array().map(Vec::len)), (&json!(EPOCH), Some(3)));
    stage.mutate(4, &[add(4, "x")]).expect("fine");
    assert_eq!(stage.pushed(), [4], "only what is new");
}

#[test]
fn what_the_log_has_already_is_not_pushed_again_and_its_entry_alone_empties_the_outbox() {
    let mut stage = Stage::new();
    for n in 1..=3 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    stage.connect();
    stage.forget();
    stage.hear(subscribed(2, 2));
    assert_eq!(stage.pushed(), [3]);
    assert_eq!(stage.pending(), [1, 2, 3], "a count empties nothing");
    stage.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "x")]), entry(2, ME, 2, 2, &[added(2, "x")])]);
    assert_eq!(stage.pending(), [3]);
}

/// A mutation of exactly this size as it is pushed.
fn op_of(stage: &Stage, item: u32, bytes: usize) -> ListOp {
    let n = stage.pending().last().copied().unwrap_or(0) + 1;
    let empty = json!({ "id": id(1), "n": n, "made_at": 5, "base": 0, "ops": [add(item, "")] }).to_string().len();
    add(item, &"x".repeat(bytes - empty))
}

#[test]
fn bounds_are_checked_before_anything_is_taken() {
    let mut stage = Stage::live();
    let many = |count: usize| (0..count as u32).map(|id| add(id, "x")).collect::<Vec<_>>();
    assert_eq!(stage.mutate(1, &[]), Err(MutateError::Empty));
    let too_many = stage.mutate(1, &many(MUTATION_OPS_MAX + 1));
    assert_eq!(too_many, Err(MutateError::TooManyOps { ops: MUTATION_OPS_MAX + 1 }));
    let too_large = stage.mutate(1, &[op_of(&stage, 1, MUTATION_BYTES_MAX + 1)]);
    assert_eq!(too_large, Err(MutateError::TooLarge { bytes: MUTATION_BYTES_MAX + 1 }));
    let elsewhere = BookId(Uuid::from_u128(0xbb));
    let new = NewMutation { id: id(1), made_at: UnixMillis(5), base: Seen::default(), ops: many(1), undoes: None };
    assert_eq!(stage.replica.mutate(elsewhere, new), Err(MutateError::NotOpen));
    assert!(stage.view().is_empty() && stage.pending().is_empty() && stage.pushed().is_empty());

    assert_eq!(stage.mutate(1, &[op_of(&stage, 2000, MUTATION_BYTES_MAX)]).map(|n| n.0), Ok(1));
    assert_eq!(stage.mutate(2, &many(MUTATION_OPS_MAX)).map(|n| n.0), Ok(2));
}

#[test]
fn frames_and_what_is_on_its_way_are_bounded_in_bytes() {
    const IN_FLIGHT_BYTES_MAX: usize = 1024 * 1024 + MUTATION_BYTES_MAX;
    // Of the second size, two fit a frame but for what is around them.
    for bytes in [MUTATION_BYTES_MAX, MUTATION_BYTES_MAX - 20, MUTATION_BYTES_MAX - 1000, 60_000, 9_999, 1_000] {
        let mut stage = Stage::live();
        let count = 3 * IN_FLIGHT_BYTES_MAX / bytes;
        for n in 1..=count {
            let op = op_of(&stage, n as u32, bytes);
            stage.mutate(n as u128, &[op]).expect("fine");
        }
        let mut confirmed = 0;
        let mut pushed = 0;
        while confirmed < count {
            let frames: Vec<String> = std::iter::from_fn(|| stage.replica.poll_transmit(stage.now)).collect();
            for frame in frames {
                // More than one only where a line that is slow takes them in time.
                assert!(frame.len() <= FRAME_BYTES.max(bytes + 256), "{} of {bytes}", frame.len());
                let frame: serde_json::Value = serde_json::from_str(&frame).expect("JSON");
                for mutation in frame["mutations"].as_array().expect("a list") {
                    pushed += 1;
                    assert_eq!(mutation["n"], pushed, "in order, and none twice");
                }
            }
            let in_flight = (pushed - confirmed) * bytes;
            assert!(in_flight <= IN_FLIGHT_BYTES_MAX, "{in_flight} of {bytes}");
            assert!(pushed == count || in_flight + MUTATION_BYTES_MAX >= 1024 * 1024, "the line is kept busy");
            // A few entries come back, and as much goes out.
            let few = (1..=40.min(pushed - confirmed)).map(|next| {
                let n = (confirmed + next) as u64;
                entry(n, ME, n, n.into(), &[])
            });
            let few: Vec<_> = few.collect();
            confirmed += few.len();
            stage.hear_entries(&few);
        }
        assert!(stage.pending().is_empty());
    }
}

#[test]
fn what_is_on_its_way_when_the_line_breaks_is_offered_again_and_counted_once() {
    let mut stage = Stage::live();
    for n in 1..=12 {
        let op = op_of(&stage, n, MUTATION_BYTES_MAX);
        stage.mutate(n.into(), &[op]).expect("fine");
    }
    assert_eq!(stage.pushed(), [1, 2, 3, 4, 5, 6, 7, 8]);
    for _ in 0..3 {
        stage.replica.handle_closed(stage.now, None);
        stage.connect();
        stage.forget();
        stage.hear(subscribed(2, 2));
        assert_eq!(stage.pushed(), [3, 4, 5, 6, 7, 8], "two are in the log and still without their entries");
    }
    stage.hear_entries(&[entry(1, ME, 1, 1, &[]), entry(2, ME, 2, 2, &[])]);
    assert_eq!(stage.pushed(), [9, 10]);
}

#[test]
fn a_number_that_the_log_has_used_up_without_an_entry_is_offered_again() {
    // The log has the number 1 and shows no entry of it: its id stands elsewhere. Only at the head is that certain.
    let mut stage = Stage::welcome();
    for n in 1..=3 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    stage.hear(subscribed(3, 2));
    assert_eq!(stage.pushed(), [3]);
    stage.hear_entries(&[others(1, &[])]);
    stage.hear_entries(&[entry(2, ME, 2, 2, &[added(2, "x")])]);
    assert_eq!((stage.pushed(), stage.pending()), (vec![], vec![1, 3]));
    stage.hear_entries(&[others(3, &[])]);
    assert_eq!((stage.pushed(), stage.pending()), (vec![1], vec![1, 3]));
    stage.hear_entries(&[others(4, &[])]);
    assert!(stage.pushed().is_empty(), "once");
    stage.hear(json!({ "type": "fates", "book": BOOK, "entries": [entry(1, OTHER, 1, 1, &[added(1, "x")])] }));
    assert_eq!(stage.pending(), [3]);
}

#[test]
fn the_numbers_of_a_push_follow_one_another() {
    let mut stage = Stage::welcome();
    for n in 1..=4 {
        stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
    }
    stage.hear(subscribed(1, 3));
    assert_eq!(stage.pushed(), [4]);
    stage.hear_entries(&[entry(1, ME, 2, 2, &[added(2, "x")])]);
    let frames = stage.sent();
    let numbers = frames.iter().map(|frame| {
        let mutations = frame["mutations"].as_array().expect("a list").iter();
        mutations.map(|mutation| mutation["n"].as_u64().expect("a number")).collect::<Vec<_>>()
    });
    assert_eq!(numbers.collect::<Vec<_>>(), [[1], [3]], "between them is one that is settled");
}

#[test]
fn at_the_head_the_fates_are_awaited_for_a_moment() {
    let at_the_head = || {
        let mut stage = Stage::live();
        for n in 1..=3 {
            stage.mutate(n, &[add(n as u32, "x")]).expect("fine");
        }
        stage.hear(required(9));
        stage.take(snapshot(9, &[]));
        stage.forget();
        stage.hear(subscribed_at(9, hash_of_snapshot(9), 2));
        assert_eq!(stage.pushed(), [3]);
        assert_eq!(stage.replica.poll_timeout(), Some(stage.now.plus_ms(1_000)));
        stage
    };
    let fates = |ids: &[u64]| {
        let entries: Vec<Value> = ids.iter().map(|n| entry(*n, ME, *n, (*n).into(), &[])).collect();
        json!({ "type": "fates", "book": BOOK, "entries": entries })
    };
    for (told, expected) in [(&[][..], vec![1, 2]), (&[1], vec![2]), (&[2], vec![1]), (&[1, 2], vec![])] {
        let mut stage = at_the_head();
        stage.hear(fates(told));
        stage.wait_ms(999);
        assert!(stage.pushed().is_empty());
        stage.wait_ms(1);
        assert_eq!(stage.pushed(), expected, "told of {told:?}");
        assert!(stage.replica.poll_timeout() > Some(stage.now), "once");
    }
    let mut stage = at_the_head();
    stage.replica.handle_closed(stage.now, None);
    stage.wait_ms(1_000);
    assert!(stage.sent().is_empty(), "the next line tells anew");
}

#[test]
fn a_book_that_was_closed_goes_on_with_its_numbers() {
    let mut stage = Stage::live();
    stage.mutate(1, &[add(1, "milk")]).expect("fine");
    stage.hear_entries(&[entry(1, ME, 1, 1, &[added(1, "milk")])]);
    assert!(stage.replica.close_book(BOOK));
    stage.replica.open_book(BOOK);
    assert_eq!(stage.mutate(2, &[add(2, "tea")]).map(|n| n.0), Ok(2), "1 is the name of another mutation");
}
