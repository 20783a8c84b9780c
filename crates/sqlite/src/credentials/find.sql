SELECT version, sealed, seal_key, expires_ms, refresh_ms, updated_ms,
       fence, held_until_ms, holder, in_doubt, failures, not_before_ms, dead
FROM credentials
WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND pool = ?2 AND provider = ?3
