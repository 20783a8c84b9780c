-- How the publishers of a namespace choose their transport; the settings are opaque.
CREATE TABLE transports (
    namespace INTEGER PRIMARY KEY,
    settings TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;
