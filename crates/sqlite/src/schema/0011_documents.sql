-- Documents: JSON that is set, with its history and the log of its changes. Texts are opaque; what is secret in them is sealed.
CREATE TABLE document_spaces (
    namespace INTEGER PRIMARY KEY,
    -- The life of the revisions of the namespace.
    epoch TEXT NOT NULL,
    -- The last revision that was given.
    head INTEGER NOT NULL,
    -- The last revision that left the log.
    horizon INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    -- The newest revision.
    revision INTEGER NOT NULL,
    -- Whether it stands; else only its history does.
    live INTEGER NOT NULL,
    expires_ms INTEGER,
    UNIQUE (namespace, collection, key)
) STRICT;
CREATE INDEX documents_by_end ON documents (namespace, expires_ms) WHERE expires_ms IS NOT NULL AND live = 1;
CREATE INDEX documents_gone ON documents (namespace, revision) WHERE live = 0;

CREATE TABLE document_revisions (
    document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- Absent where the document was removed.
    body TEXT,
    -- The key that something in the text is sealed with.
    seal_key TEXT,
    diff TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (document, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_revisions_by_seal_key ON document_revisions (seal_key) WHERE seal_key IS NOT NULL;
CREATE INDEX document_revisions_by_age ON document_revisions (revision);

CREATE TABLE document_log (
    -- In the order of the changes.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    by TEXT NOT NULL
) STRICT;
CREATE INDEX document_log_by_revision ON document_log (namespace, revision, number);

CREATE TABLE document_requests (
    namespace INTEGER NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    revision INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_requests_by_end ON document_requests (until_ms);
