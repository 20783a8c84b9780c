SELECT ms, seq, event_id, type, room, timestamp_ms, payload, metadata, deliveries, reason, died_ms
FROM event_copies
WHERE owner = ?1 AND died_ms IS NOT NULL AND (ms, seq) > (?2, ?3)
ORDER BY ms, seq
LIMIT ?4
