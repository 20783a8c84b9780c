UPDATE conversations SET
    status = :status,
    version = version + 1,
    updated_ms = :now_ms,
    accessed_ms = :now_ms,
    expires_ms = :expires_ms,
    sliding = :sliding,
    ttl_ms = :ttl_ms,
    pinned = :pinned,
    head = :head,
    workflow = :workflow,
    body = :body
WHERE number = :number
