DELETE FROM conversation_messages WHERE conversation = ?1 AND seq IN (
    SELECT seq FROM conversation_messages WHERE conversation = ?1 ORDER BY seq LIMIT ?2
)
