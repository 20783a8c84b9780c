-- Credentials of providers, sealed, and how their refresh stands.
CREATE TABLE credentials (
    namespace INTEGER NOT NULL,
    pool TEXT NOT NULL,
    provider TEXT NOT NULL,
    version INTEGER NOT NULL,
    sealed TEXT NOT NULL,
    seal_key TEXT NOT NULL,
    expires_ms INTEGER,
    -- When it is refreshed ahead of need.
    refresh_ms INTEGER,
    updated_ms INTEGER NOT NULL,
    -- The last lease of a refresh: its fence, its end while it lasts, and who holds or held it.
    fence INTEGER NOT NULL DEFAULT 0,
    held_until_ms INTEGER,
    holder TEXT,
    in_doubt INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    not_before_ms INTEGER,
    dead TEXT,
    PRIMARY KEY (namespace, pool, provider)
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_due ON credentials (refresh_ms) WHERE refresh_ms IS NOT NULL AND dead IS NULL;
CREATE INDEX credentials_by_seal_key ON credentials (seal_key);

-- The last version of any credential, so that none is used twice.
CREATE TABLE credential_versions (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL) STRICT;
INSERT INTO credential_versions (one, last) VALUES (1, 0);
