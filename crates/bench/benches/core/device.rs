//! A replica with a copy of a book.

use serde_json::json;
use tidebook_book::{Author, ChainHash, Domain, Person, Snapshot};
use tidebook_ledger::Ledger;
use tidebook_protocol::{Limits, PROTOCOL};
use tidebook_replica::{Keeps, Lacking, Monotonic, Replica, ReplicaConfig, Stored};

use crate::fixture::{AT, Book, author, book_id, epoch};

pub(crate) const NOW: Monotonic = Monotonic(1_000);

pub(crate) fn replica(keeps: Keeps) -> Replica<Ledger> {
    let Author { user, replica } = author(1);
    Replica::new(ReplicaConfig { replica, user, client: "bench".into(), token: None, seed: 1, keeps })
}

/// Online, with the book as it stands at its head.
pub(crate) fn replica_of(book: &Book, keeps: Keeps) -> Replica<Ledger> {
    let mut replica = replica(keeps);
    replica.open_book(book_id());
    replica.connect_now(NOW);
    replica.handle_opened(NOW);
    let user = json!({ "id": author(1).user, "name": "Ben" });
    let limits = Limits::default();
    let welcome = json!({ "type": "welcome", "protocol": PROTOCOL, "server_at": AT, "user": user, "limits": limits });
    replica.handle_text(NOW, &welcome.to_string());
    let required = json!({ "type": "snapshot_required", "book": book_id(), "epoch": epoch(), "seq": book.head });
    replica.handle_text(NOW, &required.to_string());
    replica.handle_snapshot(NOW, snapshot(book));
    assert_eq!(replica.book(book_id()).expect("open").seq(), book.head, "the snapshot was taken");
    replica
}

fn snapshot(book: &Book) -> Snapshot<Ledger> {
    let members = book.state.members.iter();
    let people = members.map(|(id, role)| Person { id: *id, name: "Ben".into(), role: Some(*role) }).collect();
    Snapshot {
        book: book_id(),
        epoch: epoch(),
        seq: book.head,
        hash: ChainHash::ZERO,
        state_version: Ledger::STATE_VERSION,
        state_hash: book.state.hash(),
        replicas: Default::default(),
        people,
        state: book.state.domain.clone(),
    }
}

/// What a store holds once a device has taken the book's snapshot.
pub(crate) fn stored(book: &Book) -> Stored {
    let mut replica = replica_of(book, Keeps::InStore);
    replica.handle_confirmed(book_id(), Vec::new()).expect("nothing was confirmed");
    let write = replica.take_write(book_id()).expect("the book is to be written");
    Stored {
        lacking: Lacking::Everything(book.head),
        head: write.head,
        state: write.state,
        entries: Vec::new(),
        outbox: Vec::new(),
        rejections: Vec::new(),
    }
}

pub(crate) fn open(stored: &Stored) -> Replica<Ledger> {
    let mut replica = replica(Keeps::InStore);
    replica.open_stored_book(book_id(), stored).expect("what was stored reads");
    replica
}
