//! One book: its chain, its log replayed, and what is kept beside it.

use std::collections::BTreeMap;

use tidebook_book::{BookId, ChainHash, Domain, ReplicaId, Seq};
use tidebook_event_store::{BookRow, EntryLimit, LogRow, ReplicaRow, StoreError, View};
use tidebook_ledger::{BookFacts, Ledger};

use super::Checked;
use crate::book::{SNAPSHOT_BYTES_MAX, read_snapshot};
use crate::data_folder::replay::{LedgerEntry, Replay};

/// How much of a log is in memory at once.
const PAGE: EntryLimit = EntryLimit { count: 1_000, bytes: 4 << 20 };

struct BookCheck<'a> {
    view: &'a View<'a>,
    row: BookRow,
    checked: &'a mut Checked,
    replay: Replay,
    /// As the store has it, at the last entry that was read.
    seq: Seq,
    chain: ChainHash,
    /// False from the first fault in the log on: what follows from it is not known then.
    is_sound: bool,
    /// Seqs of snapshots that are still to come, the next one last.
    snapshots: Vec<Seq>,
}

/// A book that is gone meanwhile has nothing wrong with it.
pub(super) fn check_book(
    view: &View<'_>,
    book: BookId,
    checked: &mut Checked,
    on_page: &mut dyn FnMut(u64),
) -> Result<(), StoreError> {
    let Some(row) = view.book(book)? else { return Ok(()) };
    checked.books += 1;
    let mut snapshots = view.snapshot_seqs(book)?;
    snapshots.reverse();
    let (seq, chain) = (Seq::ZERO, ChainHash::ZERO);
    let mut check =
        BookCheck { view, row, checked, replay: Replay::from_nothing(), seq, chain, is_sound: true, snapshots };
    check.log(on_page)?;
    check.head();
    if check.is_sound {
        check.memberships()?;
        check.numbers()?;
        check.summary();
    }
    Ok(())
}

