ALTER TABLE books ADD COLUMN archived_at INTEGER;

CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- `created_by` is an account, and has no foreign key: an invite outlives it.
CREATE TABLE invites (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    book INTEGER NOT NULL REFERENCES books (key),
    token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
    uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
    created_by BLOB NOT NULL CHECK (length(created_by) = 16),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX invites_by_book ON invites (book, created_at);

-- What a REST write was answered, for when it is repeated.
CREATE TABLE answers (
    book INTEGER NOT NULL REFERENCES books (key),
    mutation BLOB NOT NULL CHECK (length(mutation) = 16),
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
    status INTEGER NOT NULL CHECK (status BETWEEN 100 AND 599),
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (book, mutation)
) STRICT;

CREATE INDEX answers_by_time ON answers (at);

CREATE TABLE snapshots (
    book INTEGER NOT NULL REFERENCES books (key),
    seq INTEGER NOT NULL CHECK (seq > 0),
    bytes BLOB NOT NULL,
    PRIMARY KEY (book, seq)
) STRICT;
