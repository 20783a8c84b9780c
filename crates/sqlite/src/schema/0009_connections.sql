-- Connections that span requests, by the digest of their token, and the bytes on their way through them.

CREATE TABLE connections (
    token TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    principal TEXT NOT NULL,
    -- What was negotiated, opaque.
    details TEXT NOT NULL,
    -- The node that holds it, where one does.
    node TEXT,
    ends_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX connections_over ON connections (ends_ms);

-- A direction that anything was sent in: 0 to the node that holds the connection, 1 from it.
CREATE TABLE connection_ways (
    token TEXT NOT NULL,
    direction INTEGER NOT NULL,
    -- The last number given.
    last INTEGER NOT NULL,
    -- Portions and bytes that wait.
    waiting INTEGER NOT NULL,
    waiting_bytes INTEGER NOT NULL,
    PRIMARY KEY (token, direction)
) STRICT, WITHOUT ROWID;

CREATE TABLE connection_bytes (
    token TEXT NOT NULL,
    direction INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (token, direction, number)
) STRICT;
