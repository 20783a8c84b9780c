INSERT OR REPLACE INTO credentials
    (namespace, pool, provider, version, sealed, seal_key, expires_ms, refresh_ms, updated_ms, fence)
VALUES (:namespace, :pool, :provider, :version, :sealed, :seal_key, :expires_ms, :refresh_ms, :now_ms, :fence)
