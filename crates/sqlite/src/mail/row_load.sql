SELECT broadcast, settled, delivered, read, acked, document
FROM messages
WHERE offset = ?1
