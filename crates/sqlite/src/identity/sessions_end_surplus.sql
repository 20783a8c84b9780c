DELETE FROM sessions WHERE token IN (
    SELECT token FROM sessions WHERE user = ?1 ORDER BY created_ms DESC, token DESC LIMIT -1 OFFSET ?2
)
