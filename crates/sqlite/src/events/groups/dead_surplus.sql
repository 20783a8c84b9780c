DELETE FROM event_copies WHERE owner = ?1 AND died_ms IS NOT NULL AND (ms, seq) IN (
    SELECT ms, seq FROM event_copies WHERE owner = ?1 AND died_ms IS NOT NULL ORDER BY ms, seq LIMIT ?2
)
