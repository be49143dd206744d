//! What a replica hears that the server does not go on with from where it is.

use serde_json::{Value, json};
use tidebook_authority::{Action, Head, Identity, Opened, SyncSession};
use tidebook_book::{BookId, ChainHash, Epoch, MutationNumber, Role, Seq, UnixMillis};
use tidebook_protocol::Subscribe;
use uuid::Uuid;

use crate::support::{ANA, EPOCH};

const BOOK: BookId = BookId(Uuid::from_u128(0xb));
const FORMER_EPOCH: Epoch = Epoch(Uuid::from_u128(0xee));

/// A replica that lacks as many entries as are still sent one by one.
const BEHIND_MAX: u64 = 10_000;

/// What is said first to a replica that is at a seq with this hash, where the log ends at `head` and has `b"here"` there.
fn answer(epoch: Epoch, after: u64, hash: &[u8], head: u64, common: Option<u64>) -> Value {
    let mut session = SyncSession::new(Some(Identity { user: ANA.user, name: "Ana".into() }));
    let hello = json!({ "type": "hello", "protocol": 1, "replica": ANA.replica, "client": "test/1" });
    session.handle_text(UnixMillis(0), &hello.to_string());
    while session.poll_action().is_some() {}
    let hash = (after > 0).then(|| ChainHash::of(hash));
    let subscribe = Subscribe { book: BOOK, epoch: Some(epoch), after: Seq(after), hash, pending_from: None };
    let opened = Opened {
        epoch: EPOCH,
        role: Role::Editor,
        head: Head { seq: Seq(head), hash: ChainHash::of(b"head") },
        accepted: MutationNumber::ZERO,
        people: Vec::new(),
        hash_there: (after <= head).then(|| ChainHash::of(b"here")),
        common: common.map(Seq),
    };
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
