SELECT s.id, s.user, s.created_ms, s.used_ms, s.expires_ms, s.origin, s.agent, u.version, u.document
FROM sessions s
JOIN users u ON u.id = s.user
WHERE s.token = ?1 AND s.expires_ms > ?2 AND s.used_ms > ?3
