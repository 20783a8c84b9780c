-- The conversations of one user in one namespace are an aggregate: every statement goes by its owner, so that what one
-- user has is not there for another.
CREATE TABLE conversation_owners (
    id INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    realm TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    -- How many conversations there are, expired ones too; kept by triggers.
    conversations INTEGER NOT NULL DEFAULT 0,
    UNIQUE (namespace, realm, tenant, user)
) STRICT;
CREATE INDEX conversation_owners_unused ON conversation_owners (id) WHERE conversations = 0;

CREATE TABLE conversations (
    -- Never given twice: what is remembered of a request tells a conversation from a later one with the same id.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    accessed_ms INTEGER NOT NULL,
    -- Absent where it is pinned.
    expires_ms INTEGER,
    sliding INTEGER NOT NULL,
    ttl_ms INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    -- The fencing token given last. It is that of a turn that is running until `turn_until_ms`.
    fence INTEGER NOT NULL,
    turn_until_ms INTEGER NOT NULL DEFAULT 0,
    turn_holder TEXT,
    turn_key TEXT,
    head BLOB NOT NULL,
    -- Last, so that a list need not read past what it shows.
    workflow BLOB,
    body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX conversations_by_id ON conversations (owner, id);
CREATE INDEX conversations_by_change ON conversations (owner, updated_ms, id);
CREATE INDEX conversations_by_expiry ON conversations (expires_ms) WHERE expires_ms IS NOT NULL;

CREATE TABLE conversation_messages (
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    -- The turn in which it was written.
    fence INTEGER,
    -- The turn whose answer it waits for; 0, which no turn has, where there will be none.
    pending INTEGER,
    document BLOB NOT NULL,
    PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_messages_pending ON conversation_messages (conversation, pending) WHERE pending IS NOT NULL;

CREATE TABLE conversation_requests (
    owner INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    conversation INTEGER NOT NULL,
    id TEXT NOT NULL,
    -- What an append wrote; absent where the conversation was begun.
    first_seq INTEGER,
    last_seq INTEGER,
    version INTEGER,
    fence INTEGER,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_requests_by_end ON conversation_requests (until_ms);
CREATE INDEX conversation_requests_of ON conversation_requests (conversation) WHERE first_seq IS NOT NULL;

CREATE TRIGGER conversation_added AFTER INSERT ON conversations BEGIN
    UPDATE conversation_owners SET conversations = conversations + 1 WHERE id = NEW.owner;
END;
CREATE TRIGGER conversation_removed AFTER DELETE ON conversations BEGIN
    UPDATE conversation_owners SET conversations = conversations - 1 WHERE id = OLD.owner;
END;
