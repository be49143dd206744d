//! A device's store: rows of text for each book, and a replica id. All tabs of the device share it.
//!
//! A transaction is there whole or not at all. One that has to be there for good is on the disk when it is done; another
//! is on the disk some time later, and a power cut before then takes it back, with all that came after it.

use std::collections::BTreeMap;

use tidebook_book::{BookId, MutationId, ReplicaId, Seq};
use tidebook_replica::{Forget, Lacking, StoreWrite, Stored};

/// How a state begins that another version of the app wrote.
const ANOTHER_VERSION: &str = r#"{"version":1000"#;

/// What a device keeps.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) replica: ReplicaId,
    books: BTreeMap<BookId, Rows>,
    /// How to take back what is not on the disk yet, the latest last.
    unsynced: Vec<(BookId, Undo)>,
}

/// Rows of one book.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) head: Option<String>,
    pub(crate) state: Option<String>,
    entries: BTreeMap<Seq, String>,
    outbox: BTreeMap<MutationId, String>,
    rejections: BTreeMap<MutationId, String>,
    confirmed: BTreeMap<Seq, String>,
}

/// What stood where something was written.
#[derive(Debug, Clone)]
struct Undo {
    head: Option<String>,
    /// `None`: it was not written.
    state: Option<Option<String>>,
    entries: Vec<(Seq, Option<String>)>,
    outbox: Vec<(MutationId, Option<String>)>,
    rejections: Vec<(MutationId, Option<String>)>,
    confirmed: Vec<(Seq, Option<String>)>,
}

/// How long what is written has to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// Through a power cut, from when it is done.
    ForGood,
    /// It can only arrive once more.
    Loose,
}

impl Store {
    pub(crate) fn new(replica: ReplicaId) -> Self {
        Self { replica, books: BTreeMap::new(), unsynced: Vec::new() }
    }

    pub(crate) fn head(&self, book: BookId) -> Option<&str> {
        self.books.get(&book)?.head.as_deref()
    }

    /// What is asked for of a book that has a head.
    pub(crate) fn read(&self, book: BookId, lacking: Lacking) -> Stored {
        let rows = &self.books[&book];
        let (state, after) = match lacking {
            Lacking::Everything(seq) => (rows.state.clone(), seq),
            Lacking::EntriesAfter(seq) => (None, seq),
        };
        Stored {
            lacking,
            head: rows.head.clone().expect("it was read before"),
            state,
            entries: rows.entries.range(after.next()..).map(|(_, text)| text.clone()).collect(),
            outbox: rows.outbox.values().cloned().collect(),
            rejections: rows.rejections.values().cloned().collect(),
        }
    }

    pub(crate) fn confirmed(&self, book: BookId) -> Vec<String> {
        self.books.get(&book).map(|rows| rows.confirmed.values().cloned().collect()).unwrap_or_default()
    }

    /// One transaction.
    pub(crate) fn write(&mut self, book: BookId, write: StoreWrite, lasting: Lasting) {
        let undo = self.books.entry(book).or_default().put(write);
        match lasting {
            // What came before it is written out with it.
            Lasting::ForGood => self.unsynced.clear(),
            Lasting::Loose => self.unsynced.push((book, undo)),
        }
    }

    /// Whether anything was ever written here.
    pub(crate) fn has_rows(&self) -> bool {
        !self.books.is_empty()
    }

