-- Keys of the gateway, what they have in hand, and usage. Of a secret the digest stands here alone.

CREATE TABLE gateway_keys (
    key INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL REFERENCES namespaces (id),
    id TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    -- The key of the ring that something in the body is sealed with.
    seal_key TEXT,
    requests_per_minute INTEGER,
    tokens_per_minute INTEGER,
    requests_per_day INTEGER,
    bonus_requests INTEGER NOT NULL,
    max_in_flight INTEGER,
    budget INTEGER,
    period TEXT,
    disabled INTEGER NOT NULL,
    expires_ms INTEGER,
    created_ms INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    requests_today INTEGER NOT NULL,
    day INTEGER NOT NULL,
    bonus_used INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    spent_from_ms INTEGER NOT NULL,
    used_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX gateway_keys_by_id ON gateway_keys (namespace, id);
CREATE INDEX gateway_keys_by_seal_key ON gateway_keys (seal_key) WHERE seal_key IS NOT NULL;

-- Requests that are open, or within the minute of the limits.
CREATE TABLE gateway_requests (
    key INTEGER NOT NULL,
    request TEXT NOT NULL,
    admitted_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    open INTEGER NOT NULL,
    -- What it counts in the minute: what is reserved, then what was used.
    tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    day INTEGER NOT NULL,
    bonus INTEGER NOT NULL,
    spent_from_ms INTEGER NOT NULL,
    PRIMARY KEY (key, request)
) STRICT, WITHOUT ROWID;
CREATE INDEX gateway_requests_by_time ON gateway_requests (key, admitted_ms);
CREATE INDEX gateway_requests_in_flight ON gateway_requests (key, until_ms) WHERE open = 1;
CREATE INDEX gateway_requests_by_age ON gateway_requests (admitted_ms);

CREATE TABLE gateway_usage (
    namespace INTEGER NOT NULL,
    day INTEGER NOT NULL,
    label TEXT NOT NULL,
    pool TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    requests INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    PRIMARY KEY (namespace, day, label, pool, provider, model)
) STRICT, WITHOUT ROWID;
CREATE INDEX gateway_usage_by_day ON gateway_usage (day);

-- Requests that usage counts already, for as long as they may be settled.
CREATE TABLE gateway_settled (
    namespace INTEGER NOT NULL,
    request TEXT NOT NULL,
    admitted_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, request)
) STRICT, WITHOUT ROWID;
CREATE INDEX gateway_settled_by_time ON gateway_settled (admitted_ms);
