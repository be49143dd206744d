-- What a person's books are on this device. Rows are text that the replica wrote and reads; ids are 16 bytes.

CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE heads (
    book BLOB PRIMARY KEY CHECK (length(book) = 16),
    text TEXT NOT NULL
) STRICT;

-- Beside the heads: a state is large, and a head changes with every write.
CREATE TABLE states (
    book BLOB PRIMARY KEY CHECK (length(book) = 16),
    text TEXT NOT NULL
) STRICT;

CREATE TABLE entries (
    book BLOB NOT NULL CHECK (length(book) = 16),
    seq INTEGER NOT NULL CHECK (seq > 0),
    text TEXT NOT NULL,
    PRIMARY KEY (book, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    book BLOB NOT NULL CHECK (length(book) = 16),
    id BLOB NOT NULL CHECK (length(id) = 16),
    text TEXT NOT NULL,
    PRIMARY KEY (book, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejections (
    book BLOB NOT NULL CHECK (length(book) = 16),
    id BLOB NOT NULL CHECK (length(id) = 16),
    text TEXT NOT NULL,
    PRIMARY KEY (book, id)
) STRICT, WITHOUT ROWID;

-- What was confirmed of late, for a server that comes back from an older backup; by the seq of its entry.
CREATE TABLE confirmed (
    book BLOB NOT NULL CHECK (length(book) = 16),
    seq INTEGER NOT NULL CHECK (seq > 0),
    text TEXT NOT NULL,
    PRIMARY KEY (book, seq)
) STRICT, WITHOUT ROWID;
