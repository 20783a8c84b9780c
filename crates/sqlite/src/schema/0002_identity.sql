-- Users, API keys, sessions, and what is counted against guessing. Secrets stand here as digests or sealed, never as
-- they are.

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    -- The name in the form in which names are compared.
    name_key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    -- The key that something in the record is sealed with.
    seal_key TEXT,
    document BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_seal_key ON users (seal_key) WHERE seal_key IS NOT NULL;

CREATE TABLE sessions (
    -- The digest of the token.
    token TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    user TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    origin TEXT,
    agent TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_by_user ON sessions (user, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    -- The digest of the secret.
    secret TEXT NOT NULL,
    expires_ms INTEGER,
    used_ms INTEGER,
    document BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_expiry ON api_keys (expires_ms) WHERE expires_ms IS NOT NULL;

CREATE TABLE guesses (
    -- The digest of the account's name; the account need not exist.
    account TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    locked_until_ms INTEGER NOT NULL,
    forget_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX guesses_by_end ON guesses (forget_ms);

CREATE TABLE challenges (
    -- The digest of the challenge.
    challenge TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    account TEXT NOT NULL,
    answers INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX challenges_by_expiry ON challenges (expires_ms);
