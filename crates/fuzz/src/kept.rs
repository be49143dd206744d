//! Snapshots as the server keeps them: packed, and read back where a book is loaded and where a store is checked.

use tidebook_book::{Domain as _, Snapshot};
use tidebook_ledger::Ledger;
use tidebook_server::{check_snapshot, pack_snapshot, read_snapshot};

use crate::Reading;

/// Small, so that it is reached: a snapshot of a thousandth of its size when packed is.
const UNPACKED_BYTES_MAX: u64 = 256 << 10;

/// What every packed file begins with (RFC 1952, 2.3.1).
const PACKED: &[u8] = &[0x1f, 0x8b];

/// A file that is packed is read as it is, all else after it was packed. No more is unpacked than may be, and what holds for
/// its place reads the same after it was kept again. Nothing holds for another place, or with another state.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let packed = if bytes.starts_with(PACKED) { bytes.to_vec() } else { pack_snapshot(bytes) };
    let Ok(snapshot) = read_snapshot(&packed, UNPACKED_BYTES_MAX) else { return Reading::Refused };
    check_places(&snapshot);

    // Whoever makes it up can make its hash, too.
    let mut made_up = snapshot;
    made_up.state_version = Ledger::STATE_VERSION;
    made_up.state_hash = made_up.clone().into_state().hash();
    check_places(&made_up);
    let (state, head) = check_snapshot(made_up.clone(), made_up.seq, Some(made_up.hash)).expect("all of it holds");
    assert_eq!((state.hash(), head.seq, head.hash), (made_up.state_hash, made_up.seq, made_up.hash));

    let json = serde_json::to_vec(&made_up).expect("a snapshot serialises into memory");
    let again = read_snapshot(&pack_snapshot(&json), u64::MAX).expect("what was kept reads");
    assert_eq!(serde_json::to_vec(&again).expect("a snapshot serialises into memory"), json);
    let (state_again, _) = check_snapshot(again, made_up.seq, Some(made_up.hash)).expect("what was kept holds");
    assert_eq!(state_again.hash(), state.hash());
    Reading::Taken
}

/// It holds for its own place at most.
fn check_places(snapshot: &Snapshot<Ledger>) {
    let holds = |seq, hash| check_snapshot(snapshot.clone(), seq, hash).is_ok();
    let (seq, hash) = (snapshot.seq, snapshot.hash);
    let is_whole = snapshot.state_hash == snapshot.clone().into_state().hash();
    let is_of_now = snapshot.state_version == Ledger::STATE_VERSION;
    assert_eq!(holds(seq, Some(hash)), is_whole && is_of_now);
    assert!(!holds(seq, None) && !holds(seq, Some(hash.followed_by(b"another entry"))));
    assert!(seq.next() == seq || !holds(seq.next(), Some(hash)));
}
