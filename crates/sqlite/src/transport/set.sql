INSERT INTO transports (namespace, settings, version, updated_ms, updated_by)
VALUES (:namespace, :settings, :version, :now_ms, :by)
ON CONFLICT (namespace) DO UPDATE SET
    settings = excluded.settings, version = excluded.version,
    updated_ms = excluded.updated_ms, updated_by = excluded.updated_by
