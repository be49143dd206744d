//! A store in a few lines: what IndexedDB and SQLite do for a replica, with nothing that could go wrong.

use std::collections::BTreeMap;

use tidebook_book::{MutationId, ReplicaId};
use tidebook_replica::{Forget, Lacking, StoreWrite, Stored};

use crate::stage::{BOOK, ME, Stage};

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
    pub(crate) fn new() -> Self {
        let (entries, outbox, rejections) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { replica: ME, head: None, state: None, entries, outbox, rejections, confirmed: BTreeMap::new() }
    }

    /// One transaction: reads what the replica lacks, then writes what the store lacks. What was read last.
    pub(crate) fn sync(&mut self, stage: &mut Stage) -> Option<Lacking> {
        let lacking = self.read(stage);
        self.read_confirmed(stage);
        if let Some(write) = stage.replica.take_write(BOOK) {
            self.put(write);
            stage.replica.handle_written(BOOK);
        }
        lacking
    }

    /// The first half of it.
    pub(crate) fn read(&self, stage: &mut Stage) -> Option<Lacking> {
        if self.replica != stage.replica.id() {
            stage.replica.handle_new_replica(stage.now, self.replica);
        }
        let head = self.head.as_ref()?;
        let lacking = stage.replica.lacking(BOOK, head).expect("a head that reads")?;
        let (Lacking::EntriesAfter(seq) | Lacking::Everything(seq)) = lacking;
        let stored = Stored {
            lacking,
            head: head.clone(),
            state: self.state.clone().filter(|_| matches!(lacking, Lacking::Everything(_))),
            entries: self.entries.range(seq.0 + 1..).map(|(_, text)| text.clone()).collect(),
            outbox: self.outbox.values().cloned().collect(),
            rejections: self.rejections.values().cloned().collect(),
        };
        stage.replica.handle_stored(BOOK, &stored).expect("rows that read");
        Some(lacking)
    }

    /// Where that is asked for.
    pub(crate) fn read_confirmed(&self, stage: &mut Stage) {
        if stage.replica.wants_confirmed(BOOK) {
            let rows = self.confirmed.values().cloned().collect();
            stage.replica.handle_confirmed(BOOK, rows).expect("rows that read");
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
