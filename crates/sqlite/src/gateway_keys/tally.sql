UPDATE gateway_keys SET
    requests = :requests, requests_today = :requests_today, day = :day, bonus_used = :bonus_used, tokens = :tokens,
    spent = :spent, spent_from_ms = :spent_from_ms, used_ms = :used_ms
WHERE key = :key
