//! What a replica hears that the server does not go on with from where it is.

use std::sync::Arc;

use serde_json::{Value, json};
use tidebook_authority::{Action, Head, Identity, Opened, SyncSession};
use tidebook_book::{BookId, ChainHash, EncodedEntry, Epoch, MutationNumber, Role, Seq, UnixMillis};
use tidebook_protocol::{ENTRY_BYTES_MAX, FRAME_BYTES, Subscribe};
use uuid::Uuid;

use crate::support::{ANA, EPOCH};

const BOOK: BookId = BookId(Uuid::from_u128(0xb));
const FORMER_EPOCH: Epoch = Epoch(Uuid::from_u128(0xee));

/// A replica that lacks as many entries as are still sent one by one.
const BEHIND_MAX: u64 = 10_000;

/// Ana has said hello and is welcome.
fn welcome() -> SyncSession {
    let mut session = SyncSession::new(Some(Identity { user: ANA.user, name: "Ana".into() }));
    let hello = json!({ "type": "hello", "protocol": 1, "replica": ANA.replica, "client": "test/1" });
    session.handle_text(UnixMillis(0), &hello.to_string());
    while session.poll_action().is_some() {}
    session
}

fn opened(head: u64) -> Opened {
    Opened {
        epoch: EPOCH,
        role: Role::Editor,
        head: Head { seq: Seq(head), hash: ChainHash::of(b"head") },
        accepted: MutationNumber::ZERO,
        people: Vec::new(),
        hash_there: None,
        common: None,
    }
}

/// What is said first to a replica that is at a seq with this hash, where the log ends at `head` and has `b"here"` there.
fn answer(epoch: Epoch, after: u64, hash: &[u8], head: u64, common: Option<u64>) -> Value {
    let mut session = welcome();
    let hash = (after > 0).then(|| ChainHash::of(hash));
    let subscribe = Subscribe { book: BOOK, epoch: Some(epoch), after: Seq(after), hash, pending_from: None };
    let hash_there = (after <= head).then(|| ChainHash::of(b"here"));
    let opened = Opened { hash_there, common: common.map(Seq), ..opened(head) };
    session.handle_opened(&subscribe, Some(opened));
    match session.poll_action() {
        Some(Action::Send(frame)) => serde_json::from_slice(&frame).expect("a frame is JSON"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_starts_over_hears_what_is_common_as_far_as_it_is_sure() {
    let cases = [
        ("a little behind", EPOCH, 1, b"here", BEHIND_MAX + 1, None, None),
        ("far behind", EPOCH, 1, b"here", BEHIND_MAX + 2, None, Some(json!(1))),
        ("far behind with nothing", EPOCH, 0, b"here", BEHIND_MAX + 1, None, Some(json!(0))),
        ("behind by half", EPOCH, 2 * BEHIND_MAX, b"here", 4 * BEHIND_MAX, None, None),
        ("behind by more", EPOCH, 2 * BEHIND_MAX, b"here", 4 * BEHIND_MAX + 1, None, Some(json!(2 * BEHIND_MAX))),
        ("another log", EPOCH, 3, b"gone", 9, None, Some(json!(null))),
        ("a log that ends before", EPOCH, 3, b"gone", 2, None, Some(json!(null))),
        ("a former epoch, before it ended", FORMER_EPOCH, 3, b"here", 9, Some(5), Some(json!(5))),
        ("a former epoch, after it ended", FORMER_EPOCH, 7, b"gone", 9, Some(5), Some(json!(5))),
        ("a former epoch with another log", FORMER_EPOCH, 3, b"gone", 9, Some(5), Some(json!(null))),
        ("an epoch that never was", FORMER_EPOCH, 3, b"here", 9, None, Some(json!(null))),
    ];
    for (what, epoch, after, hash, head, common, from_seq) in cases {
        let answer = answer(epoch, after, hash, head, common);
        match from_seq {
            None => assert_eq!(answer["type"], "subscribed", "{what}"),
            Some(from) => {
                assert_eq!((&answer["type"], &answer["from_seq"]), (&json!("snapshot_required"), &from), "{what}");
            }
        }
    }
}

#[test]
fn a_socket_follows_as_many_books_as_anyone_has() {
    let mut session = welcome();
    for number in 0..2000 {
        let book = BookId(Uuid::from_u128(number));
        let subscribe = json!({ "type": "subscribe", "book": book, "epoch": null, "after": 0 });
        session.handle_text(UnixMillis(0), &subscribe.to_string());
        let Some(Action::Open(subscribe)) = session.poll_action() else { panic!("{number}") };
        session.handle_opened(&subscribe, Some(opened(0)));
        while session.poll_action().is_some() {}
    }
    assert_eq!(session.cursor(BookId(Uuid::from_u128(1999))), Some(Seq(0)));
}

/// A frame counts as a whole: one that takes a slow line longer than a replica waits would never arrive.
#[test]
fn a_frame_of_entries_is_small_unless_one_is_large() {
    let mut session = welcome();
    let subscribe = Subscribe { book: BOOK, epoch: None, after: Seq(0), hash: None, pending_from: None };
    session.handle_opened(&subscribe, Some(opened(1000)));
    while session.poll_action().is_some() {}
    let entry = |seq: u64| {
        let bytes: Arc<[u8]> = vec![b'1'; if seq == 500 { ENTRY_BYTES_MAX } else { 1000 }].into();
        EncodedEntry { seq: Seq(seq), bytes, hash: ChainHash::ZERO }
    };
    let entries: Vec<_> = (1..=1000).map(entry).collect();
    let mut sizes = Vec::new();
    while let Some(Seq(cursor)) = session.cursor(BOOK).filter(|seq| seq.0 < 1000) {
        session.handle_entries(BOOK, &entries[cursor as usize..]);
        let Some(Action::Send(frame)) = session.poll_action() else { panic!("after {cursor}") };
        sizes.push(frame.len());
    }
    session.handle_fates(BOOK, &entries);
    sizes.extend(std::iter::from_fn(|| session.poll_action()).map(|action| match action {
        Action::Send(frame) => frame.len(),
        other => panic!("{other:?}"),
    }));
    assert_eq!(sizes.iter().filter(|size| **size > FRAME_BYTES).count(), 2, "{sizes:?}");
    assert!(sizes.len() < 2 * 20, "and as few as can be: {sizes:?}");
}
