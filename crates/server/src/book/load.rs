//! From the store to an authority: the newest snapshot that holds, and the log after it.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tidebook_authority::{Authority, Head, NumberRow};
use tidebook_book::{BookId, ChainHash, Domain, Entry, Person, Seq, Snapshot};
use tidebook_event_store::{BookRow, EntryLimit, Store, StoreError};
use tidebook_ledger::{Ledger, LedgerBook};

use super::handle::Committed;

/// Entries between two snapshots: replaying as many takes a fraction of a second.
pub(super) const SNAPSHOT_EVERY_ENTRIES: u64 = 4096;

/// What is read from the store at a time while a book is loaded, in bytes.
const LOAD_BYTES: usize = 4 * 1024 * 1024;

/// The largest snapshot that is read back, unpacked, in bytes: a book of a million records. A larger one is replayed.
pub(crate) const SNAPSHOT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

pub(super) struct Loaded {
    pub(super) authority: Authority<Ledger>,
    pub(super) head: Head,
    /// Of the snapshot it was loaded from; 0 where from the whole log.
    pub(super) snapshot: Seq,
}

/// `None`: there is no such book.
pub(super) async fn load(store: &Store, book: BookId) -> Result<Option<Loaded>, StoreError> {
    let Some(row) = store.book(book).await? else { return Ok(None) };
    let (mut state, mut head) = newest_snapshot(store, &row).await?;
    let snapshot = head.seq;
    while head.seq < row.head {
        let limit = EntryLimit { count: usize::MAX, bytes: LOAD_BYTES };
        for encoded in store.entries(book, head.seq, limit).await? {
            let entry: Entry<_> = serde_json::from_slice(&encoded.bytes)
                .map_err(|error| StoreError::Corrupt(format!("book {book}, entry {}: {error}", encoded.seq)))?;
            state.apply_entry(&entry);
            head = Head { seq: encoded.seq, hash: encoded.hash };
        }
    }
    let replicas = store.replicas(book).await?.into_iter();
    let replicas = replicas.map(|row| NumberRow { replica: row.replica, user: row.user, n: row.n });
    let mut authority = Authority::new(row.epoch, state, head.seq, head.hash, replicas);
    authority.set_archived(row.archived);
    Ok(Some(Loaded { authority, head, snapshot }))
}

/// The state to start from. A snapshot that does not hold is passed over: the log is the truth.
async fn newest_snapshot(store: &Store, row: &BookRow) -> Result<(LedgerBook, Head), StoreError> {
    for (seq, bytes) in store.snapshots(row.id).await? {
        let hash = store.hash_at(row.id, seq).await?;
        let reading = tokio::task::spawn_blocking(move || read_snapshot(&bytes, SNAPSHOT_BYTES_MAX));
        let read = reading.await.unwrap_or_else(|error| Err(error.to_string()));
        match read.and_then(|snapshot| check_snapshot(snapshot, seq, hash)) {
            Ok(found) => return Ok(found),
            Err(fault) => tracing::warn!(book = %row.id, %seq, fault, "a snapshot is passed over"),
        }
    }
    Ok((LedgerBook::default(), Head { seq: Seq::ZERO, hash: ChainHash::ZERO }))
}

/// A snapshot as it is kept, unpacked and read; whether it says what it should is not looked at.
pub fn read_snapshot(bytes: &[u8], unpacked_bytes_max: u64) -> Result<Snapshot<Ledger>, String> {
    let mut json = Vec::new();
    let mut unpacked = GzDecoder::new(bytes).take(unpacked_bytes_max);
    unpacked.read_to_end(&mut json).map_err(|error| error.to_string())?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

/// What a snapshot that was kept for this seq says, if that is what it should.
pub fn check_snapshot(
    snapshot: Snapshot<Ledger>,
    seq: Seq,
    hash: Option<ChainHash>,
) -> Result<(LedgerBook, Head), String> {
    if snapshot.state_version != Ledger::STATE_VERSION {
        return Err(format!("its state has version {}", snapshot.state_version));
    }
    if snapshot.seq != seq || Some(snapshot.hash) != hash {
        return Err("it does not belong to this log".into());
    }
    let (head, state_hash) = (Head { seq, hash: snapshot.hash }, snapshot.state_hash);
    let state = snapshot.into_state();
    if state.hash() == state_hash { Ok((state, head)) } else { Err("its state is not what was kept".into()) }
}

/// The committed state with all that goes with it. People have no names here.
pub(crate) fn snapshot_of(book: BookId, Committed { authority, head }: Committed<'_>) -> Snapshot<Ledger> {
    let state = authority.state();
    let person = |(id, role): (&_, &_)| Person { id: *id, name: String::new(), role: Some(*role) };
    Snapshot {
        book,
        epoch: authority.epoch(),
        seq: head.seq,
        hash: head.hash,
        state_version: Ledger::STATE_VERSION,
        state_hash: state.hash(),
        replicas: authority.last_numbers().collect(),
        people: state.members.iter().map(person).collect(),
        state: state.domain.clone(),
    }
}

/// Puts a snapshot into the store.
pub(super) async fn keep(store: &Store, book: BookId, snapshot: Snapshot<Ledger>) -> Result<(), StoreError> {
    let seq = snapshot.seq;
    let packing = tokio::task::spawn_blocking(move || {
        pack_snapshot(&serde_json::to_vec(&snapshot).expect("a snapshot serialises into memory"))
    });
    let bytes = packing.await.map_err(|error| StoreError::Failed(error.to_string()))?;
    store.put_snapshot(book, seq, bytes).await
}

/// As it is kept.
pub fn pack_snapshot(json: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(json).and_then(|()| packed.finish()).expect("memory takes what is written")
}
