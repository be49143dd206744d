//! A store in a few lines: what IndexedDB and SQLite do for a replica, with nothing that could go wrong.
//! The simulator's tests include this file.

use std::collections::BTreeMap;

use tidebook_book::{BookId, Domain, MutationId, ReplicaId};
use tidebook_replica::{Forget, Lacking, Monotonic, Replica, StoreWrite, Stored};

/// One book's rows, for any number of replicas in memory.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    pub(crate) replica: ReplicaId,
    pub(crate) head: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) entries: BTreeMap<u64, String>,
    pub(crate) outbox: BTreeMap<MutationId, String>,
    pub(crate) rejections: BTreeMap<MutationId, String>,
    pub(crate) confirmed: BTreeMap<u64, String>,
}

impl Shelf {
    pub(crate) fn of(replica: ReplicaId) -> Self {
        let (entries, outbox, rejections) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { replica, head: None, state: None, entries, outbox, rejections, confirmed: BTreeMap::new() }
    }

    /// What a replica in memory lacks of a book with this head.
    pub(crate) fn stored(&self, head: &str, lacking: Lacking) -> Stored {
        let (Lacking::EntriesAfter(seq) | Lacking::Everything(seq)) = lacking;
        Stored {
            lacking,
            head: head.to_owned(),
            state: self.state.clone().filter(|_| matches!(lacking, Lacking::Everything(_))),
            entries: self.entries.range(seq.0 + 1..).map(|(_, text)| text.clone()).collect(),
            outbox: self.outbox.values().cloned().collect(),
            rejections: self.rejections.values().cloned().collect(),
        }
    }

    /// The first half of a transaction: a replica takes in what it lacks, which is returned.
    pub(crate) fn give<D: Domain>(&self, now: Monotonic, replica: &mut Replica<D>, book: BookId) -> Option<Lacking> {
        if self.replica != replica.id() {
            replica.handle_new_replica(now, self.replica);
        }
        let head = self.head.as_ref()?;
        let lacking = replica.lacking(book, head).expect("a head that reads")?;
        replica.handle_stored(book, &self.stored(head, lacking)).expect("rows that read");
        Some(lacking)
    }

    /// The same of what was confirmed, where that is asked for.
    pub(crate) fn give_confirmed<D: Domain>(&self, replica: &mut Replica<D>, book: BookId) {
        if replica.wants_confirmed(book) {
            let rows = self.confirmed.values().cloned().collect();
            replica.handle_confirmed(book, rows).expect("rows that read");
        }
    }

    pub(crate) fn put(&mut self, write: StoreWrite) {
        self.head = Some(write.head);
        self.state = write.state.or(self.state.take());
        for (rows, texts) in [(&mut self.entries, write.entries), (&mut self.confirmed, write.confirmed)] {
            match write.forget {
                Forget::Nothing => {}
                Forget::UpTo(seq) => rows.retain(|at, _| *at > seq.0),
                Forget::All => rows.clear(),
            }
            rows.extend(texts.into_iter().map(|(seq, text)| (seq.0, text)));
        }
        for (rows, changes) in [(&mut self.outbox, write.outbox), (&mut self.rejections, write.rejections)] {
            for (id, row) in changes {
                match row {
                    Some(text) => drop(rows.insert(id, text)),
                    None => drop(rows.remove(&id)),
                }
            }
        }
    }
}