    /// As though another version of the app had written it: states in a form that is not this one's, and in the rest fields
    /// that nobody knows here.
    pub(crate) fn pass_for_another_version(&mut self) {
        for rows in self.books.values_mut() {
            if let Some(state) = &mut rows.state {
                *state = state.replacen(r#"{"version":"#, ANOTHER_VERSION, 1);
            }
            let texts = rows.head.iter_mut().chain(rows.outbox.values_mut()).chain(rows.rejections.values_mut());
            texts.chain(rows.confirmed.values_mut()).for_each(|text| text.insert_str(1, r#""tint":"red","#));
        }
        // What was not on the disk yet was written by that version, too.
        self.unsynced.clear();
    }

    /// Whoever starts from the book's state finds it in a form that is not this version's, and takes it from the server.
    pub(crate) fn has_state_of_another_version(&self, book: BookId) -> bool {
        let state = self.books.get(&book).and_then(|rows| rows.state.as_ref());
        state.is_some_and(|state| state.starts_with(ANOTHER_VERSION))
    }

    /// As it is now, on another disk.
    pub(crate) fn copied(&self) -> Self {
        Self { unsynced: Vec::new(), ..self.clone() }
    }

    /// How many transactions a power cut may take back.
    pub(crate) fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// The power is cut when so many of those are on the disk.
    pub(crate) fn lose_unsynced(&mut self, kept: usize) {
        while self.unsynced.len() > kept {
            if let Some((book, undo)) = self.unsynced.pop() {
                self.books.entry(book).or_default().revert(undo);
            }
        }
        self.unsynced.clear();
    }
}

impl Rows {
    fn put(&mut self, write: StoreWrite) -> Undo {
        Undo {
            head: self.head.replace(write.head),
            state: write.state.map(|state| self.state.replace(state)),
            entries: put_by_seq(&mut self.entries, write.forget, write.entries),
            outbox: put(&mut self.outbox, write.outbox),
            rejections: put(&mut self.rejections, write.rejections),
            confirmed: put_by_seq(&mut self.confirmed, write.forget, write.confirmed),
        }
    }

    fn revert(&mut self, undo: Undo) {
        self.head = undo.head;
        if let Some(state) = undo.state {
            self.state = state;
        }
        put(&mut self.entries, undo.entries.into_iter().rev());
        put(&mut self.outbox, undo.outbox.into_iter().rev());
        put(&mut self.rejections, undo.rejections.into_iter().rev());
        put(&mut self.confirmed, undo.confirmed.into_iter().rev());
    }
}

/// Puts or deletes rows, and tells what stood there.
fn put<K: Ord + Copy>(
    rows: &mut BTreeMap<K, String>,
    changes: impl IntoIterator<Item = (K, Option<String>)>,
) -> Vec<(K, Option<String>)> {
    let change = |(key, text): (K, Option<String>)| match text {
        Some(text) => (key, rows.insert(key, text)),
        None => (key, rows.remove(&key)),
    };
    changes.into_iter().map(change).collect()
}

fn put_by_seq(
    rows: &mut BTreeMap<Seq, String>,
    forget: Forget,
    texts: Vec<(Seq, String)>,
) -> Vec<(Seq, Option<String>)> {
    let gone = match forget {
        Forget::Nothing => BTreeMap::new(),
        Forget::UpTo(seq) => {
            let stays = rows.split_off(&seq.next());
            std::mem::replace(rows, stays)
        }
        Forget::All => std::mem::take(rows),
    };
    let mut before: Vec<_> = gone.into_iter().map(|(seq, text)| (seq, Some(text))).collect();
    before.extend(put(rows, texts.into_iter().map(|(seq, text)| (seq, Some(text)))));
    before
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const BOOK: BookId = BookId(Uuid::nil());

    fn write(head: &str, forget: Forget, entries: &[u64]) -> StoreWrite {
        let id = MutationId(Uuid::nil());
        let entries: Vec<_> = entries.iter().map(|seq| (Seq(*seq), format!("{head}{seq}"))).collect();
        let confirmed = entries.clone();
        let (outbox, rejections) = (vec![(id, Some(head.into()))], vec![(id, None)]);
        StoreWrite { head: head.into(), state: Some(head.into()), forget, entries, confirmed, outbox, rejections }
    }

    fn told(store: &Store) -> String {
        let stored = store.read(BOOK, Lacking::Everything(Seq::ZERO));
        format!("{:?} {:?} {:?} {:?}", stored.head, stored.state, stored.entries, stored.outbox)
    }

    #[test]
    fn a_power_cut_takes_back_what_was_not_for_good() {
        let mut store = Store::new(ReplicaId(Uuid::nil()));
        store.write(BOOK, write("a", Forget::Nothing, &[1, 2]), Lasting::Loose);
        store.write(BOOK, write("b", Forget::Nothing, &[3]), Lasting::ForGood);
        let for_good = told(&store);
        store.write(BOOK, write("c", Forget::UpTo(Seq(2)), &[3, 4]), Lasting::Loose);
        let once_more = told(&store);
        store.write(BOOK, write("d", Forget::All, &[9]), Lasting::Loose);
        assert_eq!(store.unsynced(), 2);
        let mut cut_later = store.clone();
        cut_later.lose_unsynced(1);
        assert_eq!(told(&cut_later), once_more);
        store.lose_unsynced(0);
        assert_eq!(told(&store), for_good);
        assert_eq!(for_good, r#""b" Some("b") ["a1", "a2", "b3"] ["b"]"#);
    }
}
