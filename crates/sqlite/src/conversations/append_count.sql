UPDATE conversations SET
    version = :version,
    messages = :messages,
    bytes = :bytes,
    updated_ms = :now_ms,
    accessed_ms = :now_ms,
    expires_ms = :expires_ms,
    turn_until_ms = CASE WHEN :release THEN 0 ELSE turn_until_ms END,
    workflow = coalesce(:workflow, workflow)
WHERE number = :number
