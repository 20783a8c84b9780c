SELECT offset, timestamp_ms, expires_ms, requires_ack, broadcast, settled
FROM messages
WHERE namespace = ?1 AND id = ?2
