-- Writes that wait for the store, by number. A number is never used again.
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    request TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    by TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    -- Why the store did not take it, and since when; absent while it waits.
    refused TEXT,
    refused_ms INTEGER,
    UNIQUE (kind, request)
) STRICT;
CREATE INDEX entries_waiting ON entries (seq) WHERE refused IS NULL;

-- What the journal holds, kept by triggers so that a bound costs one row to check.
CREATE TABLE held (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    waiting INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
INSERT INTO held VALUES (1, 0, 0, 0);
CREATE TRIGGER entries_insert AFTER INSERT ON entries BEGIN
    UPDATE held SET waiting = waiting + (NEW.refused IS NULL), refused = refused + (NEW.refused IS NOT NULL),
        bytes = bytes + octet_length(NEW.body);
END;
CREATE TRIGGER entries_delete AFTER DELETE ON entries BEGIN
    UPDATE held SET waiting = waiting - (OLD.refused IS NULL), refused = refused - (OLD.refused IS NOT NULL),
        bytes = bytes - octet_length(OLD.body);
END;
CREATE TRIGGER entries_update AFTER UPDATE OF refused, body ON entries BEGIN
    UPDATE held SET waiting = waiting - (OLD.refused IS NULL) + (NEW.refused IS NULL),
        refused = refused - (OLD.refused IS NOT NULL) + (NEW.refused IS NOT NULL),
        bytes = bytes - octet_length(OLD.body) + octet_length(NEW.body);
END;

-- The last known copies of what the store holds.
CREATE TABLE snapshots (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a probe reads.
CREATE TABLE store (epoch TEXT NOT NULL) STRICT;
INSERT INTO store VALUES (lower(hex(randomblob(16))));
