//! Books to fill a store with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tidebook_book::{
    BookId, ChainHash, EncodedEntry, Epoch, MutationId, MutationNumber, ReplicaId, Role, Seq, UnixMillis, UserId,
};
use tidebook_event_store::{
    AccountCreated, Append, Created, EntryLimit, NewAccount, NewBook, NewEntry, OpenError, ReplicaRow, Store,
};
use uuid::Uuid;

pub(crate) const ALL: EntryLimit = EntryLimit { count: usize::MAX, bytes: usize::MAX };

/// A place on disk for one store.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("tidebook.db")
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    pub(crate) fn refusal(&self) -> OpenError {
        Store::open(&self.path()).expect_err("the store should not open")
    }

    /// Goes behind the store's back.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }
}

pub(crate) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

pub(crate) fn replica(number: u128) -> ReplicaId {
    ReplicaId(Uuid::from_u128(number))
}

pub(crate) fn book_id(number: u128) -> BookId {
    BookId(Uuid::from_u128(number))
}

pub(crate) async fn account(store: &Store, number: u128, name: &str) -> AccountCreated {
    let account = NewAccount {
        id: user(number),
        email: format!("{name}@example.com").to_lowercase(),
        name: name.to_owned(),
        password_hash: "$argon2id$".to_owned(),
        admin: number == 1,
        created_at: UnixMillis(7),
    };
    store.create_account(account).await.unwrap()
}

/// Stages entries like an authority does: knows the head, and what was staged.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) book: BookId,
    pub(crate) replica: ReplicaId,
    pub(crate) user: UserId,
    pub(crate) head: Seq,
    pub(crate) hash: ChainHash,
    pub(crate) n: MutationNumber,
}

impl Author {
    pub(crate) fn new(book: u128) -> Self {
        Self {
            book: book_id(book),
            replica: replica(book),
            user: user(1),
            head: Seq::ZERO,
            hash: ChainHash::ZERO,
            n: MutationNumber::ZERO,
        }
    }

    /// Creates the book with one entry and user 1 as its owner.
    pub(crate) async fn create(&mut self, store: &Store) {
        let new = self.new_book();
        assert_eq!(store.create_book(new).await, Ok(Created::New));
    }

    pub(crate) fn new_book(&mut self) -> NewBook {
        let mut first = self.stage(&["born"]);
        first.members = vec![(user(1), Some(Role::Owner), UnixMillis(5))];
        NewBook { book: self.book, epoch: Epoch(Uuid::from_u128(9)), created_at: UnixMillis(5), first }
    }

    /// What follows at the head: one entry for each text.
    pub(crate) fn stage(&mut self, texts: &[impl AsRef<str>]) -> Append {
        let expected_head = self.head;
        let entries = texts.iter().map(|text| self.entry(text.as_ref())).collect();
        let numbers = vec![ReplicaRow { replica: self.replica, user: self.user, n: self.n }];
        Append {
            book: self.book,
            expected_head,
            entries,
            numbers,
            members: Vec::new(),
            summary: None,
            invite_used: None,
            answers: Vec::new(),
        }
    }

    pub(crate) fn entry(&mut self, text: &str) -> NewEntry {
        self.head = self.head.next();
        self.n = self.n.next();
        self.hash = self.hash.followed_by(text.as_bytes());
        let entry = EncodedEntry { seq: self.head, bytes: Arc::from(text.as_bytes()), hash: self.hash };
        NewEntry { entry, id: self.mutation(self.n), replica: self.replica, n: self.n }
    }

    pub(crate) fn mutation(&self, n: MutationNumber) -> MutationId {
        MutationId(Uuid::from_u128(self.replica.0.as_u128() << 64 | u128::from(n.0)))
    }
}

pub(crate) fn seqs(entries: &[EncodedEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq.0).collect()
}

/// The whole log, with its chain checked against nothing but itself.
pub(crate) async fn whole_log(store: &Store, book: BookId) -> Vec<EncodedEntry> {
    let entries = store.entries(book, Seq::ZERO, ALL).await.unwrap();
    let mut hash = ChainHash::ZERO;
    for (seq, entry) in (1..).zip(&entries) {
        hash = hash.followed_by(&entry.bytes);
        assert_eq!((entry.seq, entry.hash), (Seq(seq), hash));
    }
    let row = store.book(book).await.unwrap().expect("the book exists");
    assert_eq!((row.head, row.head_hash), (Seq(entries.len() as u64), hash));
    entries
}

/// Everything in all tables, to compare before and after.
pub(crate) fn dump(path: &Path) -> Vec<String> {
    rows(path, &columns(path))
}

/// All tables, each with the names of its columns as a `SELECT` takes them.
pub(crate) fn columns(path: &Path) -> Vec<(String, String)> {
    let conn = rusqlite::Connection::open(path).unwrap();
    let names = "SELECT t.name, group_concat(c.name, ', ' ORDER BY c.cid)
                 FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' GROUP BY t.name";
    let mut statement = conn.prepare(names).unwrap();
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    tables.collect::<Result<_, _>>().unwrap()
}

/// What is in these columns of these tables.
pub(crate) fn rows(path: &Path, tables: &[(String, String)]) -> Vec<String> {
    let conn = rusqlite::Connection::open(path).unwrap();
    let mut rows = Vec::new();
    for (table, columns) in tables {
        let mut statement = conn.prepare(&format!("SELECT {columns} FROM {table}")).unwrap();
        let count = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values: Vec<_> = (0..count).map(|index| format!("{:?}", row.get_ref(index).unwrap())).collect();
            rows.push(format!("{table}: {}", values.join(", ")));
        }
    }
    rows
}
