-- The first condition spares a full inbox the walk where nothing at all has expired.
SELECT message.offset
FROM deliveries AS delivery INDEXED BY deliveries_pending
CROSS JOIN messages AS message ON message.offset = delivery.offset
WHERE EXISTS (SELECT 1 FROM messages WHERE expires_ms <= ?2)
  AND delivery.inbox = ?1
  AND delivery.pending = 1
  AND message.expires_ms <= ?2
ORDER BY delivery.timestamp_ms, delivery.offset
LIMIT ?3
