INSERT INTO conversations
    (owner, id, status, version, messages, bytes, created_ms, updated_ms, accessed_ms, expires_ms, sliding, ttl_ms,
     pinned, fence, head, workflow, body)
VALUES
    (:owner, :id, :status, 1, :messages, :bytes, :now_ms, :now_ms, :now_ms, :expires_ms, :sliding, :ttl_ms,
     :pinned, :fence, :head, :workflow, :body)
