SELECT namespaces.name, pool, provider, version, refresh_ms
FROM credentials JOIN namespaces ON namespaces.id = credentials.namespace
WHERE refresh_ms <= ?1 AND refresh_ms IS NOT NULL AND dead IS NULL
    AND (held_until_ms IS NULL OR held_until_ms <= ?1) AND (not_before_ms IS NULL OR not_before_ms <= ?1)
ORDER BY refresh_ms LIMIT ?2
