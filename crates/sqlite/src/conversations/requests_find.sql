SELECT fingerprint, conversation, id, first_seq, last_seq, version, fence
FROM conversation_requests
WHERE owner = ?1 AND key = ?2 AND until_ms > ?3
