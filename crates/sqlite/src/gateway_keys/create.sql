INSERT INTO gateway_keys (
    namespace, id, digest, version, body, bonus_requests, disabled, created_ms, requests, requests_today, day,
    bonus_used, tokens, spent, spent_from_ms, used_ms
) VALUES (
    :namespace, :id, :digest, :version, :body, :bonus_requests, :disabled, :created_ms, :requests, :requests_today, :day,
    :bonus_used, :tokens, :spent, :spent_from_ms, :used_ms
)
