INSERT INTO conversation_messages (conversation, seq, at_ms, fence, pending, document)
SELECT ?1, seq, at_ms, fence, CASE WHEN pending IS NOT NULL THEN 0 END, document
FROM conversation_messages
WHERE conversation = ?2 AND seq <= ?3
ORDER BY seq