impl BookCheck<'_> {
    fn log(&mut self, on_page: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        loop {
            let page = self.view.log(self.row.id, self.seq, PAGE)?;
            if page.is_empty() {
                return Ok(());
            }
            for row in page {
                self.entry(&row)?;
            }
            on_page(self.checked.entries);
        }
    }

    fn entry(&mut self, row: &LogRow) -> Result<(), StoreError> {
        self.checked.entries += 1;
        let (seq, hash) = (row.entry.seq, row.entry.hash);
        if seq != self.seq.next() {
            self.is_sound = false;
            self.note(self.seq.next(), "the entry is missing");
        } else if self.chain.followed_by(&row.entry.bytes) != hash {
            self.is_sound = false;
            self.note(seq, "the entry's bytes and its hash disagree");
        }
        // Of what comes after a fault, only what is wrong with itself is told.
        (self.seq, self.chain) = (seq, hash);
        if self.is_sound {
            match self.replay.take(&row.entry.bytes) {
                Ok(entry) => self.keys(row, &entry),
                Err(what) => {
                    self.is_sound = false;
                    self.note(seq, &what);
                }
            }
        }
        self.snapshots_at(seq)
    }

    fn keys(&mut self, row: &LogRow, entry: &LedgerEntry) {
        let pairs =
            [("mutation", row.id == entry.id), ("replica", row.replica == entry.replica), ("number", row.n == entry.n)];
        for (what, _) in pairs.into_iter().filter(|(_, agrees)| !agrees) {
            self.note(entry.seq, &format!("the entry is kept under another {what} than it names"));
        }
    }

    fn snapshots_at(&mut self, seq: Seq) -> Result<(), StoreError> {
        while let Some(at) = self.snapshots.pop_if(|at| *at <= seq) {
            if let Some(bytes) = self.view.snapshot(self.row.id, at)?.filter(|_| self.is_sound) {
                self.checked.snapshots += 1;
                if let Err(what) = self.snapshot(&bytes) {
                    self.note(at, &format!("the snapshot {what}"));
                }
            }
        }
        Ok(())
    }

    /// At the entry the replay has got to.
    fn snapshot(&mut self, bytes: &[u8]) -> Result<(), String> {
        let snapshot = read_snapshot(bytes, SNAPSHOT_BYTES_MAX).map_err(|error| format!("cannot be read: {error}"))?;
        // Of a state in another form nothing can be said, and it is not used either.
        if snapshot.state_version != Ledger::STATE_VERSION {
            return Ok(());
        }
        let head = self.replay.head;
        if (snapshot.book, snapshot.seq, snapshot.hash) != (self.row.id, head.seq, head.hash) {
            return Err("does not belong to this place in this log".into());
        }
        for (replica, n) in snapshot.replicas.iter() {
            if let Some(line) = self.replay.lines.get_mut(replica) {
                line.n = line.n.max(*n);
            }
        }
        let (state_hash, replicas) = (snapshot.state_hash, snapshot.replicas.clone());
        if snapshot.into_state().hash() != state_hash {
            return Err("holds another state than its hash says".into());
        }
        if self.replay.state.hash() != state_hash {
            return Err("holds another state than the log leads to".into());
        }
        let lacks = |(replica, n)| replicas.get(replica).is_none_or(|known| known < n);
        match self.replay.lines.iter().map(|(replica, line)| (replica, &line.n)).find(|pair| lacks(*pair)) {
            Some((replica, n)) => Err(format!("lacks number {n} of replica {replica}")),
            None => Ok(()),
        }
    }

    fn head(&mut self) {
        let (head, hash) = (self.row.head, self.row.head_hash);
        if head != self.seq {
            self.note(head, &format!("the book's head is {head}, but its log ends at {}", self.seq));
        } else if hash != self.chain {
            self.note(head, "the head's hash is not that of the log");
        }
        if let Some(beyond) = self.snapshots.first() {
            self.note(*beyond, "the snapshot lies beyond the log");
        }
    }

    fn memberships(&mut self) -> Result<(), StoreError> {
        let kept = self.view.memberships(self.row.id)?;
        let mut faults = Vec::new();
        for (index, membership) in self.replay.memberships.iter().enumerate() {
            let user = membership.row.user;
            match kept.iter().position(|row| row.user == user) {
                None => faults.push((membership.seq, format!("the index of members lacks {user}"))),
                Some(at) if kept[at] != membership.row => {
                    let what = format!("the index of members has another role or time for {user}");
                    faults.push((membership.seq, what));
                }
                Some(at) if at != index => {
                    faults.push((membership.seq, format!("the index of members has {user} in another place")));
                }
                Some(_) => {}
            }
        }
        for row in kept {
            if self.replay.memberships.iter().all(|membership| membership.row.user != row.user) {
                let what = format!("the index of members has {}, who never was one", row.user);
                faults.push((self.seq, what));
            }
        }
        faults.iter().for_each(|(seq, what)| self.note(*seq, what));
        Ok(())
    }

    fn numbers(&mut self) -> Result<(), StoreError> {
        let kept: BTreeMap<ReplicaId, ReplicaRow> =
            self.view.replicas(self.row.id)?.into_iter().map(|row| (row.replica, row)).collect();
        let mut faults = Vec::new();
        for (replica, line) in &self.replay.lines {
            let what = match kept.get(replica) {
                None => format!("the index of numbers lacks replica {replica}"),
                Some(row) if row.n < line.n => {
                    format!("the index of numbers has {} for replica {replica}, which has got to {}", row.n, line.n)
                }
                Some(row) if row.user != line.user => format!("replica {replica} is kept as somebody else's"),
                Some(_) => continue,
            };
            faults.push((line.seq, what));
        }
        faults.iter().for_each(|(seq, what)| self.note(*seq, what));
        Ok(())
    }

    /// What lists show of the book.
    fn summary(&mut self) {
        let kept: Option<BookFacts> = serde_json::from_str(&self.row.summary).ok();
        if kept != self.replay.state.domain.book().map(|book| book.facts()) {
            self.note(self.seq, "the book's name or currency in lists is another than the log's");
        }
    }

    fn note(&mut self, seq: Seq, what: &str) {
        self.checked.note(Some(self.row.id), Some(seq), what);
    }
}
