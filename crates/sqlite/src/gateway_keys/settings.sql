UPDATE gateway_keys SET
    body = :body, seal_key = :seal_key, requests_per_minute = :requests_per_minute,
    tokens_per_minute = :tokens_per_minute, requests_per_day = :requests_per_day, bonus_requests = :bonus_requests,
    max_in_flight = :max_in_flight, budget = :budget, period = :period, disabled = :disabled, expires_ms = :expires_ms
WHERE key = :key
