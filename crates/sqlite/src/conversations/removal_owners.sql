DELETE FROM conversation_owners WHERE id IN (
    SELECT id FROM conversation_owners AS owner INDEXED BY conversation_owners_unused
    WHERE conversations = 0
      AND NOT EXISTS (SELECT 1 FROM conversation_requests AS request WHERE request.owner = owner.id)
    LIMIT ?1
)
