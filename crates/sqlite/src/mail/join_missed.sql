SELECT message.offset, message.timestamp_ms, message.expires_ms, message.requires_ack, message.settled
FROM messages AS message INDEXED BY messages_broadcast
WHERE message.namespace = :namespace
  AND message.broadcast = 1
  AND message.expires_ms > :now_ms
  AND message.sender <> :sender
  AND NOT EXISTS (
      SELECT 1 FROM deliveries WHERE deliveries.inbox = :inbox AND deliveries.offset = message.offset
  )
ORDER BY message.timestamp_ms DESC, message.offset DESC
LIMIT :limit
