UPDATE conversations SET
    fence = :fence,
    turn_until_ms = :until_ms,
    turn_holder = :holder,
    turn_key = :key,
    accessed_ms = :now_ms,
    expires_ms = :expires_ms
WHERE number = :number
