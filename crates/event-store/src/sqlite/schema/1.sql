-- 'Tide'
PRAGMA application_id = 0x54696465;

CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account BLOB NOT NULL REFERENCES accounts (id),
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    replica BLOB NOT NULL CHECK (length(replica) = 16),
    client TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_account ON sessions (account, created_at);

-- `key` stands for the id in the tables below, to keep their rows small.
CREATE TABLE books (
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    epoch BLOB NOT NULL CHECK (length(epoch) = 16),
    head INTEGER NOT NULL CHECK (head >= 0),
    head_hash BLOB NOT NULL CHECK (length(head_hash) = 32),
    summary TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Without a rowid, so that a book's log lies together on disk, in order.
CREATE TABLE entries (
    book INTEGER NOT NULL REFERENCES books (key),
    seq INTEGER NOT NULL CHECK (seq > 0),
    bytes BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    mutation BLOB NOT NULL CHECK (length(mutation) = 16),
    replica BLOB NOT NULL CHECK (length(replica) = 16),
    n INTEGER NOT NULL CHECK (n > 0),
    PRIMARY KEY (book, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX entries_by_mutation ON entries (book, mutation);
CREATE UNIQUE INDEX entries_by_number ON entries (book, replica, n);

-- `account` has no foreign key here and below: the log outlives the accounts of those who wrote it.
CREATE TABLE replicas (
    book INTEGER NOT NULL REFERENCES books (key),
    replica BLOB NOT NULL CHECK (length(replica) = 16),
    account BLOB NOT NULL CHECK (length(account) = 16),
    n INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (book, replica)
) STRICT, WITHOUT ROWID;

-- Who first used a replica, in any book.
CREATE TABLE replica_owners (
    replica BLOB NOT NULL PRIMARY KEY CHECK (length(replica) = 16),
    account BLOB NOT NULL CHECK (length(account) = 16)
) STRICT, WITHOUT ROWID;

-- `key` is the order of first memberships, in the book and overall. A former member has no role.
CREATE TABLE members (
    key INTEGER PRIMARY KEY,
    book INTEGER NOT NULL REFERENCES books (key),
    account BLOB NOT NULL CHECK (length(account) = 16),
    role TEXT CHECK (role IN ('viewer', 'editor', 'owner')),
    since INTEGER NOT NULL,
    UNIQUE (book, account)
) STRICT;

CREATE INDEX members_by_account ON members (account);
