-- Pools of providers: who is in them, how they do, what was counted, and who uses them.

CREATE TABLE pools (
    id INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    pool TEXT NOT NULL,
    revision INTEGER NOT NULL,
    -- Opaque.
    settings TEXT NOT NULL,
    -- The number and the position of the last choice, and how far the one had come that was chosen by weight last.
    sequence INTEGER NOT NULL DEFAULT 0,
    cursor INTEGER NOT NULL DEFAULT 0,
    turn INTEGER NOT NULL DEFAULT 0,
    UNIQUE (namespace, pool)
) STRICT;

CREATE TABLE providers (
    pool INTEGER NOT NULL,
    id TEXT NOT NULL,
    position INTEGER NOT NULL,
    -- Settings. The body is opaque; models are a JSON list.
    body TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    max_in_flight INTEGER NOT NULL,
    excluded_models TEXT NOT NULL,
    seal_key TEXT,
    version INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    -- Health.
    unhealthy INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    last_failure_ms INTEGER,
    last_failure TEXT,
    retry_ms INTEGER,
    needs_refresh INTEGER NOT NULL DEFAULT 0,
    checked_ms INTEGER,
    checked_model TEXT,
    -- Counters.
    requests INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    refreshes INTEGER NOT NULL DEFAULT 0,
    used_ms INTEGER,
    failed_ms INTEGER,
    sequence INTEGER NOT NULL DEFAULT 0,
    -- The circuit: 0 closed, 1 open, 2 half-open, 3 forced open; and what it is judged by, as JSON.
    circuit INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    since_ms INTEGER,
    probe_ms INTEGER,
    marks TEXT NOT NULL DEFAULT '[]',
    measured_ms INTEGER,
    answers TEXT NOT NULL DEFAULT '[]',
    successes INTEGER NOT NULL DEFAULT 0,
    asked INTEGER NOT NULL DEFAULT 0,
    -- How far it has come where choices go by weight, and the use that is to show whether it has recovered.
    pass INTEGER NOT NULL DEFAULT 0,
    trial TEXT,
    PRIMARY KEY (pool, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX providers_by_seal_key ON providers (seal_key) WHERE seal_key IS NOT NULL;

CREATE TABLE provider_uses (
    pool INTEGER NOT NULL,
    lease TEXT NOT NULL,
    provider TEXT NOT NULL,
    probe INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    PRIMARY KEY (pool, lease)
) STRICT, WITHOUT ROWID;

-- Where the requests of a session went.
CREATE TABLE provider_sessions (
    pool INTEGER NOT NULL,
    session TEXT NOT NULL,
    provider TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (pool, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_sessions_over ON provider_sessions (until_ms);

-- The last changes of a pool, which a repetition is recognised by. They outlive the pool.
CREATE TABLE pool_changes (
    namespace INTEGER NOT NULL,
    pool TEXT NOT NULL,
    digest TEXT NOT NULL,
    revision INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, pool, digest)
) STRICT, WITHOUT ROWID;
