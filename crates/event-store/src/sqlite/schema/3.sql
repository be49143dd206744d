-- What a book's epoch was before a restore began another; up to `common` their logs are the same. It is where the first
-- restore after it began, for what later ones bring back has that in it.
CREATE TABLE past_epochs (
    book INTEGER NOT NULL REFERENCES books (key),
    epoch BLOB NOT NULL CHECK (length(epoch) = 16),
    common INTEGER NOT NULL CHECK (common >= 0),
    PRIMARY KEY (book, epoch)
) STRICT, WITHOUT ROWID;
