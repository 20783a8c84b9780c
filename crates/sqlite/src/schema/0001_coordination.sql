-- Names are interned, so that indexes hold small integers; counters are kept by triggers, so that no statement can
-- change a message or a delivery and forget to count it.

CREATE TABLE store (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- The life of the log: a position of another file, or of an earlier one at this path, is recognised by it.
    epoch TEXT NOT NULL,
    -- The last offset given to a message of any namespace.
    last_offset INTEGER NOT NULL
) STRICT;
INSERT INTO store (one, epoch, last_offset) VALUES (1, lower(hex(randomblob(8))), 0);

CREATE TABLE namespaces (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- The last offset of this namespace.
    head INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    waiting INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE kinds (
    namespace INTEGER NOT NULL,
    kind TEXT NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (namespace, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE inboxes (
    id INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    instance TEXT NOT NULL,
    member INTEGER NOT NULL DEFAULT 0,
    seen_ms INTEGER NOT NULL DEFAULT 0,
    total INTEGER NOT NULL DEFAULT 0,
    unread INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    -- The newest offset that ever left the inbox unread.
    dropped_to INTEGER,
    UNIQUE (namespace, instance)
) STRICT;
CREATE INDEX inboxes_members ON inboxes (namespace, instance) WHERE member = 1;
CREATE INDEX inboxes_members_by_sight ON inboxes (seen_ms) WHERE member = 1;
CREATE INDEX inboxes_unused ON inboxes (id) WHERE member = 0 AND total = 0 AND dropped_to IS NULL;

CREATE TABLE messages (
    offset INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    id TEXT NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    thread TEXT,
    subject_folded TEXT NOT NULL,
    requires_ack INTEGER NOT NULL,
    broadcast INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    -- The inboxes of a message with named recipients, a JSON array; empty for a broadcast, whose deliveries have an
    -- index of their own. It spares every other message that index.
    recipients TEXT NOT NULL,
    delivered INTEGER NOT NULL,
    read INTEGER NOT NULL,
    acked INTEGER NOT NULL,
    waiting INTEGER NOT NULL GENERATED ALWAYS AS (
        requires_ack = 1 AND settled = 0 AND (acked < delivered OR delivered = 0)
    ) VIRTUAL,
    -- Last, so that a filter need not read past what it compares.
    document BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_by_id ON messages (namespace, id);
CREATE INDEX messages_by_time ON messages (namespace, timestamp_ms);
CREATE INDEX messages_waiting ON messages (namespace, timestamp_ms) WHERE waiting = 1;
CREATE INDEX messages_droppable ON messages (namespace) WHERE waiting = 0;
CREATE INDEX messages_broadcast ON messages (namespace, timestamp_ms) WHERE broadcast = 1;
CREATE INDEX messages_by_thread ON messages (namespace, thread, timestamp_ms) WHERE thread IS NOT NULL;
CREATE INDEX messages_by_expiry ON messages (expires_ms);

CREATE TABLE deliveries (
    inbox INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    broadcast INTEGER NOT NULL,
    -- Whether it is still in the inbox; the receipt of one that was trimmed stays with its message.
    kept INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    read_ms INTEGER,
    ack_ms INTEGER,
    ack_by TEXT,
    ack_comment TEXT,
    PRIMARY KEY (inbox, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_by_time ON deliveries (inbox, timestamp_ms, offset) WHERE kept = 1;
CREATE INDEX deliveries_pending ON deliveries (inbox, timestamp_ms, offset) WHERE pending = 1;
CREATE INDEX deliveries_unread ON deliveries (inbox, offset) WHERE unread = 1;
CREATE INDEX deliveries_droppable ON deliveries (inbox, offset) WHERE kept = 1 AND pending = 0;
CREATE INDEX deliveries_of_broadcast ON deliveries (offset, inbox) WHERE broadcast = 1;

CREATE TABLE requests (
    namespace INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    message TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_end ON requests (until_ms);

CREATE TABLE presence (
    namespace INTEGER NOT NULL,
    instance TEXT NOT NULL,
    details TEXT NOT NULL,
    registered_ms INTEGER NOT NULL,
    beat_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, instance)
) STRICT, WITHOUT ROWID;
CREATE INDEX presence_by_beat ON presence (beat_ms);

CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
    UPDATE namespaces SET head = NEW.offset, messages = messages + 1, waiting = waiting + NEW.waiting
    WHERE id = NEW.namespace;
    INSERT INTO kinds (namespace, kind, messages) VALUES (NEW.namespace, NEW.kind, 1)
    ON CONFLICT DO UPDATE SET messages = messages + 1;
END;
CREATE TRIGGER message_changed AFTER UPDATE OF delivered, acked, settled ON messages
WHEN NEW.waiting <> OLD.waiting BEGIN
    UPDATE namespaces SET waiting = waiting + NEW.waiting - OLD.waiting WHERE id = NEW.namespace;
END;
CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
    UPDATE namespaces SET messages = messages - 1, waiting = waiting - OLD.waiting WHERE id = OLD.namespace;
    UPDATE kinds SET messages = messages - 1 WHERE namespace = OLD.namespace AND kind = OLD.kind;
    DELETE FROM kinds WHERE namespace = OLD.namespace AND kind = OLD.kind AND messages = 0;
END;

CREATE TRIGGER delivery_added AFTER INSERT ON deliveries BEGIN
    UPDATE inboxes SET
        total = total + NEW.kept,
        unread = unread + NEW.unread,
        pending = pending + NEW.pending
    WHERE id = NEW.inbox;
END;
CREATE TRIGGER delivery_changed AFTER UPDATE OF kept, unread, pending ON deliveries BEGIN
    UPDATE inboxes SET
        total = total + NEW.kept - OLD.kept,
        unread = unread + NEW.unread - OLD.unread,
        pending = pending + NEW.pending - OLD.pending
    WHERE id = NEW.inbox;
END;
CREATE TRIGGER delivery_removed AFTER DELETE ON deliveries BEGIN
    UPDATE inboxes SET
        total = total - OLD.kept,
        unread = unread - OLD.unread,
        pending = pending - OLD.pending
    WHERE id = OLD.inbox;
END;
CREATE TRIGGER delivery_trimmed_unread AFTER UPDATE OF kept ON deliveries
WHEN OLD.kept = 1 AND NEW.kept = 0 AND OLD.unread = 1 BEGIN
    UPDATE inboxes SET dropped_to = max(coalesce(dropped_to, 0), OLD.offset) WHERE id = OLD.inbox;
END;
CREATE TRIGGER delivery_removed_unread AFTER DELETE ON deliveries WHEN OLD.unread = 1 BEGIN
    UPDATE inboxes SET dropped_to = max(coalesce(dropped_to, 0), OLD.offset) WHERE id = OLD.inbox;
END;
