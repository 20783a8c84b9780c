SELECT id, user, created_ms, used_ms, expires_ms, origin, agent
FROM sessions
WHERE user = ?1 AND expires_ms > ?2 AND used_ms > ?3
ORDER BY created_ms DESC, id
