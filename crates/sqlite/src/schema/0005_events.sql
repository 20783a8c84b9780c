-- Events: logs of streams, and the ids that are remembered of them.

CREATE TABLE event_logs (
    id INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL REFERENCES namespaces (id),
    stream TEXT NOT NULL,
    partition INTEGER NOT NULL,
    -- The last place given.
    last_ms INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    -- The last event that was trimmed.
    trimmed_ms INTEGER NOT NULL DEFAULT 0,
    trimmed_seq INTEGER NOT NULL DEFAULT 0,
    length INTEGER NOT NULL DEFAULT 0,
    UNIQUE (namespace, stream, partition)
) STRICT;

CREATE TABLE events (
    log INTEGER NOT NULL REFERENCES event_logs (id),
    ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    room TEXT NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    metadata TEXT,
    PRIMARY KEY (log, ms, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_ids (
    log INTEGER NOT NULL REFERENCES event_logs (id),
    event_id TEXT NOT NULL,
    ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (log, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_ids_by_end ON event_ids (log, until_ms);
