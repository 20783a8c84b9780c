INSERT INTO documents (namespace, collection, key, revision, live, expires_ms)
VALUES (:namespace, :collection, :key, :revision, :live, :expires_ms)
ON CONFLICT (namespace, collection, key)
DO UPDATE SET revision = excluded.revision, live = excluded.live, expires_ms = excluded.expires_ms
RETURNING id
