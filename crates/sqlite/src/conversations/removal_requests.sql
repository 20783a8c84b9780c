DELETE FROM conversation_requests WHERE (owner, key) IN (
    SELECT owner, key FROM conversation_requests WHERE conversation = ?1 AND first_seq IS NOT NULL LIMIT ?2
)
