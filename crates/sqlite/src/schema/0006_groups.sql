-- Consumer groups: up to where each was delivered, what its consumers hold, and what it gave up on.

CREATE TABLE event_groups (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL REFERENCES event_logs (id),
    name TEXT NOT NULL,
    -- Up to which event it was delivered.
    delivered_ms INTEGER NOT NULL,
    delivered_seq INTEGER NOT NULL,
    -- Events that were trimmed while a consumer held them.
    lost INTEGER NOT NULL DEFAULT 0,
    -- How many of its event_copies are dead.
    dead INTEGER NOT NULL DEFAULT 0,
    UNIQUE (log, name)
) STRICT;

CREATE TABLE event_consumers (
    owner INTEGER NOT NULL REFERENCES event_groups (id),
    consumer TEXT NOT NULL,
    -- When it last took something, to the minute.
    seen_ms INTEGER NOT NULL,
    PRIMARY KEY (owner, consumer)
) STRICT, WITHOUT ROWID;

-- Events that were delivered and not acknowledged.
CREATE TABLE event_holds (
    owner INTEGER NOT NULL REFERENCES event_groups (id),
    ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    -- Nobody where the event was revived and not taken since.
    consumer TEXT,
    deliveries INTEGER NOT NULL,
    -- Since when it is left alone; 0 where it was given back at once.
    since_ms INTEGER NOT NULL,
    -- Whether it is a copy that stands in event_copies; otherwise it is an event of the log.
    revived INTEGER NOT NULL,
    PRIMARY KEY (owner, ms, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_holds_left_alone ON event_holds (owner, since_ms);

-- Whole copies of events that died, because the log may have trimmed them.
CREATE TABLE event_copies (
    owner INTEGER NOT NULL REFERENCES event_groups (id),
    ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    room TEXT NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    metadata TEXT,
    -- How it died; absent where it was revived.
    deliveries INTEGER,
    reason TEXT,
    died_ms INTEGER,
    PRIMARY KEY (owner, ms, seq)
) STRICT, WITHOUT ROWID;
