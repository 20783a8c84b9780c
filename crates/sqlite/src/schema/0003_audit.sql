-- The audit trail: chains of entries, each with the hash of the one before it. Nothing here expires.

CREATE TABLE audit_chains (
    id INTEGER PRIMARY KEY,
    chain TEXT NOT NULL UNIQUE,
    -- The newest entry.
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    -- Entries kept.
    count INTEGER NOT NULL,
    -- The last entry that was removed, and the statement under which.
    base_seq INTEGER NOT NULL,
    base_hash TEXT NOT NULL,
    statement TEXT
) STRICT;

CREATE TABLE audit_entries (
    chain INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (chain, seq)
) STRICT;
